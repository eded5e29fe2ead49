/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strided_copy - strided copies: what TRANSPOSE, PAD, CONCATENATION, SPLIT and kin come down to
 *
 *   for each index (i0, i1, ...) below size: dst[sum ik * dst_step[k]] = src[sum ik * src_step[k]]
 *
 * Steps are in bytes and may be negative or 0; dimensions go from the outermost to the innermost.
 * Source and destination do not overlap. Elements of 1, 2, 4, 8 or 16 bytes, at any alignment.
 */
#ifndef KERNELS_MOVE_STRIDED_COPY_H
#define KERNELS_MOVE_STRIDED_COPY_H

#include <stddef.h>
#include <stdint.h>

#define EK_STRIDED_COPY_RANK 16 /* TILE repeats each of 8 dimensions */

struct ek_strided_copy {
	uint32_t rank; /* 0: one element */
	size_t size[EK_STRIDED_COPY_RANK];
	ptrdiff_t dst_step[EK_STRIDED_COPY_RANK], src_step[EK_STRIDED_COPY_RANK];
};

/* Drops dimensions of size 1 and joins neighbours that both sides step through as through one. */
void ek_strided_copy_simplify(struct ek_strided_copy *walk);

void ek_strided_copy_run(
	void *dst, const void *src, size_t element_bytes, const struct ek_strided_copy *walk);

/* @count copies of the element at @value. */
void ek_strided_copy_fill(void *dst, const void *value, size_t element_bytes, size_t count);

/* @count elements of @bytes bytes each: dst[i] = src[index[i]]. */
void ek_strided_copy_pick(
	void *dst, const void *src, size_t bytes, const int32_t *index, size_t count);

#endif
