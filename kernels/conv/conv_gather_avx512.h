/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_gather_avx512 - 3x3 filters of pictures with three channels
 *
 * The 27 bytes that an output pixel reads are nine fours row by row, but no more than seven where
 * the last byte of each of the rows shares one. They are gathered for 16 neighbouring pixels at
 * once: vector f has four f of each. The fours are bytes 0-3 and 4-7 of the three rows, then byte 8
 * of each of them and a zero.
 *
 * Pixels are read where they are, 128 bytes of each row for 16 of them. What of these lies outside of
 * the row is never read, but taken for padding; a row outside of the picture is one of padding.
 *
 * The seven vectors go to memory, one row of fours each, for the kernels of conv_tile_avx512.h. With
 * 8 output channels they stay in registers: a vector is 16 pixels of one channel, and their order
 * in it is the one that puts whole pixels side by side in the end.
 */
#ifndef KERNELS_CONV_CONV_GATHER_AVX512_H
#define KERNELS_CONV_CONV_GATHER_AVX512_H

#include "kernels/conv/conv_tile_avx512.h"

#define GATHER_FOURS 7
#define GATHER_PIXELS 16
#define GATHER_READS 128 /* bytes from the first one of 16 pixels on, at a stride of up to 2 */

/* Where byte @i of four @four is in a filter of 27 weights; 27 where it is none. */
ALWAYS_INLINE size_t gather_weight(size_t four, size_t i)
{
	return four < 6 ? four / 2 * 9 + four % 2 * 4 + i : i < 3 ? i * 9 + 8 : 27;
}

struct gather {
	__m512i first, second, last; /* bytes of 128 */
	__m512i padding,
		sign; /* the zero point as it is in the picture; what makes codes unsigned */
	size_t step; /* bytes from 16 pixels to the next ones */
	size_t left,
		right; /* of a row with its padding: where bytes of the picture begin and end */
};

/* The three rows that pixels read, from byte @at of each with its padding on. */
struct gather_rows {
	const uint8_t *row[3]; /* byte 0, which need not be there */
	size_t at;
};

/* Pixel of a lane: in order, or as gather_8() wants them. */
ALWAYS_INLINE uint32_t gather_pixel(uint32_t lane, bool by_8)
{
	return by_8 ? lane % 4 / 2 * 8 + lane / 4 * 2 + lane % 2 : lane;
}

/* All but the padding. */
static inline struct gather gather_init(const struct ek_window_axis *x, bool by_8)
{
	uint8_t at[3][64];
	for (uint32_t lane = 0; lane < GATHER_PIXELS; lane++) {
		uint32_t from = gather_pixel(lane, by_8) * x->stride * 3;
		for (uint32_t i = 0; i < 4; i++) {
			at[0][4 * lane + i] = (uint8_t)(from + i);
			at[1][4 * lane + i] = (uint8_t)(from + 4 + i);
			at[2][4 * lane + i] = (uint8_t)(from + 8);
		}
	}
	return (struct gather){.first = _mm512_loadu_si512(at[0]),
		.second = _mm512_loadu_si512(at[1]),
		.last = _mm512_loadu_si512(at[2]),
		.step = (size_t)GATHER_PIXELS * x->stride * 3,
		.left = (size_t)x->pad * 3,
		.right = ((size_t)x->pad + x->in) * 3};
}

/* Which of 64 bytes of a row are the picture's. */
ALWAYS_INLINE __mmask64 gather_inside(const struct gather *g, size_t at)
{
	__mmask64 end = g->right > at ? float_requant_bytes(g->right - at) : 0;
	return g->left > at ? end & ~float_requant_bytes(g->left - at) : end;
}

/* 128 bytes of each of three rows. */
ALWAYS_INLINE void gather_load(
	const struct gather *g, const struct gather_rows *rows, __m512i low[3], __m512i high[3])
{
	const size_t at = rows->at;
	if (at >= g->left && at + GATHER_READS <= g->right) {
#pragma GCC unroll 3
		for (int k = 0; k < 3; k++) {
			low[k] = _mm512_loadu_si512(rows->row[k] + at);
			high[k] = _mm512_loadu_si512(rows->row[k] + at + 64);
		}
		return;
	}
	const __mmask64 in_low = gather_inside(g, at), in_high = gather_inside(g, at + 64);
	/* Where nothing is read no page should be missed either: it would cost hundreds of cycles. */
	const size_t high_at = in_high ? at + 64 : at;
#pragma GCC unroll 3
	for (int k = 0; k < 3; k++) {
		low[k] = _mm512_mask_loadu_epi8(g->padding, in_low, rows->row[k] + at);
		high[k] = _mm512_mask_loadu_epi8(g->padding, in_high, rows->row[k] + high_at);
	}
}

