/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dots_neon - one row of codes times four rows of weights as they are in the file
 *
 * Who includes this defines DOTS_STEP(sum, x, w), which adds 16 products to four sums, and
 * DOTS_WEIGH(sum, w), which adds 16 weights. The sum of products less the zero point times the sum of
 * the weights is the formula's, modulo 2^32.
 */
#ifndef KERNELS_ARM_DOTS_NEON_H
#define KERNELS_ARM_DOTS_NEON_H

#include <stdbool.h>

#if defined(__aarch64__)
#include "kernels/arm/vector_neon.h"
#else
#include "kernels/arm/vector_vfp.h"
#endif

/* The first @n < 16 codes, and zeros. */
VECTOR_INLINE int8x16_t dots_load_first(const int8_t *from, size_t n)
{
	int8_t some[16] = {0};
	memcpy(some, from, n);
	return vld1q_s8(some);
}

VECTOR_INLINE int32x4_t dots_join(const int32x4_t v[4])
{
	int32x2_t a = vpadd_s32(vget_low_s32(v[0]), vget_high_s32(v[0]));
	int32x2_t b = vpadd_s32(vget_low_s32(v[1]), vget_high_s32(v[1]));
	int32x2_t c = vpadd_s32(vget_low_s32(v[2]), vget_high_s32(v[2]));
	int32x2_t d = vpadd_s32(vget_low_s32(v[3]), vget_high_s32(v[3]));
	return vcombine_s32(vpadd_s32(a, b), vpadd_s32(c, d));
}

/* Sums of @x's products, and with @weighs of the weights themselves, of four rows. */
VECTOR_INLINE void dots_sum(const int8_t *x, const int8_t *const w[4], size_t depth,
	const bool weighs, int32x4_t sum[4], int32x4_t weight[4])
{
	size_t k = 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		sum[i] = weight[i] = vdupq_n_s32(0);
	}
	for (; k + 16 <= depth; k += 16) {
		int8x16_t a = vld1q_s8(x + k);
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			int8x16_t b = vld1q_s8(w[i] + k);
			sum[i] = DOTS_STEP(sum[i], a, b);
			weight[i] = weighs ? DOTS_WEIGH(weight[i], b) : weight[i];
		}
	}
	if (k < depth) {
		int8x16_t a = dots_load_first(x + k, depth - k);
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			int8x16_t b = dots_load_first(w[i] + k, depth - k);
			sum[i] = DOTS_STEP(sum[i], a, b);
			weight[i] = weighs ? DOTS_WEIGH(weight[i], b) : weight[i];
		}
	}
}

/* Sums of (x[k] - zero) * w[n][k], n < 4, modulo 2^32; rows from @n on are those of row @n - 1. */
VECTOR_INLINE vector dots(const int8_t *x, int32_t zero, const int8_t *w, size_t depth, uint32_t n)
{
	const int8_t *const rows[4] = {w, w + (n > 1 ? 1 : n - 1) * depth,
		w + (n > 2 ? 2 : n - 1) * depth, w + (n > 3 ? 3 : n - 1) * depth};
	int32x4_t sum[4], weight[4];
	if (zero == 0) {
		dots_sum(x, rows, depth, false, sum, weight);
		return vector_of_integers(dots_join(sum));
	}
	dots_sum(x, rows, depth, true, sum, weight);
	return vector_of_integers(vmlsq_n_s32(dots_join(sum), dots_join(weight), zero));
}

#endif
