/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lut_avx2 - a table of 256 bytes as sixteen parts, one look-up in each
 *
 * VPSHUFB gives entry i % 16 where bit 7 of the index i is clear, else 0. Part k of the lower half is asked
 * for j - 16 k, where j is the code's lower 7 bits, and answers where that is not below 0; so all parts up
 * to a code's own answer. The answers are joined by exclusive or, and each part is stored as what it
 * differs by from the one before. The upper half is asked by the same indices; bit 7 of the code chooses.
 */
#ifndef KERNELS_SIMD_LUT_AVX2_H
#define KERNELS_SIMD_LUT_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define LUT_INLINE static inline __attribute__((always_inline))
#define LUT_PARTS 8 /* of a half */

struct lut {
	__m128i low[LUT_PARTS], high[LUT_PARTS];
};

LUT_INLINE void lut_make(const uint8_t table[static 256], struct lut *ret)
{
	__m128i low = _mm_setzero_si128(), high = low;
	for (int k = 0; k < LUT_PARTS; k++) {
		const __m128i *from = (const __m128i *)table + k;
		const __m128i l = _mm_loadu_si128(from), h = _mm_loadu_si128(from + LUT_PARTS);
		ret->low[k] = _mm_xor_si128(l, low);
		ret->high[k] = _mm_xor_si128(h, high);
		low = l;
		high = h;
	}
}

/* @vectors (1, 2) times 32 codes become their entries. */
LUT_INLINE void lut_find(const struct lut *l, __m256i *codes, const int vectors)
{
	const __m256i zero = _mm256_setzero_si256(), next = _mm256_set1_epi8(16);
	__m256i low[2] = {zero, zero}, high[2] = {zero, zero}, index[2];
	for (int j = 0; j < vectors; j++) {
		index[j] = _mm256_and_si256(codes[j], _mm256_set1_epi8(127));
	}
#pragma GCC unroll 8
	for (int k = 0; k < LUT_PARTS; k++) {
		const __m256i low_part = _mm256_broadcastsi128_si256(l->low[k]);
		const __m256i high_part = _mm256_broadcastsi128_si256(l->high[k]);
#pragma GCC unroll 2
		for (int j = 0; j < vectors; j++) {
			low[j] = _mm256_xor_si256(low[j], _mm256_shuffle_epi8(low_part, index[j]));
			high[j] =
				_mm256_xor_si256(high[j], _mm256_shuffle_epi8(high_part, index[j]));
			index[j] = _mm256_sub_epi8(index[j], next);
		}
	}
	for (int j = 0; j < vectors; j++) {
		codes[j] = _mm256_blendv_epi8(low[j], high[j], codes[j]);
	}
}

#endif
