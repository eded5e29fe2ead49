/* SPDX-License-Identifier: Apache-2.0 */
/* pair_avx512 - a function of two rows of codes, 64 of 8 bits or 16 of 16 bits at a time */
#ifndef KERNELS_X86_PAIR_AVX512_H
#define KERNELS_X86_PAIR_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels/line.h"

#define PAIR_INLINE static inline __attribute__((always_inline))

/* 16 codes of each operand become results, which are clamped afterwards. */
typedef __m512i pair_fn(const void *state, __m512i a, __m512i b);

struct pair_operand {
	const char *at;
	size_t step; /* 0: one code for the whole row */
};

struct pair_row {
	struct pair_operand a, b;
	char *dst;
	size_t n;
	int32_t lo, hi;
};

PAIR_INLINE __m512i pair_widen(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
}

PAIR_INLINE __m512i pair_load(
	const struct pair_operand *from, size_t i, __mmask16 lanes, const bool is_signed)
{
	if (from->step == 0) {
		return pair_widen(_mm_set1_epi8(from->at[0]), is_signed);
	}
	return pair_widen(_mm_maskz_loadu_epi8(lanes, from->at + i), is_signed);
}

/* Results in the order of the elements, saturated and clamped. */
PAIR_INLINE __m512i pair_pack(const struct pair_row *r, const __m512i v[4], const bool is_signed)
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
	return _mm512_permutexvar_epi32(order, y);
}

/* One call of @fn at the end of a row. */
PAIR_INLINE void pair_rest(
	const struct pair_row *r, size_t i, const bool is_signed, pair_fn *fn, const void *state)
{
	size_t left = r->n - i;
	__mmask16 lanes = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
	__m512i y = fn(state, pair_load(&r->a, i, lanes, is_signed),
		pair_load(&r->b, i, lanes, is_signed));
	y = _mm512_max_epi32(y, _mm512_set1_epi32(r->lo));
	y = _mm512_min_epi32(y, _mm512_set1_epi32(r->hi));
	_mm512_mask_cvtepi32_storeu_epi8(r->dst + i, lanes, y);
}

PAIR_INLINE void pair_run(
	const struct pair_row *r, const bool is_signed, pair_fn *fn, const void *state)
{
	size_t i = 0;
	for (; i + 64 <= r->n; i += 64) {
		__m512i v[4];
		for (size_t k = 0; k < 4; k++) {
			v[k] = fn(state, pair_load(&r->a, i + 16 * k, 0xFFFF, is_signed),
				pair_load(&r->b, i + 16 * k, 0xFFFF, is_signed));
		}
		_mm512_storeu_si512(r->dst + i, pair_pack(r, v, is_signed));
	}
	for (; i < r->n; i += 16) {
		pair_rest(r, i, is_signed, fn, state);
	}
}

PAIR_INLINE __m512i pair_load_s16(const struct pair_operand *from, size_t i, __mmask16 lanes)
{
	const int16_t *at = (const int16_t *)from->at;
	return from->step ? _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(lanes, at + i))
			  : _mm512_set1_epi32(*at);
}

/* The same for int16 codes. */
PAIR_INLINE void pair_run_s16(const struct pair_row *r, pair_fn *fn, const void *state)
{
	for (size_t i = 0; i < r->n; i += 16) {
		size_t left = r->n - i;
		__mmask16 lanes = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
		__m512i y =
			fn(state, pair_load_s16(&r->a, i, lanes), pair_load_s16(&r->b, i, lanes));
		y = _mm512_max_epi32(y, _mm512_set1_epi32(r->lo));
		y = _mm512_min_epi32(y, _mm512_set1_epi32(r->hi));
		_mm512_mask_cvtepi32_storeu_epi16((int16_t *)r->dst + i, lanes, y);
	}
}

/* What kernels/line.h says of v. */
PAIR_INLINE __m512i pair_round(__m512 v, enum ek_line_form form, __m512 half, __m512i zero)
{
	if (form == LINE_NEAREST) {
		return _mm512_cvtps_epi32(v);
	}
	__m512 sign = _mm512_and_ps(v, _mm512_set1_ps(-0.0f));
	v = _mm512_add_ps(v, _mm512_or_ps(sign, half));
	return _mm512_add_epi32(_mm512_cvttps_epi32(v), zero);
}

#endif
