/* SPDX-License-Identifier: Apache-2.0 */
/* rescale_avx512 - ek_mbqm() and its parts in 16 lanes, one scale for all of them */
#ifndef KERNELS_REQUANT_RESCALE_AVX512_H
#define KERNELS_REQUANT_RESCALE_AVX512_H

#include <immintrin.h>

#include "kernels/math/quant.h"

#define RESCALE_INLINE static inline __attribute__((always_inline))

/* The products' upper halves: (x * m + 2^30) >> 31. */
RESCALE_INLINE __m512i rescale_high(__m512i x, __m512i multiplier)
{
	const __m512i half = _mm512_set1_epi64(1 << 30);
	__m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), half);
	__m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), multiplier);
	odd = _mm512_slli_epi64(_mm512_add_epi64(odd, half), 1);
	return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), odd);
}

/* ek_rdbpot() of any int32. */
RESCALE_INLINE __m512i rescale_divide(__m512i x, int32_t right)
{
	const __m512i one = _mm512_set1_epi32(1);
	__m512i mask = _mm512_set1_epi32((int32_t)((1u << right) - 1));
	__m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(x, 31));
	__mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(x, mask), threshold);
	__m512i y = _mm512_sra_epi32(x, _mm_cvtsi32_si128(right));
	return _mm512_mask_add_epi32(y, up, y, one);
}

/* ek_mbqm() of any int32. */
RESCALE_INLINE __m512i rescale(__m512i x, struct ek_scale s)
{
	x = _mm512_sll_epi32(x, _mm_cvtsi32_si128(s.shift > 0 ? s.shift : 0));
	return rescale_divide(
		rescale_high(x, _mm512_set1_epi32(s.multiplier)), s.shift > 0 ? 0 : -s.shift);
}

#endif