/* The fours of 16 pixels. */
ALWAYS_INLINE void gather_fours(
	const struct gather *g, const struct gather_rows *rows, __m512i fours[GATHER_FOURS])
{
	__m512i low[3], high[3];
	gather_load(g, rows, low, high);
	fours[6] = _mm512_setzero_si512();
#pragma GCC unroll 3
	for (int k = 0; k < 3; k++) {
		const __mmask64 byte = 0x1111111111111111ull << k;
		low[k] = _mm512_xor_si512(low[k], g->sign);
		high[k] = _mm512_xor_si512(high[k], g->sign);
		fours[2 * k] = _mm512_permutex2var_epi8(low[k], g->first, high[k]);
		fours[2 * k + 1] = _mm512_permutex2var_epi8(low[k], g->second, high[k]);
		fours[6] = _mm512_or_si512(
			fours[6], _mm512_maskz_permutex2var_epi8(byte, low[k], g->last, high[k]));
	}
}

/* The fours of @n pixels to rows of @to_row bytes, which take whole vectors. */
static inline void gather_row(const struct gather *g, const struct gather_rows *from, uint32_t n,
	uint8_t *to, size_t to_row)
{
	struct gather_rows rows = *from;
	for (uint32_t x = 0; x < n; x += GATHER_PIXELS, to += 64, rows.at += g->step) {
		__m512i fours[GATHER_FOURS];
		gather_fours(g, &rows, fours);
#pragma GCC unroll 7
		for (int k = 0; k < GATHER_FOURS; k++) {
			_mm512_storeu_si512(to + (size_t)k * to_row, fours[k]);
		}
	}
}

ALWAYS_INLINE __m512i gather_sums(const struct float_requant_panel *p, const int8_t *weights,
	int channel, const __m512i *fours, const __m512i *extras)
{
	const int8_t *w = weights + 4 * channel;
	__m512i sum = _mm512_set1_epi32(p->start[channel]);
#pragma GCC unroll 7
	for (int k = 0; k < GATHER_FOURS; k++, w += 64) {
		sum = _mm512_dpbusd_epi32(sum, fours[k], conv_four((const uint8_t *)w));
	}
	for (uint32_t i = 0; i < p->extras; i++, w += 64) {
		sum = _mm512_dpbusd_epi32(sum, extras[i], conv_four((const uint8_t *)w));
	}
	return sum;
}

/* Four channels of 16 pixels: in each 128 bits the four of each of four pixels. */
ALWAYS_INLINE __m512i gather_channels(const struct conv_span *s,
	const struct float_requant_limits *limits, const bool clamped, int first,
	const __m512i *fours, const __m512i *extras)
{
	const struct float_requant_panel *p = s->panel;
	const __m512i order = _mm512_broadcast_i32x4(
		_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
	__m512i y[4];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		int c = first + i;
		const struct line line = {_mm512_set1_ps(p->high[c]), _mm512_set1_ps(p->low[c]),
			_mm512_set1_ps(p->rho[c]), _mm512_set1_ps(p->origin[c]),
			_mm512_set1_ps(p->step[c])};
		y[i] = float_requant_codes(
			&line, clamped, gather_sums(p, s->weights, c, fours, extras));
	}
	return _mm512_shuffle_epi8(float_requant_pack(limits, y[0], y[1], y[2], y[3]), order);
}

/* The fours that the panel's extra ones go over. */
ALWAYS_INLINE void gather_extras(const struct float_requant_panel *p,
	const __m512i fours[GATHER_FOURS], __m512i extras[FLOAT_REQUANT_EXTRAS])
{
	if (p->extras > 0) {
		__m512i stored[GATHER_FOURS];
#pragma GCC unroll 7
		for (int k = 0; k < GATHER_FOURS; k++) {
			stored[k] = fours[k];
		}
		for (uint32_t i = 0; i < p->extras; i++) {
			extras[i] = stored[p->extra[i]];
		}
	}
}

