/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin - a real model file and another one of the same size, inputs and outputs that answers otherwise
 *
 * For tests that replace one by the other and must know which of them has answered. Its first input is
 * filled with numbers, the others are zeros; its first output counts. Everything fails the test by itself.
 */
#ifndef TESTS_SYSTEM_TWIN_H
#define TESTS_SYSTEM_TWIN_H

#include "tests/system/peer.h"

struct twin {
	size_t size;
	uint8_t *file[2];
	uint8_t type;
	struct shape shape;
	uint64_t in_bytes, out_bytes;
	void *input;
	uint8_t *output[2]; /* what each answers to it */
};

/* Of the file @path. Where @alike both are that file. */
struct twin twin_new(const char *path, bool alike);
void twin_free(struct twin *twin);

/* Asks @model for what the input gives. */
void twin_ask(const struct twin *twin, struct peer *peer, uint64_t id, const char *model);
/* Which of the two the answer is of, 0 or 1; and the generation that it names. */
int twin_which(const struct twin *twin, const struct answer *answer, uint64_t *ret_generation);

#endif
