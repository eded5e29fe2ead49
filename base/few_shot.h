/* SPDX-License-Identifier: Apache-2.0 */
/*
 * few_shot - labelled embeddings as text
 *
 * Each line is a label, a tab, and the decimal numbers of a vector, separated by blanks. All
 * vectors have equal length. A label has 1 to 63 bytes and no control characters.
 */
#ifndef BASE_FEW_SHOT_H
#define BASE_FEW_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

#define FEW_SHOT_MAX 4096
#define FEW_SHOT_MAX_VALUES (1u << 22) /* numbers in all vectors together */
#define FEW_SHOT_LABEL_SIZE 64

struct few_shot_example {
	char label[FEW_SHOT_LABEL_SIZE];
	float *vector; /* owned */
};

struct few_shot {
	struct few_shot_example *items; /* owned */
	size_t n;
	size_t length; /* numbers in each vector */
};

void few_shot_free(struct few_shot *examples); /* a zeroed struct is fine */
#define owned_examples __attribute__((cleanup(few_shot_free)))

/* Parses @size bytes of @text with a 0 after them. -EBADMSG with the line, -EFBIG, -ENOMEM. */
int must_check few_shot_parse(
	const char *text, size_t size, struct few_shot *ret_examples, struct error *err);

/* Returns true if a line can have this label. */
bool few_shot_is_label(const char *label, size_t length);

/* Appends @more to @before, with a line end between. *ret_text has a 0 after it, and the caller
 * frees it. Only error: -ENOMEM. */
int must_check few_shot_join(const char *before, size_t before_size, const char *more,
	size_t more_size, char **ret_text, size_t *ret_size);

/* Removes the lines of @label from any text. Updates *size and writes a 0 after it. Returns the
 * number of lines removed. */
size_t few_shot_remove(char *text, size_t *size, const char *label);

/* Writes one line. -EINVAL for an invalid label, -EIO. */
int must_check few_shot_write(
	FILE *file, const char *label, const float *vector, size_t length, struct error *err);

#endif
