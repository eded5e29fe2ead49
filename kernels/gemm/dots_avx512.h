/* SPDX-License-Identifier: Apache-2.0 */
/* dots_avx512 - one row of codes times a vector's number of rows of weights as they are in the file */
#ifndef KERNELS_GEMM_DOTS_AVX512_H
#define KERNELS_GEMM_DOTS_AVX512_H

#include "kernels/simd/vector_f32_avx512.h"

/* The sums of four vectors, one after the other, in each 128 bits of the result a part of them. */
VECTOR_INLINE __m512i dots_fold(const __m512i v[4])
{
	__m512i ab = _mm512_add_epi32(
		_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
	__m512i cd = _mm512_add_epi32(
		_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
	return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/* Sums of (x[k] - zero) * w[n][k], n < 16, modulo 2^32; rows from @n on are those of row @n - 1. */
VECTOR_INLINE vector dots(const int8_t *x, int32_t zero, const int8_t *w, size_t depth, uint32_t n)
{
	const __m512i offset = _mm512_set1_epi16((int16_t)zero);
	__m512i v[16];
#pragma GCC unroll 16
	for (uint32_t i = 0; i < 16; i++) {
		v[i] = _mm512_setzero_si512();
	}
	for (size_t k = 0; k < depth; k += 32) {
		__mmask32 here =
			depth - k >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << (depth - k)) - 1;
		__m512i a = _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(here, x + k));
		a = _mm512_sub_epi16(a, offset);
#pragma GCC unroll 16
		for (uint32_t i = 0; i < 16; i++) {
			const int8_t *row = w + (i < n ? i : n - 1) * depth + k;
			__m512i b = _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(here, row));
			v[i] = _mm512_dpwssd_epi32(v[i], a, b);
		}
	}
	__m512i a = dots_fold(v), b = dots_fold(v + 4), c = dots_fold(v + 8), d = dots_fold(v + 12);
	__m512i ab = _mm512_add_epi32(
		_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
	__m512i cd = _mm512_add_epi32(
		_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xDD));
	return _mm512_cvtepi32_ps(_mm512_add_epi32(
		_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xDD)));
}

#endif