ALWAYS_INLINE void gather_8_row(const struct gather *g, struct gather_rows rows,
	const struct conv_way *way, const struct conv_span *s, const bool clamped)
{
	const struct float_requant_limits limits = float_requant_limits(&way->output);
	uint8_t *to = s->out;
	for (size_t left = 8 * (size_t)s->n;; to += 128, left -= 128, rows.at += g->step) {
		__m512i fours[GATHER_FOURS], extras[FLOAT_REQUANT_EXTRAS];
		gather_fours(g, &rows, fours);
		gather_extras(s->panel, fours, extras);
		__m512i a = gather_channels(s, &limits, clamped, 0, fours, extras);
		__m512i b = gather_channels(s, &limits, clamped, 4, fours, extras);
		__m512i low = _mm512_unpacklo_epi32(a, b), high = _mm512_unpackhi_epi32(a, b);
		_mm512_mask_storeu_epi8(to, float_requant_bytes(left), low);
		if (left > 64) {
			_mm512_mask_storeu_epi8(to + 64, float_requant_bytes(left - 64), high);
		}
		if (left <= 128) {
			return;
		}
	}
}

/* 16 or 32 output channels: all weights stay in registers. */
ALWAYS_INLINE void gather_tiles(const int kind, const int pixels, const struct conv_way *way,
	struct conv_span s, const bool clamped)
{
	__m512i w[GATHER_FOURS * 2], sums[8];
#pragma GCC unroll 14
	for (int i = 0; i < GATHER_FOURS * kind; i++) {
		w[i] = _mm512_load_si512(s.weights + 64 * i);
		FLOAT_REQUANT_HOLD(w[i]);
	}
	while (s.n > 0) {
#pragma GCC unroll 8
		for (int i = 0; i < pixels * kind; i++) {
			sums[i] = float_requant_start(s.panel, i % kind);
		}
#pragma GCC unroll 7
		for (int k = 0; k < GATHER_FOURS; k++) {
			const uint8_t *in = s.in + (size_t)k * way->row_step;
#pragma GCC unroll 8
			for (int i = 0; i < pixels; i++) {
				__m512i v = conv_four(in + 4 * i);
#pragma GCC unroll 2
				for (int j = 0; j < kind; j++) {
					sums[i * kind + j] = _mm512_dpbusd_epi32(
						sums[i * kind + j], v, w[k * kind + j]);
				}
			}
		}
		const int8_t *more = s.weights + 64 * GATHER_FOURS * kind;
		for (uint32_t k = 0; k < s.panel->extras; k++, more += 64 * kind) {
			const uint8_t *in = s.in + s.panel->extra[k] * way->row_step;
#pragma GCC unroll 8
			for (int i = 0; i < pixels * kind; i++) {
				__m512i v = conv_four(in + 4 * (i / kind));
				sums[i] = _mm512_dpbusd_epi32(
					sums[i], v, _mm512_load_si512(more + 64 * (i % kind)));
			}
		}
		conv_codes(kind, pixels, clamped, s.panel, sums);
		conv_put(kind, pixels, way, &s, sums);
		conv_advance(way, &s, (uint32_t)pixels);
	}
}

#define GATHER_DEFINE(kind, pixels)                                                                \
	static inline void gather_tiles_##kind(                                                    \
		const struct conv_way *way, const struct conv_span *s)                             \
	{                                                                                          \
		if (s->panel->mode == FLOAT_REQUANT_CLAMPED) {                                     \
			gather_tiles(kind, pixels, way, *s, true);                                 \
		} else {                                                                           \
			gather_tiles(kind, pixels, way, *s, false);                                \
		}                                                                                  \
	}

GATHER_DEFINE(CONV_16, 8)
GATHER_DEFINE(CONV_32, 4)

/* A row of 8 output channels; no FLOAT_REQUANT_STEPS or sums. */
static inline void gather_8(const struct gather *g, const struct gather_rows *rows,
	const struct conv_way *way, const struct conv_span *s)
{
	if (s->panel->mode == FLOAT_REQUANT_CLAMPED) {
		gather_8_row(g, *rows, way, s, true);
	} else {
		gather_8_row(g, *rows, way, s, false);
	}
}

#endif
