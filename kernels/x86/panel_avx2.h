/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panel_avx2 - the int32 sums of up to 16 channels become codes of 8 bits
 *
 * The two ways of panel_avx512.h, for two vectors of 8 channels.
 */
#ifndef KERNELS_X86_PANEL_AVX2_H
#define KERNELS_X86_PANEL_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/quant.h"

#define PANEL_COLS 16
#define PANEL_VECTORS 2
#define PANEL_LANES 8
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef __m256i panel_vector;

struct panel {
	__m256i start[PANEL_VECTORS]; /* of the sums: the bias */
	__m256i multiplier[PANEL_VECTORS];
	__m256i add[PANEL_VECTORS]; /* fused: rounding constant; else: left shift */
	__m256i negative[PANEL_VECTORS]; /* fused: added where the sum is negative */
	__m256i shift[PANEL_VECTORS]; /* right */
	bool fused;
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

/* Channel of lane @lane of vector @j, where the unpacking of 16-bit pairs puts it, or in order. */
ALWAYS_INLINE uint32_t panel_channel(bool unpacked, uint32_t j, uint32_t lane)
{
	return unpacked ? lane / 4 * 8 + j * 4 + lane % 4 : j * 8 + lane;
}

static inline bool panel_is_fused(
	const int32_t *bias, const struct ek_scale *scale, uint32_t n, uint64_t products)
{
	const int64_t limit = 1 << 29;
	bool fused = products < (uint64_t)limit;
	for (uint32_t i = 0; i < n && fused; i++) {
		int64_t b = bias ? bias[i] : 0, room = limit - (int64_t)products;
		fused = b < room && -b < room && scale[i].shift <= 0 && scale[i].shift >= -30;
	}
	return fused;
}

/*
 * Makes the panel of @n channels, whose sums start at @bias (may be NULL). @scale: NULL where
 * nothing but the start is asked for. @products: what a sum of products may reach, away from zero.
 */
static inline void panel_init(struct panel *p, bool unpacked, const int32_t *bias,
	const struct ek_scale *scale, uint32_t n, uint64_t products)
{
	memset(p, 0, sizeof(*p));
	p->fused = scale && panel_is_fused(bias, scale, n, products);
	for (uint32_t at = 0; at < PANEL_COLS; at++) {
		uint32_t channel = panel_channel(unpacked, at / PANEL_LANES, at % PANEL_LANES);
		if (channel >= n) {
			continue;
		}
		struct ek_scale s = scale ? scale[channel] : (struct ek_scale){0, 0};
		int32_t right = s.shift < 0 ? -s.shift : 0, left = s.shift > 0 ? s.shift : 0;
		((int32_t *)p->start)[at] = bias ? bias[channel] : 0;
		((int32_t *)p->multiplier)[at] = s.multiplier;
		((int32_t *)p->add)[at] = !p->fused ? left : right ? 1 + (1 << right) : 1;
		((int32_t *)p->negative)[at] = p->fused && right ? -2 : 0;
		((int32_t *)p->shift)[at] = right + p->fused;
	}
}

/* Adds @start (NULL: nothing) to where the sums start. */
static inline void panel_add_start(struct panel *p, const int32_t *start)
{
	for (int j = 0; start && j < PANEL_VECTORS; j++) {
		__m256i by = _mm256_loadu_si256((const __m256i *)start + j);
		p->start[j] = _mm256_add_epi32(p->start[j], by);
	}
}

ALWAYS_INLINE __m256i panel_requant_fused(const struct panel *p, int j, __m256i sum)
{
	__m256i x = _mm256_slli_epi32(sum, 2);
	__m256i even = _mm256_mul_epi32(x, p->multiplier[j]);
	__m256i odd =
		_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(p->multiplier[j], 32));
	__m256i w = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
	__m256i negative = _mm256_and_si256(_mm256_srai_epi32(sum, 31), p->negative[j]);
	w = _mm256_add_epi32(_mm256_add_epi32(w, p->add[j]), negative);
	return _mm256_srav_epi32(w, p->shift[j]);
}

ALWAYS_INLINE __m256i panel_requant_total(const struct panel *p, int j, __m256i sum)
{
	const __m256i half = _mm256_set1_epi64x(1 << 30), one = _mm256_set1_epi32(1);
	__m256i x = _mm256_sllv_epi32(sum, p->add[j]);
	__m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, p->multiplier[j]), half);
	__m256i odd =
		_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(p->multiplier[j], 32));
	odd = _mm256_add_epi64(odd, half);
	__m256i high =
		_mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
	__m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, p->shift[j]), one);
	__m256i threshold =
		_mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(high, 31));
	__m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
	return _mm256_sub_epi32(_mm256_srav_epi32(high, p->shift[j]), up);
}

/* Requantised, with the zero point added. */
ALWAYS_INLINE void panel_requant(
	const struct panel *p, const struct panel_output *o, __m256i v[PANEL_VECTORS])
{
	const __m256i zero = _mm256_set1_epi32(o->zero);
	for (int j = 0; j < PANEL_VECTORS; j++) {
		__m256i y = p->fused ? panel_requant_fused(p, j, v[j])
				     : panel_requant_total(p, j, v[j]);
		v[j] = _mm256_add_epi32(y, zero);
	}
}

