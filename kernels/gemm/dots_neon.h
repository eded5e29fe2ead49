/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dots_neon - one row of codes times four rows of weights as they are in the file
 *
 * DOTS_STEP(sum, x, w) adds 16 products to four sums, DOTS_WEIGH(sum, w) 16 weights: by dot products where
 * the file is compiled for them. The sum of products less the zero point times the sum of
 * the weights is the formula's, modulo 2^32.
 */
#ifndef KERNELS_GEMM_DOTS_NEON_H
#define KERNELS_GEMM_DOTS_NEON_H

#include <stdbool.h>

#if defined(__aarch64__)
#include "kernels/simd/vector_f32_neon.h"
#else
#include "kernels/simd/vector_f32_vfp.h"
#endif

#if defined(__ARM_FEATURE_DOTPROD)
#define DOTS_STEP vdotq_s32
#define DOTS_WEIGH(sum, w) vdotq_s32(sum, vdupq_n_s8(1), w)
#else
/* Two products of -128 by -128 do not fit in 16 bits together. */
VECTOR_INLINE int32x4_t dots_step(int32x4_t sum, int8x16_t x, int8x16_t w)
{
	sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(w)));
#if defined(__aarch64__)
	return vpadalq_s16(sum, vmull_high_s8(x, w));
#else
	return vpadalq_s16(sum, vmull_s8(vget_high_s8(x), vget_high_s8(w)));
#endif
}

#define DOTS_STEP dots_step
#define DOTS_WEIGH(sum, w) vpadalq_s16(sum, vpaddlq_s8(w))
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

/* Ones in the last @n < 16 of 16 lanes. */
VECTOR_INLINE int8x16_t dots_last(size_t n)
{
	static const int8_t ones[32] = {
		[16] = -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
	return vld1q_s8(ones + n);
}

/* Sums of @x's products, and with @weighs of the weights themselves, of four rows. The last elements are read
 * with those before them, where there are as many, of which nothing counts any more. */
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
	if (k == depth) {
		return;
	}
	const bool overlaps = depth >= 16;
	const int8x16_t last = dots_last(depth - k);
	const int8x16_t a =
		overlaps ? vandq_s8(vld1q_s8(x + depth - 16), last) : dots_load_first(x, depth);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		int8x16_t b = overlaps ? vld1q_s8(w[i] + depth - 16) : dots_load_first(w[i], depth);
		sum[i] = DOTS_STEP(sum[i], a, b);
		b = overlaps ? vandq_s8(b, last) : b;
		weight[i] = weighs ? DOTS_WEIGH(weight[i], b) : weight[i];
	}
}

/* Sums of (x[k] - zero) * w[n][k], n < 4, modulo 2^32; rows from @n on are those of row @n - 1. */
VECTOR_INLINE int32x4_t dots_integers(
	const int8_t *x, int32_t zero, const int8_t *w, size_t depth, uint32_t n)
{
	const int8_t *const rows[4] = {w, w + (n > 1 ? 1 : n - 1) * depth,
		w + (n > 2 ? 2 : n - 1) * depth, w + (n > 3 ? 3 : n - 1) * depth};
	int32x4_t sum[4], weight[4];
	if (zero == 0) {
		dots_sum(x, rows, depth, false, sum, weight);
		return dots_join(sum);
	}
	dots_sum(x, rows, depth, true, sum, weight);
	return vmlsq_n_s32(dots_join(sum), dots_join(weight), zero);
}

VECTOR_INLINE vector dots(const int8_t *x, int32_t zero, const int8_t *w, size_t depth, uint32_t n)
{
	return vector_of_integers(dots_integers(x, zero, w, depth, n));
}

#endif
