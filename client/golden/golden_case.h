/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case - one golden case: a model, the inputs of its runs in order, and what must come out
 *
 * A case is a folder with a case.txt of plain lines and raw tensor files; a case read into memory
 * holds everything but the model, so that several threads can run it at once without touching it.
 */
#ifndef CLIENT_GOLDEN_CASE_H
#define CLIENT_GOLDEN_CASE_H

#include "base/dtype.h"
#include "base/error.h"

enum golden_kind {
	GOLDEN_IN,
	GOLDEN_OUT,
	GOLDEN_FAILS, /* the run of this step must be refused; only @step is set */
};

enum golden_compare {
	GOLDEN_EXACT, /* every byte */
	GOLDEN_CLOSE, /* |a - b| <= atol + rtol * |b| */
	GOLDEN_NEAR, /* integers, at most @units apart */
};

struct golden_entry {
	uint8_t kind, compare;
	uint8_t type; /* enum dtype */
	uint32_t step, index;
	struct shape shape;
	double atol, rtol;
	uint64_t units;
	uint8_t *data; /* dense, little endian; strings: an aligned table (base/strings.h) */
	size_t bytes;
};

struct golden_case {
	char *folder;
	char *model; /* path, relative to the working directory */
	char *signature; /* NULL for the default */
	struct golden_entry *entries;
	size_t n_entries;
	uint32_t n_steps;
};

/* Reads @folder/case.txt and all files that it names. -EBADMSG with the line's number for a line
 * that is not understood, or what open and read gave. */
int must_check golden_case_read(
	const char *folder, struct golden_case **ret_case, struct error *err);
void golden_case_free(struct golden_case *c); /* NULL is fine */
DEFINE_OWNED(struct golden_case *, golden_case_free)

/* True when the run of @step must be refused. */
bool golden_case_fails(const struct golden_case *c, uint32_t step);

#endif
