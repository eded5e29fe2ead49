/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk - strided copies: what TRANSPOSE, PAD, CONCATENATION, SPLIT and kin come down to
 *
 *   for each index (i0, i1, ...) below size: dst[sum ik * dst_step[k]] = src[sum ik * src_step[k]]
 *
 * Steps are in bytes and may be negative or 0; dimensions go from the outermost to the innermost.
 * Source and destination do not overlap. Elements of 1, 2, 4, 8 or 16 bytes, at any alignment.
 */
#ifndef KERNELS_WALK_H
#define KERNELS_WALK_H

#include <stddef.h>
#include <stdint.h>

#define EK_WALK_RANK 16 /* TILE repeats each of 8 dimensions */

struct ek_walk {
	uint32_t rank; /* 0: one element */
	size_t size[EK_WALK_RANK];
	ptrdiff_t dst_step[EK_WALK_RANK], src_step[EK_WALK_RANK];
};

/* Drops dimensions of size 1 and joins neighbours that both sides step through as through one. */
void ek_walk_simplify(struct ek_walk *walk);

void ek_walk_copy(void *dst, const void *src, size_t element_bytes, const struct ek_walk *walk);

/* @count copies of the element at @value. */
void ek_walk_fill(void *dst, const void *value, size_t element_bytes, size_t count);

/* @count elements of @bytes bytes each: dst[i] = src[index[i]]. */
void ek_walk_pick(void *dst, const void *src, size_t bytes, const int32_t *index, size_t count);

#endif
