/* SPDX-License-Identifier: Apache-2.0 */
/* dots_avx2 - one row of codes times a vector's number of rows of weights as they are in the file */
#ifndef KERNELS_GEMM_DOTS_AVX2_H
#define KERNELS_GEMM_DOTS_AVX2_H

#include <string.h>

#include "kernels/simd/vector_f32_avx2.h"

/* 16 codes, or zeros behind the first @n. */
VECTOR_INLINE __m256i dots_load(const int8_t *from, size_t n)
{
	__m128i x = _mm_setzero_si128();
	if (n >= 16) {
		x = _mm_loadu_si128((const __m128i *)from);
	} else {
		memcpy(&x, from, n);
	}
	return _mm256_cvtepi8_epi16(x);
}

/* Sums of (x[k] - zero) * w[n][k], n < 8, modulo 2^32; rows from @n on are those of row @n - 1. */
VECTOR_INLINE vector dots(const int8_t *x, int32_t zero, const int8_t *w, size_t depth, uint32_t n)
{
	const __m256i offset = _mm256_set1_epi16((int16_t)zero);
	__m256i v[8];
#pragma GCC unroll 8
	for (uint32_t i = 0; i < 8; i++) {
		v[i] = _mm256_setzero_si256();
	}
	for (size_t k = 0; k < depth; k += 16) {
		__m256i a = _mm256_sub_epi16(dots_load(x + k, depth - k), offset);
#pragma GCC unroll 8
		for (uint32_t i = 0; i < 8; i++) {
			const int8_t *row = w + (i < n ? i : n - 1) * depth + k;
			__m256i b = _mm256_madd_epi16(a, dots_load(row, depth - k));
			v[i] = _mm256_add_epi32(v[i], b);
		}
	}
	__m256i ab = _mm256_hadd_epi32(v[0], v[1]), cd = _mm256_hadd_epi32(v[2], v[3]);
	__m256i ef = _mm256_hadd_epi32(v[4], v[5]), gh = _mm256_hadd_epi32(v[6], v[7]);
	__m256i low = _mm256_hadd_epi32(ab, cd), high = _mm256_hadd_epi32(ef, gh);
	return _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
		_mm256_permute2x128_si256(low, high, 0x31)));
}

#endif
