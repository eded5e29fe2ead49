/* SPDX-License-Identifier: Apache-2.0 */
/* pair_avx2 - a function of two rows of codes, 32 of 8 bits or 8 of 16 bits at a time */
#ifndef KERNELS_X86_PAIR_AVX2_H
#define KERNELS_X86_PAIR_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/line.h"

#define PAIR_INLINE static inline __attribute__((always_inline))

/* 8 codes of each operand become results, which are clamped afterwards. */
typedef __m256i pair_fn(const void *state, __m256i a, __m256i b);

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

PAIR_INLINE __m256i pair_widen(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes);
}

/* @n: codes that may be read, from 1 to 8. */
PAIR_INLINE __m256i pair_load(
	const struct pair_operand *from, size_t i, size_t n, const bool is_signed)
{
	if (from->step == 0) {
		return pair_widen(_mm_set1_epi8(from->at[0]), is_signed);
	}
	int64_t codes = 0;
	memcpy(&codes, from->at + i, n);
	return pair_widen(_mm_cvtsi64_si128(codes), is_signed);
}

/* Results in the order of the elements, saturated and clamped. */
PAIR_INLINE __m256i pair_pack(const struct pair_row *r, const __m256i v[4], const bool is_signed)
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

/* One call of @fn for up to 8 elements. */
PAIR_INLINE void pair_rest(const struct pair_row *r, size_t i, size_t n, const bool is_signed,
	pair_fn *fn, const void *state)
{
	__m256i v[4] = {
		fn(state, pair_load(&r->a, i, n, is_signed), pair_load(&r->b, i, n, is_signed))};
	v[1] = v[2] = v[3] = v[0];
	__m256i y = pair_pack(r, v, is_signed);
	int64_t codes = _mm_cvtsi128_si64(_mm256_castsi256_si128(y));
	memcpy(r->dst + i, &codes, n);
}

PAIR_INLINE void pair_run(
	const struct pair_row *r, const bool is_signed, pair_fn *fn, const void *state)
{
	size_t i = 0;
	for (; i + 32 <= r->n; i += 32) {
		__m256i v[4];
		for (size_t k = 0; k < 4; k++) {
			v[k] = fn(state, pair_load(&r->a, i + 8 * k, 8, is_signed),
				pair_load(&r->b, i + 8 * k, 8, is_signed));
		}
		_mm256_storeu_si256((__m256i *)(r->dst + i), pair_pack(r, v, is_signed));
	}
	for (; i + 8 <= r->n; i += 8) {
		pair_rest(r, i, 8, is_signed, fn, state);
	}
	if (i < r->n) {
		pair_rest(r, i, r->n - i, is_signed, fn, state);
	}
}

PAIR_INLINE __m256i pair_load_s16(const struct pair_operand *from, size_t i, size_t n)
{
	const int16_t *at = (const int16_t *)from->at;
	if (from->step == 0) {
		return _mm256_set1_epi32(*at);
	}
	__m128i codes = _mm_setzero_si128();
	if (n == 8) {
		codes = _mm_loadu_si128((const __m128i *)(at + i));
	} else {
		memcpy(&codes, at + i, n * sizeof(int16_t));
	}
	return _mm256_cvtepi16_epi32(codes);
}

/* The same for int16 codes. */
PAIR_INLINE void pair_run_s16(const struct pair_row *r, pair_fn *fn, const void *state)
{
	for (size_t i = 0; i < r->n; i += 8) {
		size_t n = r->n - i < 8 ? r->n - i : 8;
		__m256i y = fn(state, pair_load_s16(&r->a, i, n), pair_load_s16(&r->b, i, n));
		y = _mm256_max_epi32(y, _mm256_set1_epi32(r->lo));
		y = _mm256_min_epi32(y, _mm256_set1_epi32(r->hi));
		y = _mm256_permute4x64_epi64(_mm256_packs_epi32(y, y), 0x08);
		__m128i codes = _mm256_castsi256_si128(y);
		if (n == 8) {
			_mm_storeu_si128((__m128i *)((int16_t *)r->dst + i), codes);
		} else {
			memcpy(r->dst + i * sizeof(int16_t), &codes, n * sizeof(int16_t));
		}
	}
}

/* What kernels/line.h says of v. */
PAIR_INLINE __m256i pair_round(__m256 v, enum ek_line_form form, __m256 half, __m256i zero)
{
	if (form == LINE_NEAREST) {
		return _mm256_cvtps_epi32(v);
	}
	__m256 sign = _mm256_and_ps(v, _mm256_set1_ps(-0.0f));
	v = _mm256_add_ps(v, _mm256_or_ps(sign, half));
	return _mm256_add_epi32(_mm256_cvttps_epi32(v), zero);
}

#endif
