/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_tile_avx512 - sums of a few pixels and a panel of channels, kept in registers
 *
 * A pixel reads segments of bytes that lie side by side: one for a product, a row of taps each for
 * a filter, or a tap each where the filter is dilated. Segments are taken by four bytes, of which
 * VPDPBUSD multiplies each with a weight; bytes beyond a segment meet weights of zero.
 *
 * Weights of a panel: [segments][fours of bytes][vectors][16 channels][4 bytes]. With four vectors
 * lane 4 l + i of vector j is channel 16 l + 4 j + i, where float_requant_pack() wants it; with fewer the
 * vectors lie one behind the other. CONV_24: three vectors of two pixels of 24 channels. CONV_8:
 * one vector of two pixels of 8 channels.
 *
 * Behind them come a panel's extra fours, which go over bytes that a four before has gone over: what
 * is left of weights that take more than 8 bits.
 *
 * Kernels of fewer than four vectors take pixels by fours (CONV_24, CONV_8: by eights) and read
 * beyond the last one; what it gives isn't stored.
 */
#ifndef KERNELS_CONV_CONV_TILE_AVX512_H
#define KERNELS_CONV_CONV_TILE_AVX512_H

#include "kernels/requant/float_requant_avx512.h"

enum conv_kind {
	CONV_16 = 1,
	CONV_32,
	CONV_48,
	CONV_64,
	CONV_24,
	CONV_8,
};

/* Where pixels read and write, the same for all of a call. */
struct conv_way {
	size_t pixel; /* bytes from what one pixel reads to the next */
	uint32_t rows, cols; /* segments */
	size_t row_step, col_step;
	size_t fours; /* of a segment */
	size_t out_pixel;
	struct float_requant_output output;
};

/* A run of pixels and one panel. */
struct conv_span {
	const uint8_t *in;
	uint8_t *out;
	const int32_t *add; /* to the sums of a pixel; NULL: nothing */
	uint32_t n; /* pixels */
	uint32_t channels; /* that are stored */
	const struct float_requant_panel *panel;
	const int8_t *weights;
	size_t extra[FLOAT_REQUANT_EXTRAS]; /* where the panel's extra fours read */
};

/* Vectors of weights, of sums for four pixels, and pixels taken at once. */
ALWAYS_INLINE int conv_vectors(const int kind)
{
	return kind == CONV_24 ? 3 : kind == CONV_8 ? 1 : kind;
}

ALWAYS_INLINE int conv_sums(const int kind, const int pixels)
{
	return kind == CONV_24 ? pixels * 3 / 2 : kind == CONV_8 ? pixels / 2 : pixels * kind;
}

ALWAYS_INLINE __m512i conv_four(const uint8_t *from)
{
	int32_t v;
	memcpy(&v, from, sizeof(v));
	return _mm512_set1_epi32(v);
}

/* @a in the lower half, a four from @b in the upper one. */
ALWAYS_INLINE __m512i conv_four_upper(__m512i a, const uint8_t *b)
{
	int32_t v;
	memcpy(&v, b, sizeof(v));
	return _mm512_mask_set1_epi32(a, 0xFF00, v);
}

/* The products of one four of bytes, of pixels by groups of four from @at[group] + @d. */
ALWAYS_INLINE void conv_step(const int kind, const int pixels, const uint8_t *const *at,
	size_t pixel, const int8_t *weights, __m512i *sums)
{
	__m512i w[4];
	const int nv = conv_vectors(kind);
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		w[j] = _mm512_load_si512(weights + 64 * j);
		FLOAT_REQUANT_HOLD(w[j]);
	}
	if (kind == CONV_8) {
#pragma GCC unroll 16
		for (int i = 0; i < pixels; i += 2) {
			const uint8_t *from = at[i / 4] + (size_t)(i % 4) * pixel;
			__m512i v = conv_four_upper(conv_four(from), from + pixel);
			FLOAT_REQUANT_DOT(sums[i / 2], v, w[0]);
		}
		return;
	}
	if (kind == CONV_24) {
#pragma GCC unroll 16
		for (int i = 0; i < pixels; i += 2) {
			const uint8_t *from = at[i / 4] + (size_t)(i % 4) * pixel;
			__m512i a = conv_four(from), b = conv_four(from + pixel);
			__m512i both = _mm512_mask_blend_epi32(0xFF00, a, b),
				*to = sums + i / 2 * 3;
			FLOAT_REQUANT_DOT(to[0], a, w[0]);
			FLOAT_REQUANT_DOT(to[1], both, w[1]);
			FLOAT_REQUANT_DOT(to[2], b, w[2]);
		}
		return;
	}
