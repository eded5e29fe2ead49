/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panel_sse41 - the int32 sums of up to 8 channels become codes of 8 bits
 *
 * As panel_avx2.h, for two vectors of 4 channels, by ek_mbqm() step by step. There are no shifts by
 * lanes: to the left is a multiplication, to the right is four shifts of which one lane each stays.
 */
#ifndef KERNELS_X86_PANEL_SSE41_H
#define KERNELS_X86_PANEL_SSE41_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/quant.h"

#define PANEL_COLS 8
#define PANEL_VECTORS 2
#define PANEL_LANES 4
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef __m128i panel_vector;

struct panel {
	__m128i start[PANEL_VECTORS]; /* of the sums: the bias */
	__m128i multiplier[PANEL_VECTORS];
	__m128i left[PANEL_VECTORS]; /* a power of two */
	__m128i mask[PANEL_VECTORS]; /* bits that the shift to the right drops */
	__m128i right[PANEL_VECTORS][PANEL_LANES];
};

/* What becomes of a value between requantisation and the output. */
struct panel_output {
	int32_t zero, lo, hi;
	bool is_signed; /* int8, else uint8 */
};

ALWAYS_INLINE uint32_t panel_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Channel of lane @lane of vector @j: here unpacking keeps the order. */
ALWAYS_INLINE uint32_t panel_channel(bool unpacked, uint32_t j, uint32_t lane)
{
	(void)unpacked;
	return j * PANEL_LANES + lane;
}

/*
 * Makes the panel of @n channels, whose sums start at @bias (may be NULL). @scale: NULL where
 * nothing but the start is asked for. @products counts for nothing here.
 */
static inline void panel_init(struct panel *p, bool unpacked, const int32_t *bias,
	const struct ek_scale *scale, uint32_t n, uint64_t products)
{
	(void)unpacked;
	(void)products;
	memset(p, 0, sizeof(*p));
	for (uint32_t at = 0; at < n; at++) {
		struct ek_scale s = scale ? scale[at] : (struct ek_scale){0, 0};
		uint32_t right = s.shift < 0 ? (uint32_t)-s.shift : 0;
		uint32_t left = s.shift > 0 ? (uint32_t)s.shift : 0;
		((int32_t *)p->start)[at] = bias ? bias[at] : 0;
		((int32_t *)p->multiplier)[at] = s.multiplier;
		((uint32_t *)p->left)[at] = left < 32 ? 1u << left : 0;
		((uint32_t *)p->mask)[at] = (1u << right) - 1;
		p->right[at / PANEL_LANES][at % PANEL_LANES] = _mm_cvtsi32_si128((int)right);
	}
}

/* Adds @start (NULL: nothing) to where the sums start. */
static inline void panel_add_start(struct panel *p, const int32_t *start)
{
	for (int j = 0; start && j < PANEL_VECTORS; j++) {
		__m128i by = _mm_loadu_si128((const __m128i *)start + j);
		p->start[j] = _mm_add_epi32(p->start[j], by);
	}
}

ALWAYS_INLINE __m128i panel_shift_right(const struct panel *p, int j, __m128i x)
{
	const __m128i *by = p->right[j];
	__m128i low = _mm_blend_epi16(_mm_sra_epi32(x, by[0]), _mm_sra_epi32(x, by[1]), 0x0C);
	__m128i high = _mm_blend_epi16(_mm_sra_epi32(x, by[2]), _mm_sra_epi32(x, by[3]), 0xC0);
	return _mm_blend_epi16(low, high, 0xF0);
}

ALWAYS_INLINE __m128i panel_requant_total(const struct panel *p, int j, __m128i sum)
{
	const __m128i half = _mm_set_epi32(0, 1 << 30, 0, 1 << 30);
	__m128i x = _mm_mullo_epi32(sum, p->left[j]), m = p->multiplier[j];
	__m128i even = _mm_add_epi64(_mm_mul_epi32(x, m), half);
	__m128i odd = _mm_mul_epi32(_mm_srli_epi64(x, 32), _mm_srli_epi64(m, 32));
	odd = _mm_slli_epi64(_mm_add_epi64(odd, half), 1);
	__m128i high = _mm_blend_epi16(_mm_srli_epi64(even, 31), odd, 0xCC);
	__m128i threshold = _mm_add_epi32(_mm_srli_epi32(p->mask[j], 1), _mm_srli_epi32(high, 31));
	__m128i up = _mm_cmpgt_epi32(_mm_and_si128(high, p->mask[j]), threshold);
	return _mm_sub_epi32(panel_shift_right(p, j, high), up);
}

/* Requantised, with the zero point added. */
ALWAYS_INLINE void panel_requant(
	const struct panel *p, const struct panel_output *o, __m128i v[PANEL_VECTORS])
{
	const __m128i zero = _mm_set1_epi32(o->zero);
	for (int j = 0; j < PANEL_VECTORS; j++) {
		v[j] = _mm_add_epi32(panel_requant_total(p, j, v[j]), zero);
	}
}

