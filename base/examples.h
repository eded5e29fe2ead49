/* SPDX-License-Identifier: Apache-2.0 */
/*
 * examples - embeddings that somebody has named
 *
 * A text: each line is a label, a tab, and the numbers of a vector, in base 10, with blanks between.
 * All vectors are equally long. A label has 1 to 63 bytes, none of them a control character.
 */
#ifndef BASE_EXAMPLES_H
#define BASE_EXAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

#define EXAMPLES_MAX 4096
#define EXAMPLES_MAX_VALUES (1u << 22) /* of all vectors */
#define EXAMPLES_LABEL_SIZE 64

struct example {
	char label[EXAMPLES_LABEL_SIZE];
	float *vector; /* owned */
};

struct examples {
	struct example *items; /* owned */
	size_t n;
	size_t length; /* of each vector */
};

void examples_free(struct examples *examples); /* zeroed is fine */
#define owned_examples __attribute__((cleanup(examples_free)))

/* @text holds @size bytes and one zero byte after them. -EBADMSG with the line, -EFBIG, -ENOMEM. */
int must_check examples_parse(
	const char *text, size_t size, struct examples *ret_examples, struct error *err);

/* A label that a line can have. */
bool examples_is_label(const char *label, size_t length);

/* Both, with an end to what has none; malloc'ed, with a zero byte after it. Only -ENOMEM. */
int must_check examples_join(const char *before, size_t before_size, const char *more,
	size_t more_size, char **ret_text, size_t *ret_size);

/* The lines of @label go, of any bytes; *size gets smaller, and a zero byte follows. How many. */
size_t examples_remove(char *text, size_t *size, const char *label);

/* One line. -EINVAL for a label that no line can have, -EIO. */
int must_check examples_write(
	FILE *file, const char *label, const float *vector, size_t length, struct error *err);

#endif
