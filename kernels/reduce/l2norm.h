/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l2norm - one row divided by its Euclidean length
 *
 *   f32: dst[i] = src[i] / max(sqrt(sum of src^2), 10^-6)
 *   8 bits: the same of src - zero, with a scale of 1/128 and the zero point 0 (int8) or 128 (uint8)
 *
 * @dst, @src: n elements each; dst may be src. Source: TFLite reference/l2normalization.h,
 * integer_ops/l2normalization.h.
 */
#ifndef KERNELS_REDUCE_L2NORM_H
#define KERNELS_REDUCE_L2NORM_H

#include <stddef.h>
#include <stdint.h>

/* @zero: zero point of the input; not used by f32. */
typedef void ek_l2norm_fn(void *dst, const void *src, size_t n, int32_t zero);

ek_l2norm_fn ek_l2norm_f32, ek_l2norm_s8, ek_l2norm_u8;

/* The same to the bit for a row that comes in parts: first the sum over all parts, then the results. */
struct ek_l2norm_sum {
	float real; /* f32; 0 at the start */
	int64_t codes; /* 8 bits; 0 at the start */
};
struct ek_l2norm_parts {
	void (*add)(struct ek_l2norm_sum *sum, const void *src, size_t n, int32_t zero);
	void (*finish)(void *dst, const void *src, size_t n, int32_t zero,
		const struct ek_l2norm_sum *sum);
};
extern const struct ek_l2norm_parts ek_l2norm_parts_f32, ek_l2norm_parts_s8, ek_l2norm_parts_u8;

#endif