/* The first @n channels as codes. */
ALWAYS_INLINE void panel_store(const struct panel_output *o, bool unpacked,
	const __m128i v[PANEL_VECTORS], uint32_t n, uint8_t *to)
{
	(void)unpacked;
	__m128i words = _mm_packs_epi32(v[0], v[1]);
	__m128i lo = _mm_set1_epi8((char)o->lo), hi = _mm_set1_epi8((char)o->hi);
	__m128i y = o->is_signed
		? _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(words, words), lo), hi)
		: _mm_min_epu8(_mm_max_epu8(_mm_packus_epi16(words, words), lo), hi);
	uint8_t codes[16];
	if (n == PANEL_COLS) {
		_mm_storel_epi64((__m128i *)to, y);
		return;
	}
	_mm_storeu_si128((__m128i *)codes, y);
	memcpy(to, codes, n);
}

/* 8 codes less their zero point. */
ALWAYS_INLINE __m128i panel_widen(bool is_signed, __m128i codes, __m128i zero)
{
	__m128i x = is_signed ? _mm_cvtepi8_epi16(codes) : _mm_cvtepu8_epi16(codes);
	return _mm_sub_epi16(x, zero);
}

/* The first @n of 8 codes; the others are zero. */
ALWAYS_INLINE __m128i panel_load(const uint8_t *from, size_t n)
{
	if (n >= 8) {
		return _mm_loadl_epi64((const __m128i *)from);
	}
	uint8_t codes[16] = {0};
	memcpy(codes, from, n);
	return _mm_loadl_epi64((const __m128i *)codes);
}

/* The products of two taps of @n channels, added to the sums. */
ALWAYS_INLINE void panel_two_taps(bool is_signed, const uint8_t *const at[2], uint32_t n,
	int32_t zero, const int16_t *weights, __m128i sums[PANEL_VECTORS])
{
	const __m128i z = _mm_set1_epi16((int16_t)zero);
	const __m128i *w = (const __m128i *)weights;
	__m128i x = panel_widen(is_signed, panel_load(at[0], n), z);
	__m128i y = panel_widen(is_signed, panel_load(at[1], n), z);
	__m128i low = _mm_unpacklo_epi16(x, y), high = _mm_unpackhi_epi16(x, y);
	sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(low, _mm_loadu_si128(w)));
	sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(high, _mm_loadu_si128(w + 1)));
}

/* Three rows of one column, widened: the first two by pairs, the third with zeros. */
struct panel_column {
	__m128i pairs[PANEL_VECTORS], last[PANEL_VECTORS];
};

ALWAYS_INLINE struct panel_column panel_column(
	bool is_signed, const uint8_t *const at[3], uint32_t n, int32_t zero)
{
	const __m128i z = _mm_set1_epi16((int16_t)zero), none = _mm_setzero_si128();
	__m128i a = panel_widen(is_signed, panel_load(at[0], n), z);
	__m128i b = panel_widen(is_signed, panel_load(at[1], n), z);
	__m128i c = panel_widen(is_signed, panel_load(at[2], n), z);
	return (struct panel_column){
		.pairs = {_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)},
		.last = {_mm_unpacklo_epi16(c, none), _mm_unpackhi_epi16(c, none)},
	};
}

/* Its products with [pairs, last][vectors][channels][2] weights, added to the sums. */
ALWAYS_INLINE void panel_add_column(
	const struct panel_column *column, const int16_t *weights, __m128i sums[PANEL_VECTORS])
{
	const __m128i *w = (const __m128i *)weights;
	for (int j = 0; j < PANEL_VECTORS; j++) {
		__m128i x = _mm_madd_epi16(column->pairs[j], _mm_loadu_si128(w + j));
		__m128i y = _mm_madd_epi16(column->last[j], _mm_loadu_si128(w + PANEL_VECTORS + j));
		sums[j] = _mm_add_epi32(sums[j], _mm_add_epi32(x, y));
	}
}

/* ek_round32() of two sums times their scales, as round32() of matmul_avx512vnni.c. */
ALWAYS_INLINE __m128i panel_rescale_2(__m128i sums, const double *scale)
{
	const __m128d half = _mm_set1_pd(0x1.fffffffffffffp-2);
	__m128d x = _mm_mul_pd(_mm_cvtepi32_pd(sums), _mm_loadu_pd(scale));
	__m128d sign = _mm_and_pd(x, _mm_set1_pd(-0.0));
	__m128d y = _mm_add_pd(x, _mm_or_pd(half, sign));
	y = _mm_round_pd(y, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	y = _mm_min_pd(y, _mm_set1_pd(2147483647.0));
	y = _mm_max_pd(y, _mm_set1_pd(-2147483648.0));
	return _mm_cvttpd_epi32(y);
}

ALWAYS_INLINE __m128i panel_rescale(__m128i sums, const double *scale)
{
	__m128i upper = _mm_shuffle_epi32(sums, 0xEE);
	return _mm_unpacklo_epi64(panel_rescale_2(sums, scale), panel_rescale_2(upper, scale + 2));
}

/* Codes of 32 bits, with the zero point and in their limits, in memory. */
ALWAYS_INLINE void panel_store_32(const struct panel_output *o, __m128i y, int32_t *to)
{
	y = _mm_add_epi32(y, _mm_set1_epi32(o->zero));
	y = _mm_max_epi32(y, _mm_set1_epi32(o->lo));
	y = _mm_min_epi32(y, _mm_set1_epi32(o->hi));
	_mm_storeu_si128((__m128i *)to, y);
}

#endif
