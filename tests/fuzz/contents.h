/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contents - what a hostile client may put into a tensor: indices near what they were or near a
 * limit, NaN and denormals, strings of any length, tables of strings that are none
 */
#ifndef TESTS_FUZZ_CONTENTS_H
#define TESTS_FUZZ_CONTENTS_H

#include "base/dtype.h"

struct contents {
	unsigned int type; /* enum dtype, not strings */
	const uint8_t *was; /* what it is near to; NULL for zeros */
	uint64_t was_bytes;
	const int64_t *sizes; /* dimensions that indices may go to */
	uint32_t n_sizes;
};

/* @data is filled, every byte of it. */
void contents_fill(const struct contents *c, uint8_t *data, uint64_t bytes, uint64_t *random);

/* What does no harm: small numbers, the same for the same @random. */
void contents_fill_mildly(unsigned int type, uint8_t *data, uint64_t bytes, uint64_t *random);

/*
 * A table of @count strings (base/strings.h), each fourth time broken; 16-byte aligned, in memory
 * of just as many bytes, which free() takes. NULL without memory.
 */
uint8_t *contents_strings(uint64_t count, uint64_t *random, uint64_t *ret_bytes);

/* As above, @bytes for any use. */
uint8_t *contents_memory(uint64_t bytes);

#endif
