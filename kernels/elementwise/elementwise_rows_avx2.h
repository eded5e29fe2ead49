/* SPDX-License-Identifier: Apache-2.0 */
/* elementwise_rows_avx2 - elementwise_rows_x86.h with 8 lanes */
#ifndef KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_AVX2_H
#define KERNELS_ELEMENTWISE_ELEMENTWISE_ROWS_AVX2_H

#include <string.h>

#include "kernels/simd/lanes_avx2.h"

#include "kernels/elementwise/elementwise_rows_x86.h"

WIDE_INLINE wide elementwise_widen(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes);
}

WIDE_INLINE wide elementwise_load(
	const struct elementwise_operand *from, size_t i, size_t n, const bool is_signed)
{
	if (from->step == 0) {
		return elementwise_widen(_mm_set1_epi8(from->at[0]), is_signed);
	}
	if (n == WIDE_LANES) {
		return elementwise_widen(_mm_loadu_si64(from->at + i), is_signed);
	}
	int64_t codes = 0;
	memcpy(&codes, from->at + i, n);
	return elementwise_widen(_mm_cvtsi64_si128(codes), is_signed);
}

WIDE_INLINE __m256i elementwise_pack(
	const struct elementwise_row *r, const wide v[4], const bool is_signed)
{
	const __m256i order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
	__m256i low = _mm256_packs_epi32(v[0], v[1]), high = _mm256_packs_epi32(v[2], v[3]);
	__m256i lo = _mm256_set1_epi8((char)r->lo), hi = _mm256_set1_epi8((char)r->hi);
	__m256i y;
	if (is_signed) {
		y = _mm256_packs_epi16(low, high);
		y = _mm256_min_epi8(_mm256_max_epi8(y, lo), hi);
	} else {
		y = _mm256_packus_epi16(low, high);
		y = _mm256_min_epu8(_mm256_max_epu8(y, lo), hi);
	}
	return _mm256_permutevar8x32_epi32(y, order);
}

WIDE_INLINE void elementwise_store(
	const struct elementwise_row *r, size_t i, const wide v[4], const bool is_signed)
{
	_mm256_storeu_si256((__m256i *)(r->dst + i), elementwise_pack(r, v, is_signed));
}

WIDE_INLINE void elementwise_store_some(
	const struct elementwise_row *r, size_t i, size_t n, wide v, const bool is_signed)
{
	__m256i y = elementwise_pack(r, (const wide[4]){v, v, v, v}, is_signed);
	__m128i codes = _mm256_castsi256_si128(y);
	if (n == WIDE_LANES) {
		_mm_storeu_si64(r->dst + i, codes);
	} else {
		memcpy(r->dst + i, &codes, n);
	}
}

WIDE_INLINE wide elementwise_load_s16(const struct elementwise_operand *from, size_t i, size_t n)
{
	const int16_t *at = (const int16_t *)from->at;
	if (from->step == 0) {
		return wide_all(*at);
	}
	__m128i codes = _mm_setzero_si128();
	if (n == WIDE_LANES) {
		codes = _mm_loadu_si128((const __m128i *)(at + i));
	} else {
		memcpy(&codes, at + i, n * sizeof(int16_t));
	}
	return _mm256_cvtepi16_epi32(codes);
}

WIDE_INLINE void elementwise_store_s16(const struct elementwise_row *r, size_t i, size_t n, wide v)
{
	v = _mm256_permute4x64_epi64(_mm256_packs_epi32(v, v), 0x08);
	__m128i codes = _mm256_castsi256_si128(v);
	int16_t *to = (int16_t *)r->dst + i;
	if (n == WIDE_LANES) {
		_mm_storeu_si128((__m128i *)to, codes);
	} else {
		memcpy(to, &codes, n * sizeof(int16_t));
	}
}

#endif
