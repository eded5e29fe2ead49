/* SPDX-License-Identifier: Apache-2.0 */
/*
 * examples - embeddings that somebody has named, and which of them is nearest
 *
 * A text file: each line is a label, a tab, and the numbers of a vector of norm 1, separated by blanks.
 * All vectors are equally long.
 */
#ifndef CLIENT_PIPELINE_EXAMPLES_H
#define CLIENT_PIPELINE_EXAMPLES_H

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

/* One line. -EINVAL for a label that no line can have, -EIO. */
int must_check examples_write(
	FILE *file, const char *label, const float *vector, size_t length, struct error *err);

enum examples_distance {
	EXAMPLES_COSINE, /* 1 - cosine of the angle */
	EXAMPLES_EUCLIDEAN
};

/* The nearest; NULL when there is none. @vector has examples->length elements and norm 1. */
const struct example *examples_nearest(const struct examples *examples,
	enum examples_distance distance, const float *vector, double *ret_distance);

#endif
