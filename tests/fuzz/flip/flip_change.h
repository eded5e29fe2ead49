/* SPDX-License-Identifier: Apache-2.0 */
/* flip_change - what an operand becomes in the middle of a run */
#ifndef TESTS_FUZZ_FLIP_CHANGE_H
#define TESTS_FUZZ_FLIP_CHANGE_H

#include "tests/fuzz/flip/flip_case.h"

/* What an operand becomes, all of its elements at once. */
enum flip_change {
	FLIP_ONES, /* all bits */
	FLIP_ZEROS,
	FLIP_MOST, /* the greatest number of the type */
	FLIP_LEAST, /* the least one */
	FLIP_RANDOM, /* any bits */
	FLIP_NEAR, /* numbers near sizes and limits: tests/fuzz/contents.h */
	FLIP_SAME, /* one element of its own, everywhere */
	FLIP_CHANGES
};

const char *flip_change_name(enum flip_change change);
/* FLIP_CHANGES for a name that is not known. */
enum flip_change flip_change_find(const char *name);

/* Writes through the operand's view. Equal arguments give equal bytes, whatever was tried before. */
void flip_change_make(
	const struct flip_case *c, uint32_t operand, enum flip_change change, uint64_t random);

/* False where the change wrote what was there before. */
bool flip_change_is_one(const struct flip_case *c, uint32_t operand);

/* Writes what the case has. */
void flip_change_restore(const struct flip_case *c, uint32_t operand);

#endif
