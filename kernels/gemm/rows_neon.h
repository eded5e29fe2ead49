/* SPDX-License-Identifier: Apache-2.0 */
/* rows_neon - rows of codes as they are, one behind the other, become rows of a block */
#ifndef KERNELS_GEMM_ROWS_NEON_H
#define KERNELS_GEMM_ROWS_NEON_H

#include "kernels/gemm/packed_panel_neon.h"

ALWAYS_INLINE int32_t rows_sum(int32x4_t sums)
{
	int32x2_t pair = vadd_s32(vget_low_s32(sums), vget_high_s32(sums));
	return vget_lane_s32(vpadd_s32(pair, pair), 0);
}

ALWAYS_INLINE int32x4_t rows_add(int32x4_t sums, int8x16_t x)
{
	return vpadalq_s16(sums, vpaddlq_s8(x));
}

/* The last @n < 16 codes of a row, and zeros. */
static inline int8x16_t rows_tail(const uint8_t *from, size_t n, uint8_t flip)
{
	uint8_t tail[16];
	vst1q_u8(tail, vdupq_n_u8(flip));
	gemm_copy_few(tail, from, n);
	return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(tail), vdupq_n_u8(flip)));
}

/* As many codes as there are whole fours of vectors; returns how many. */
ALWAYS_INLINE size_t rows_flip(int8_t *to, const uint8_t *from, size_t depth, uint8x16_t flip)
{
	size_t k = 0;
	for (; k + 64 <= depth; k += 64) {
#pragma GCC unroll 4
		for (size_t i = k; i < k + 64; i += 16) {
			uint8x16_t x = veorq_u8(vld1q_u8(from + i), flip);
			vst1q_u8((uint8_t *)to + i, x);
		}
	}
	return k;
}

static inline void rows_bring(
	int8_t *to, const uint8_t *const rows[2], size_t depth, uint8_t flip, int32_t *ret_sums)
{
	const uint8_t *from = rows[0];
	const uint8x16_t f = vdupq_n_u8(flip);
	int32x4_t sums = vdupq_n_s32(0);
	size_t k = ret_sums ? 0 : rows_flip(to, from, depth, f);
	for (; k + 16 <= depth; k += 16) {
		int8x16_t x = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from + k), f));
		vst1q_s8(to + k, x);
		sums = rows_add(sums, x);
	}
	if (k < depth) {
		int8x16_t x = rows_tail(from + k, depth - k, flip);
		vst1q_s8(to + k, x);
		sums = rows_add(sums, x);
	}
	if (ret_sums) {
		*ret_sums = rows_sum(sums);
	}
}

#endif