#pragma GCC unroll 16
	for (int i = 0; i < pixels; i++) {
		__m512i v = conv_four(at[i / 4] + (size_t)(i % 4) * pixel);
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			FLOAT_REQUANT_DOT(sums[i * nv + j], v, w[j]);
		}
	}
}

ALWAYS_INLINE void conv_start(
	const int kind, const int pixels, const struct conv_span *s, __m512i *sums)
{
	const int n = conv_sums(kind, pixels), nv = conv_vectors(kind);
#pragma GCC unroll 24
	for (int i = 0; i < n; i++) {
		sums[i] = float_requant_start(s->panel, i % nv);
	}
	if (!s->add) {
		return;
	}
#pragma GCC unroll 24
	for (int i = 0; i < n; i++) {
		int first = kind == CONV_24 ? i / 3 * 2 + (i % 3 == 2)
			: kind == CONV_8    ? 2 * i
					    : i / nv;
		int second = kind == CONV_24 ? i / 3 * 2 + (i % 3 > 0)
			: kind == CONV_8     ? 2 * i + 1
					     : i / nv;
		__m512i by = _mm512_set1_epi32(s->add[first]);
		by = first == second ? by : _mm512_mask_set1_epi32(by, 0xFF00, s->add[second]);
		sums[i] = _mm512_add_epi32(sums[i], by);
	}
}

ALWAYS_INLINE void conv_sum(const int kind, const int pixels, const struct conv_way *way,
	const struct conv_span *s, __m512i *sums)
{
	const int groups = (pixels + 3) / 4;
	const uint8_t *at[4] = {NULL};
	const int8_t *weights = s->weights;
	const size_t pixel = way->pixel, bytes = way->fours * 4;
	const size_t panel_bytes = way->fours * 64 * (size_t)conv_vectors(kind);
#pragma GCC unroll 4
	for (int g = 0; g < groups; g++) {
		at[g] = s->in + 4 * (size_t)g * pixel;
	}
	for (uint32_t y = 0; y < way->rows; y++) {
		for (uint32_t x = 0; x < way->cols; x++) {
			const int8_t *end = weights + panel_bytes;
			do {
				conv_step(kind, pixels, at, pixel, weights, sums);
				weights += 64 * conv_vectors(kind);
#pragma GCC unroll 4
				for (int g = 0; g < groups; g++) {
					at[g] += 4;
					__asm__("" : "+r"(at[g]));
				}
			} while (weights != end);
#pragma GCC unroll 4
			for (int g = 0; g < groups; g++) {
				at[g] += way->col_step - bytes;
			}
		}
#pragma GCC unroll 4
		for (int g = 0; g < groups; g++) {
			at[g] += way->row_step - way->cols * way->col_step;
		}
	}
}

/* The panel's extra fours. */
ALWAYS_INLINE void conv_extras(const int kind, const int pixels, const struct conv_way *way,
	const struct conv_span *s, __m512i *sums)
{
	const int groups = (pixels + 3) / 4;
	const size_t vectors = (size_t)conv_vectors(kind);
	const int8_t *weights = s->weights + way->rows * way->cols * way->fours * 64 * vectors;
	for (uint32_t i = 0; i < s->panel->extras; i++, weights += 64 * vectors) {
		const uint8_t *at[4] = {NULL};
#pragma GCC unroll 4
		for (int g = 0; g < groups; g++) {
			at[g] = s->in + 4 * (size_t)g * way->pixel + s->extra[i];
		}
		conv_step(kind, pixels, at, way->pixel, weights, sums);
	}
}

