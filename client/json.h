/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - a document built from the outside in
 *
 * @key names a member of the object that is open; in a list it is NULL. Running out of memory is
 * remembered, and json_print() reports it. Text that is not UTF-8 is escaped as error_escape()
 * does.
 */
#ifndef CLIENT_JSON_H
#define CLIENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/own.h"

struct json_document;

/* An empty list or object at the root. NULL when there is no memory. */
struct json_document *json_document_new(bool list);
void json_document_free(struct json_document *document); /* NULL is fine */
DEFINE_OWNED(struct json_document *, json_document_free)

void json_begin_object(struct json_document *document, const char *key);
void json_begin_list(struct json_document *document, const char *key);
void json_end(struct json_document *document);

void json_put_text(struct json_document *document, const char *key, const char *text);
/* @length bytes of any value. */
void json_put_bytes(
	struct json_document *document, const char *key, const void *bytes, size_t length);
void json_put_integer(struct json_document *document, const char *key, int64_t value);
/* 7 significant digits; null for what is not finite. */
void json_put_real(struct json_document *document, const char *key, double value);
void json_put_bool(struct json_document *document, const char *key, bool value);

/* One line, or indented by two blanks when @indented. -ENOMEM or -EIO. */
int must_check json_print(const struct json_document *document, FILE *out, bool indented);

/* The same in one line without its end; the caller frees it. NULL without memory. */
char *json_text(const struct json_document *document);

#endif