/* The first @n channels as codes. */
ALWAYS_INLINE void panel_store(const struct panel_output *o, bool unpacked,
	const __m256i v[PANEL_VECTORS], uint32_t n, uint8_t *to)
{
	__m256i words = _mm256_packs_epi32(v[0], v[1]);
	words = unpacked ? words : _mm256_permute4x64_epi64(words, 0xD8);
	__m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
	__m128i lo = _mm_set1_epi8((char)o->lo), hi = _mm_set1_epi8((char)o->hi);
	__m128i y = o->is_signed ? _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(low, high), lo), hi)
				 : _mm_min_epu8(_mm_max_epu8(_mm_packus_epi16(low, high), lo), hi);
	if (n == PANEL_COLS) {
		_mm_storeu_si128((__m128i *)to, y);
		return;
	}
	if (n == 8) {
		_mm_storel_epi64((__m128i *)to, y);
		return;
	}
	uint8_t codes[16];
	_mm_storeu_si128((__m128i *)codes, y);
	memcpy(to, codes, n);
}

/* 16 codes less their zero point. */
ALWAYS_INLINE __m256i panel_widen(bool is_signed, __m128i codes, __m256i zero)
{
	__m256i x = is_signed ? _mm256_cvtepi8_epi16(codes) : _mm256_cvtepu8_epi16(codes);
	return _mm256_sub_epi16(x, zero);
}

/* The first @n of 16 codes; the others are zero. */
ALWAYS_INLINE __m128i panel_load(const uint8_t *from, size_t n)
{
	if (n >= 16) {
		return _mm_loadu_si128((const __m128i *)from);
	}
	if (n == 8) { /* common, and copying by a length is a call */
		return _mm_loadl_epi64((const __m128i *)from);
	}
	uint8_t codes[16] = {0};
	memcpy(codes, from, n);
	return _mm_loadu_si128((const __m128i *)codes);
}

/* The products of two taps of @n channels, added to the sums in the order of the unpacking. */
ALWAYS_INLINE void panel_two_taps(bool is_signed, const uint8_t *const at[2], uint32_t n,
	int32_t zero, const int16_t *weights, __m256i sums[PANEL_VECTORS])
{
	const __m256i z = _mm256_set1_epi16((int16_t)zero);
	const __m256i *w = (const __m256i *)weights;
	__m256i x = panel_widen(is_signed, panel_load(at[0], n), z);
	__m256i y = panel_widen(is_signed, panel_load(at[1], n), z);
	__m256i low = _mm256_unpacklo_epi16(x, y), high = _mm256_unpackhi_epi16(x, y);
	sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, w[0]));
	sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, w[1]));
}

/* Three rows of one column, widened: the first two by pairs, the third with zeros. */
struct panel_column {
	__m256i pairs[PANEL_VECTORS], last[PANEL_VECTORS];
};

ALWAYS_INLINE struct panel_column panel_column(
	bool is_signed, const uint8_t *const at[3], uint32_t n, int32_t zero)
{
	const __m256i z = _mm256_set1_epi16((int16_t)zero), none = _mm256_setzero_si256();
	__m256i a = panel_widen(is_signed, panel_load(at[0], n), z);
	__m256i b = panel_widen(is_signed, panel_load(at[1], n), z);
	__m256i c = panel_widen(is_signed, panel_load(at[2], n), z);
	return (struct panel_column){
		.pairs = {_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)},
		.last = {_mm256_unpacklo_epi16(c, none), _mm256_unpackhi_epi16(c, none)},
	};
}

/* Its products with [pairs, last][vectors][channels][2] weights, added to the sums. */
ALWAYS_INLINE void panel_add_column(
	const struct panel_column *column, const int16_t *weights, __m256i sums[PANEL_VECTORS])
{
	const __m256i *w = (const __m256i *)weights;
	for (int j = 0; j < PANEL_VECTORS; j++) {
		__m256i x = _mm256_madd_epi16(column->pairs[j], _mm256_loadu_si256(w + j));
		__m256i y = _mm256_madd_epi16(
			column->last[j], _mm256_loadu_si256(w + PANEL_VECTORS + j));
		sums[j] = _mm256_add_epi32(sums[j], _mm256_add_epi32(x, y));
	}
}

/* ek_round32() of four sums times their scales, as round32() of matmul_avx512vnni.c. */
ALWAYS_INLINE __m128i panel_rescale_4(__m128i sums, const double *scale)
{
	const __m256d half = _mm256_set1_pd(0x1.fffffffffffffp-2);
	__m256d x = _mm256_mul_pd(_mm256_cvtepi32_pd(sums), _mm256_loadu_pd(scale));
	__m256d sign = _mm256_and_pd(x, _mm256_set1_pd(-0.0));
	__m256d y = _mm256_add_pd(x, _mm256_or_pd(half, sign));
	y = _mm256_round_pd(y, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	y = _mm256_min_pd(y, _mm256_set1_pd(2147483647.0));
	y = _mm256_max_pd(y, _mm256_set1_pd(-2147483648.0));
	return _mm256_cvttpd_epi32(y);
}

ALWAYS_INLINE __m256i panel_rescale(__m256i sums, const double *scale)
{
	return _mm256_set_m128i(panel_rescale_4(_mm256_extracti128_si256(sums, 1), scale + 4),
		panel_rescale_4(_mm256_castsi256_si128(sums), scale));
}

/* Codes of 32 bits, with the zero point and in their limits, in memory. */
ALWAYS_INLINE void panel_store_32(const struct panel_output *o, __m256i y, int32_t *to)
{
	y = _mm256_add_epi32(y, _mm256_set1_epi32(o->zero));
	y = _mm256_max_epi32(y, _mm256_set1_epi32(o->lo));
	y = _mm256_min_epi32(y, _mm256_set1_epi32(o->hi));
	_mm256_storeu_si256((__m256i *)to, y);
}

#endif