/* Sums become codes, still 32 bits each. */
ALWAYS_INLINE void conv_codes(const int kind, const int pixels, const bool clamped,
	const struct float_requant_panel *panel, __m512i *sums)
{
	const int n = conv_sums(kind, pixels), nv = conv_vectors(kind);
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		const struct line line = float_requant_load(panel, j);
#pragma GCC unroll 24
		for (int i = j; i < n; i += nv) {
			sums[i] = float_requant_codes(&line, clamped, sums[i]);
		}
	}
}

/* Whole vectors of 64 bytes where pixels lie side by side, @n of them; else pixel by pixel. */
ALWAYS_INLINE void conv_put_64(const struct float_requant_limits *limits, const int pixels,
	const struct conv_way *way, const struct conv_span *s, const __m512i *sums)
{
	uint8_t *to = s->out;
	if (s->channels == 64) {
#pragma GCC unroll 6
		for (int i = 0; i < pixels; i++, to += way->out_pixel) {
			const __m512i *v = sums + 4 * i;
			_mm512_storeu_si512(to, float_requant_pack(limits, v[0], v[1], v[2], v[3]));
		}
		return;
	}
	__mmask64 bytes = float_requant_bytes(s->channels);
#pragma GCC unroll 6
	for (int i = 0; i < pixels; i++, to += way->out_pixel) {
		const __m512i *v = sums + 4 * i;
		_mm512_mask_storeu_epi8(
			to, bytes, float_requant_pack(limits, v[0], v[1], v[2], v[3]));
	}
}

ALWAYS_INLINE void conv_put_whole(const struct float_requant_limits *limits, const int n,
	const struct conv_way *way, const struct conv_span *s, const __m512i *sums)
{
	size_t left = s->n * way->out_pixel;
	uint8_t *to = s->out;
#pragma GCC unroll 6
	for (int i = 0; i < n; i += 4, to += 64) {
		__m512i y = float_requant_pack_natural(
			limits, sums[i], sums[i + 1], sums[i + 2], sums[i + 3]);
		if (left >= 64 * (size_t)(i / 4 + 1)) {
			_mm512_storeu_si512(to, y);
		} else if (left > 64 * (size_t)(i / 4)) {
			_mm512_mask_storeu_epi8(
				to, float_requant_bytes(left - 64 * (size_t)(i / 4)), y);
		}
	}
}

/* Pixel by pixel: up to 48 channels each. */
ALWAYS_INLINE void conv_put_pieces(const struct float_requant_limits *limits, const int kind,
	const int pixels, const struct conv_way *way, const struct conv_span *s,
	const __m512i *sums)
{
	const __m512i none = _mm512_setzero_si512();
	__mmask64 bytes = float_requant_bytes(s->channels);
	uint8_t *to = s->out;
#pragma GCC unroll 16
	for (int i = 0; i < pixels; i++, to += way->out_pixel) {
		const __m512i *v = sums + kind * i;
		if ((uint32_t)i < s->n) {
			_mm512_mask_storeu_epi8(to, bytes,
				float_requant_pack_natural(limits, v[0], kind > 1 ? v[1] : none,
					kind > 2 ? v[2] : none, none));
		}
	}
}

