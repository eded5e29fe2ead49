/* SPDX-License-Identifier: Apache-2.0 */
/* pair_avx512 - pair.h with 16 lanes */
#ifndef KERNELS_X86_PAIR_AVX512_H
#define KERNELS_X86_PAIR_AVX512_H

#include "kernels/x86/wide_avx512.h"

#include "kernels/x86/pair.h"

WIDE_INLINE __mmask16 pair_lanes(size_t n)
{
	return (__mmask16)((1u << n) - 1);
}

WIDE_INLINE wide pair_widen(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
}

WIDE_INLINE wide pair_load(
	const struct pair_operand *from, size_t i, size_t n, const bool is_signed)
{
	if (from->step == 0) {
		return pair_widen(_mm_set1_epi8(from->at[0]), is_signed);
	}
	return pair_widen(_mm_maskz_loadu_epi8(pair_lanes(n), from->at + i), is_signed);
}

WIDE_INLINE void pair_store(
	const struct pair_row *r, size_t i, const wide v[4], const bool is_signed)
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

WIDE_INLINE void pair_store_some(
	const struct pair_row *r, size_t i, size_t n, wide v, const bool is_signed)
{
	(void)is_signed; /* what is clamped lies in the type's range, whose lower 8 bits it is */
	_mm512_mask_cvtepi32_storeu_epi8(r->dst + i, pair_lanes(n), wide_clamp(v, r->lo, r->hi));
}

WIDE_INLINE wide pair_load_s16(const struct pair_operand *from, size_t i, size_t n)
{
	const int16_t *at = (const int16_t *)from->at;
	return from->step ? _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(pair_lanes(n), at + i))
			  : wide_all(*at);
}

WIDE_INLINE void pair_store_s16(const struct pair_row *r, size_t i, size_t n, wide v)
{
	_mm512_mask_cvtepi32_storeu_epi16((int16_t *)r->dst + i, pair_lanes(n), v);
}

#endif
