/* SPDX-License-Identifier: Apache-2.0 */
/* rescale_avx2 - ek_mbqm() and its parts in 8 lanes, one scale for all of them */
#ifndef KERNELS_REQUANT_RESCALE_AVX2_H
#define KERNELS_REQUANT_RESCALE_AVX2_H

#include <immintrin.h>

#include "kernels/math/quant.h"

#define RESCALE_INLINE static inline __attribute__((always_inline))

/* The products' upper halves: (x * m + 2^30) >> 31. */
RESCALE_INLINE __m256i rescale_high(__m256i x, __m256i multiplier)
{
	const __m256i half = _mm256_set1_epi64x(1 << 30);
	__m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half);
	__m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(x, 32), multiplier);
	odd = _mm256_slli_epi64(_mm256_add_epi64(odd, half), 1);
	return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), odd, 0xAA);
}

/* ek_rdbpot() of any int32. */
RESCALE_INLINE __m256i rescale_divide(__m256i x, int32_t right)
{
	__m256i mask = _mm256_set1_epi32((int32_t)((1u << right) - 1));
	__m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(x, 31));
	__m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(x, mask), threshold);
	return _mm256_sub_epi32(_mm256_sra_epi32(x, _mm_cvtsi32_si128(right)), up);
}

/* ek_mbqm() of any int32. */
RESCALE_INLINE __m256i rescale(__m256i x, struct ek_scale s)
{
	x = _mm256_sll_epi32(x, _mm_cvtsi32_si128(s.shift > 0 ? s.shift : 0));
	return rescale_divide(
		rescale_high(x, _mm256_set1_epi32(s.multiplier)), s.shift > 0 ? 0 : -s.shift);
}

#endif
