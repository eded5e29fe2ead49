/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_case - a golden case: a model, the inputs of its runs in order, and the expected outputs
 *
 * A case is a folder with a case.txt of plain lines and raw tensor files. A loaded case holds
 * everything but the model and is read-only, so that several threads can run it at once.
 */
#ifndef CLIENT_GOLDEN_GOLDEN_CASE_H
#define CLIENT_GOLDEN_GOLDEN_CASE_H

#include "base/dtype.h"
#include "base/error.h"

enum golden_kind {
	GOLDEN_IN,
	GOLDEN_OUT,
	GOLDEN_FAILS, /* the run of this step must fail; only @step is set */
};

enum golden_compare {
	GOLDEN_EXACT, /* all bytes are equal */
	GOLDEN_ALLCLOSE, /* |a - b| <= atol + rtol * |b| */
	GOLDEN_MAX_DIFF, /* integers that differ by at most @max_diff */
};

struct golden_entry {
	uint8_t kind, compare;
	uint8_t type; /* enum dtype */
	uint32_t step, index;
	struct shape shape;
	double atol, rtol;
	uint64_t max_diff;
	/* without padding, little endian; strings: an aligned table (base/strings.h) */
	uint8_t *data;
	size_t bytes;
};

struct golden_case {
	char *folder;
	char *model; /* path, relative to the working directory */
	char *signature; /* NULL: the default signature */
	struct golden_entry *entries;
	size_t n_entries;
	uint32_t n_steps;
};

/* Reads @folder/case.txt and all files that it names. -EBADMSG: an invalid line; the message has
 * its number. Else the error of open or read. */
int must_check golden_case_read(
	const char *folder, struct golden_case **ret_case, struct error *err);
void golden_case_free(struct golden_case *c); /* @c may be NULL */
DEFINE_OWNED(struct golden_case *, golden_case_free)

/* True if the run of @step must fail. */
bool golden_case_fails(const struct golden_case *c, uint32_t step);

#endif
