/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_builder - builds a JSON document from the outermost value inwards
 *
 * @key names a member of the open object; it is NULL in a list. An allocation failure is
 * remembered and reported by json_builder_print(); a document that is NULL counts as one. Text that is not UTF-8 is escaped like error_escape()
 * does.
 */
#ifndef CLIENT_PIPELINE_JSON_BUILDER_H
#define CLIENT_PIPELINE_JSON_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/own.h"

struct json_document;

/* Creates a document whose root is an empty list or object. NULL: no memory. */
struct json_document *json_builder_document_new(bool list);
void json_builder_document_free(struct json_document *document); /* may be NULL */
DEFINE_OWNED(struct json_document *, json_builder_document_free)
#define owned_json owned(json_builder_document_free)

void json_builder_begin_object(struct json_document *document, const char *key);
void json_builder_begin_list(struct json_document *document, const char *key);
void json_builder_end(struct json_document *document);

/* Adds nothing if @text is NULL. */
void json_builder_put_text(struct json_document *document, const char *key, const char *text);
/* Adds a text of @length bytes, which may have any value. */
void json_builder_put_bytes(
	struct json_document *document, const char *key, const void *bytes, size_t length);
void json_builder_put_integer(struct json_document *document, const char *key, int64_t value);
/* Adds a number with 7 significant digits; null if @value is not finite. */
void json_builder_put_real(struct json_document *document, const char *key, double value);
void json_builder_put_bool(struct json_document *document, const char *key, bool value);

/* Adds a list of @n integers. */
void json_builder_put_integers(
	struct json_document *document, const char *key, const int32_t *values, size_t n);
/* Adds a list of @n numbers. */
void json_builder_put_reals(
	struct json_document *document, const char *key, const float *values, size_t n);

/* Prints one line, or indents by two blanks if @indented. -ENOMEM or -EIO. */
int must_check json_builder_print(const struct json_document *document, FILE *out, bool indented);

/* Returns the document as one line without line end. The caller frees the text. NULL: no memory. */
char *json_builder_text(const struct json_document *document);

#endif
