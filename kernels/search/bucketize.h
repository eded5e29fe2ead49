/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucketize - between which boundaries values stand
 *
 *   dst[i] = how many of the boundaries are at or below src[i]
 *
 * @boundaries: @count floats, none below the one before it
 * Integers are compared as floats, doubles as doubles; a NaN stands behind all boundaries.
 * Source: TFLite bucketize.cc (std::upper_bound).
 */
#ifndef KERNELS_SEARCH_BUCKETIZE_H
#define KERNELS_SEARCH_BUCKETIZE_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_bucketize_fn(
	int32_t *dst, const void *src, size_t n, const float *boundaries, uint32_t count);
ek_bucketize_fn ek_bucketize_f32, ek_bucketize_f64, ek_bucketize_s32, ek_bucketize_s64;

#endif
