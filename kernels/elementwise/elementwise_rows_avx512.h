/* SPDX-License-Identifier: Apache-2.0 */
/* elementwise_rows_avx512 - elementwise_rows_x86.h with 16 lanes */
#ifndef KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_AVX512_H
#define KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_AVX512_H

#include "kernels/simd/lanes_avx512.h"

#include "kernels/elementwise/elementwise_rows_x86.h"

WIDE_INLINE __mmask16 elementwise_lanes(size_t n)
{
	return (__mmask16)((1u << n) - 1);
}

WIDE_INLINE wide elementwise_widen(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
}

WIDE_INLINE wide elementwise_load(
	const struct elementwise_operand *from, size_t i, size_t n, const bool is_signed)
{
	if (from->step == 0) {
		return elementwise_widen(_mm_set1_epi8(from->at[0]), is_signed);
	}
	return elementwise_widen(
		_mm_maskz_loadu_epi8(elementwise_lanes(n), from->at + i), is_signed);
}

WIDE_INLINE void elementwise_store(
	const struct elementwise_row *r, size_t i, const wide v[4], const bool is_signed)
{
	const __m512i order =
		_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
	__m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
	__m512i lo = _mm512_set1_epi8((char)r->lo), hi = _mm512_set1_epi8((char)r->hi);
	__m512i y;
	if (is_signed) {
		y = _mm512_packs_epi16(low, high);
		y = _mm512_min_epi8(_mm512_max_epi8(y, lo), hi);
	} else {
		y = _mm512_packus_epi16(low, high);
		y = _mm512_min_epu8(_mm512_max_epu8(y, lo), hi);
	}
	_mm512_storeu_si512(r->dst + i, _mm512_permutexvar_epi32(order, y));
}

WIDE_INLINE void elementwise_store_some(
	const struct elementwise_row *r, size_t i, size_t n, wide v, const bool is_signed)
{
	(void)is_signed; /* what is clamped lies in the type's range, whose lower 8 bits it is */
	_mm512_mask_cvtepi32_storeu_epi8(
		r->dst + i, elementwise_lanes(n), wide_clamp(v, r->lo, r->hi));
}

WIDE_INLINE wide elementwise_load_s16(const struct elementwise_operand *from, size_t i, size_t n)
{
	const int16_t *at = (const int16_t *)from->at;
	return from->step
		? _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(elementwise_lanes(n), at + i))
		: wide_all(*at);
}

WIDE_INLINE void elementwise_store_s16(const struct elementwise_row *r, size_t i, size_t n, wide v)
{
	_mm512_mask_cvtepi32_storeu_epi16((int16_t *)r->dst + i, elementwise_lanes(n), v);
}

#endif