/* Two pixels of 32 channels, or four of 16, from one vector. */
ALWAYS_INLINE void conv_put_parts(const struct float_requant_limits *limits, const int kind,
	const int pixels, const struct conv_way *way, const struct conv_span *s,
	const __m512i *sums)
{
	__mmask64 bytes = float_requant_bytes(s->channels);
	uint8_t *to = s->out;
#pragma GCC unroll 16
	for (int i = 0; i < pixels; i += 4 / kind) {
		const __m512i *v = sums + kind * i;
		__m512i y = float_requant_pack_natural(limits, v[0], v[1], v[2], v[3]);
		__m128i part[4] = {_mm512_castsi512_si128(y), _mm512_extracti32x4_epi32(y, 1),
			_mm512_extracti32x4_epi32(y, 2), _mm512_extracti32x4_epi32(y, 3)};
		for (int k = 0; k < 4 / kind; k++, to += way->out_pixel) {
			if ((uint32_t)(i + k) >= s->n) {
				return;
			}
			if (kind == CONV_16) {
				_mm_mask_storeu_epi8(to, (__mmask16)bytes, part[k]);
			} else {
				__m256i half = k ? _mm512_extracti64x4_epi64(y, 1)
						 : _mm512_castsi512_si256(y);
				_mm256_mask_storeu_epi8(to, (__mmask32)bytes, half);
			}
		}
	}
}

ALWAYS_INLINE void conv_put_of(const struct float_requant_limits *limits, const int kind,
	const int pixels, const struct conv_way *way, const struct conv_span *s,
	const __m512i *sums)
{
	if (kind == CONV_64) {
		conv_put_64(limits, pixels, way, s, sums);
	} else if (kind == CONV_24 || kind == CONV_8 || way->out_pixel == 16 * (size_t)kind) {
		conv_put_whole(limits, conv_sums(kind, pixels), way, s, sums);
	} else if (kind == CONV_48) {
		conv_put_pieces(limits, kind, pixels, way, s, sums);
	} else {
		conv_put_parts(limits, kind, pixels, way, s, sums);
	}
}

ALWAYS_INLINE void conv_put(const int kind, const int pixels, const struct conv_way *way,
	const struct conv_span *s, const __m512i *sums)
{
	const struct float_requant_limits limits = float_requant_limits(&way->output);
	conv_put_of(&limits, kind, pixels, way, s, sums);
}

/* Codes of FLOAT_REQUANT_STEPS, in memory. */
static inline void conv_steps(const struct conv_way *way, const struct float_requant_panel *panel,
	int nv, int n, __m512i *sums)
{
	for (int i = 0; i < n; i++) {
		sums[i] = _mm512_add_epi32(float_requant_steps(panel, i % nv, sums[i]),
			_mm512_set1_epi32(way->output.zero));
	}
}

ALWAYS_INLINE void conv_tile(
	const int kind, const int pixels, const struct conv_way *way, const struct conv_span *s)
{
	__m512i sums[24];
	conv_start(kind, pixels, s, sums);
	conv_sum(kind, pixels, way, s, sums);
	conv_extras(kind, pixels, way, s, sums);
	if (s->panel->mode == FLOAT_REQUANT_CLAMPED) {
		conv_codes(kind, pixels, true, s->panel, sums);
		conv_put(kind, pixels, way, s, sums);
	} else if (s->panel->mode == FLOAT_REQUANT_WHOLE) {
		conv_codes(kind, pixels, false, s->panel, sums);
		conv_put(kind, pixels, way, s, sums);
	} else {
		__m512i stored[24];
		const int n = conv_sums(kind, pixels);
#pragma GCC unroll 24
		for (int i = 0; i < n; i++) {
			stored[i] = sums[i];
		}
		conv_steps(way, s->panel, conv_vectors(kind), n, stored);
		conv_put(kind, pixels, way, s, stored);
	}
}

ALWAYS_INLINE void conv_advance(const struct conv_way *way, struct conv_span *s, uint32_t pixels)
{
	uint32_t n = pixels < s->n ? pixels : s->n;
	s->in += n * way->pixel;
	s->out += n * way->out_pixel;
	s->add = s->add ? s->add + n : NULL;
	s->n -= n;
}

#endif
