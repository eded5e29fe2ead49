/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucket - between which boundaries values stand
 *
 *   dst[i] = how many of the boundaries are at or below src[i]
 *
 * @boundaries: @count floats, none below the one before it
 * Integers are compared as floats, doubles as doubles; a NaN stands behind all boundaries.
 * Source: TFLite bucketize.cc (std::upper_bound).
 */
#ifndef KERNELS_BUCKET_H
#define KERNELS_BUCKET_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_bucket_fn(
	int32_t *dst, const void *src, size_t n, const float *boundaries, uint32_t count);
ek_bucket_fn ek_bucket_f32, ek_bucket_f64, ek_bucket_s32, ek_bucket_s64;

#endif
