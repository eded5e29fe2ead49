/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint - FarmHash's Fingerprint64 of @size bytes at any alignment: the same number on every
 * machine and for ever. Source: the definition of farmhashna::Hash64 in FarmHash 1.1. */
#ifndef KERNELS_MATH_FINGERPRINT_H
#define KERNELS_MATH_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

uint64_t ek_fingerprint64(const void *data, size_t size);

/*
 * The same in parts, of more than 64 bytes: start, then the blocks 0, 1, ... to the last, @first to
 * @end - 1 by one call, then the end. @data and @size are the same each time.
 */
#define EK_FINGERPRINT_SHORT 64 /* bytes that have no parts */

struct ek_fingerprint {
	uint64_t x, y, z, v[2], w[2];
};

static inline size_t ek_fingerprint_blocks(size_t size)
{
	return (size - 1) / 64;
}

void ek_fingerprint_start(struct ek_fingerprint *f, const void *data);
void ek_fingerprint_add(struct ek_fingerprint *f, const void *data, size_t first, size_t end);
uint64_t ek_fingerprint_end(struct ek_fingerprint *f, const void *data, size_t size);

#endif
