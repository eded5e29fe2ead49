/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_ymm_tile - outputs of a strip: dot products by columns, then codes */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_YMM_TILE_H
#define KERNELS_DEPTHWISE_DEPTHWISE_YMM_TILE_H

#include "kernels/requant/store_codes_ymm.h"

/* How strips of a panel are gone through; bytes. */
struct strip_way {
	uint32_t taps, groups;
	size_t pixel,
		tap; /* from one output's first column to the next one's, and from tap to tap */
	uint32_t out_rows; /* of the packed weights */
	size_t out_pixel, out_row;
	struct vec_limits limits;
};

struct strip {
	const uint8_t *in; /* the first output's first column */
	vec *sums; /* room for as many outputs as are made at once */
	uint8_t *out;
	uint32_t n; /* outputs of a row */
	uint32_t channels;
	const struct float_requant_panel *panel;
	const uint8_t *weights;
};

/*
 * The sums of vector @v of eight outputs, @rows rows of them, to [rows][outputs][vectors] of which a row
 * is @row vectors. @k taps by @k and their stride, constants: each column is read once for all outputs
 * that it is in.
 */
ALWAYS_INLINE void sums_of_square(const int k, const int stride, const int vectors, const int rows,
	const struct strip *s, const int v, const uint8_t *in, vec *sums, size_t row)
{
	const int pixels = 8 / rows, groups = (k + SOURCE_CODES - 1) / SOURCE_CODES;
	const int out_rows = stride == 1 ? 2 : 1; /* of the packed weights */
	const uint8_t *w = s->weights + v * VEC_BYTES;
	vec acc[8];
	if (k * groups * out_rows > 6) {
		__asm__("" : "+r"(w)); /* more than registers can keep: not to be read ahead */
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		acc[i] = float_requant_start(s->panel, v);
	}
#pragma GCC unroll 20
	for (int c = 0; c < (pixels - 1) * stride + k; c++) {
#pragma GCC unroll 3
		for (int g = 0; g < groups; g++) {
			vec a = vec_load(in + ((c * groups + g) * vectors + v) * VEC_BYTES);
			__asm__("" : "+x"(a)); /* in this order: registers are few */
#pragma GCC unroll 5
			for (int x = 0; x < k; x++) {
				const int p = (c - x) / stride;
				if (c < x || (c - x) % stride || p >= pixels) {
					continue;
				}
#pragma GCC unroll 2
				for (int r = 0; r < rows; r++) {
					const int at = (x * groups + g) * out_rows + r;
					acc[r * pixels + p] = source_dot(acc[r * pixels + p], a,
						vec_load(w + at * vectors * VEC_BYTES));
				}
			}
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		sums[(size_t)(i / pixels) * row + (size_t)(i % pixels * vectors)] = acc[i];
	}
}

/* The same of any filter, and of weights in parts. */
ALWAYS_INLINE void sums_of_any(const int vectors, const int rows, const struct strip_way *way,
	const struct strip *s, const int v, const uint8_t *in, vec *sums, size_t row)
{
	const int pixels = 8 / rows;
	const size_t taps = way->taps, groups = way->groups;
	vec acc[8];
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		acc[i] = float_requant_start(s->panel, v);
	}
	for (size_t n = 0; n < (size_t)s->panel->sums * taps * groups; n++) {
		const size_t x = n / groups % taps, g = n % groups;
		const size_t lane = (size_t)v * VEC_BYTES, step = (size_t)vectors * VEC_BYTES;
		const uint8_t *at = in + x * way->tap + g * step + lane;
		const uint8_t *w = s->weights + n * way->out_rows * step + lane;
#pragma GCC unroll 8
		for (int p = 0; p < pixels; p++) {
			const vec a = vec_load(at + (size_t)p * way->pixel);
#pragma GCC unroll 2
			for (int r = 0; r < rows; r++) {
				acc[r * pixels + p] = source_dot(
					acc[r * pixels + p], a, vec_load(w + (size_t)r * step));
			}
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		sums[(size_t)(i / pixels) * row + (size_t)(i % pixels * vectors)] = acc[i];
	}
}

/* All outputs of a strip; beyond the last one columns have any codes. @k 0: any filter. */
ALWAYS_INLINE void strip_run(const int k, const int stride, const int vectors, const int rows,
	const struct strip_way *way, const struct strip *s)
{
	const uint32_t pixels = 8 / (uint32_t)rows;
	const size_t row = ((size_t)s->n + pixels - 1) / pixels * pixels * (size_t)vectors;
	const struct put put = {&way->limits, s->panel, s->channels, way->out_pixel};
	for (int v = 0; v < vectors; v++) {
		const uint8_t *in = s->in;
		vec *sums = s->sums + v;
		for (uint32_t i = 0; i < s->n; i += pixels) {
			if (k) {
				sums_of_square(k, stride, vectors, rows, s, v, in, sums, row);
			} else {
				sums_of_any(vectors, rows, way, s, v, in, sums, row);
			}
			in += pixels * way->pixel;
			sums += pixels * (uint32_t)vectors;
		}
	}
	for (int r = 0; r < rows; r++) {
		put_pixels(vectors, &put, s->sums + (size_t)r * row, s->n,
			s->out + (size_t)r * way->out_row);
	}
}

typedef void strip_fn(const struct strip_way *way, const struct strip *s);

#define STRIP_DEFINE(name, k, stride, vectors, rows)                                               \
	static void name(const struct strip_way *way, const struct strip *s)                       \
	{                                                                                          \
		strip_run(k, stride, vectors, rows, way, s);                                       \
	}

STRIP_DEFINE(strip_any_1_1, 0, 0, 1, 1)
STRIP_DEFINE(strip_any_1_2, 0, 0, 1, 2)
STRIP_DEFINE(strip_any_2_1, 0, 0, 2, 1)
STRIP_DEFINE(strip_any_2_2, 0, 0, 2, 2)
STRIP_DEFINE(strip_3x3_1_1, 3, 1, 1, 1)
STRIP_DEFINE(strip_3x3_1_2, 3, 1, 1, 2)
STRIP_DEFINE(strip_3x3_2_1, 3, 1, 2, 1)
STRIP_DEFINE(strip_3x3_2_2, 3, 1, 2, 2)
STRIP_DEFINE(strip_3x3s2_1, 3, 2, 1, 1)
STRIP_DEFINE(strip_3x3s2_2, 3, 2, 2, 1)
STRIP_DEFINE(strip_5x5_1_1, 5, 1, 1, 1)
STRIP_DEFINE(strip_5x5_1_2, 5, 1, 1, 2)
STRIP_DEFINE(strip_5x5_2_1, 5, 1, 2, 1)
STRIP_DEFINE(strip_5x5_2_2, 5, 1, 2, 2)
STRIP_DEFINE(strip_5x5s2_1, 5, 2, 1, 1)
STRIP_DEFINE(strip_5x5s2_2, 5, 2, 2, 1)

/* By the filter, vectors and output rows of a strip, and parts of the weights. */
static strip_fn *strip_pick(
	const struct ek_window *w, uint32_t vectors, uint32_t rows, int32_t parts)
{
	static strip_fn *const any[2][2] = {
		{strip_any_1_1, strip_any_1_2}, {strip_any_2_1, strip_any_2_2}};
	static strip_fn *const three[2][2] = {
		{strip_3x3_1_1, strip_3x3_1_2}, {strip_3x3_2_1, strip_3x3_2_2}};
	static strip_fn *const five[2][2] = {
		{strip_5x5_1_1, strip_5x5_1_2}, {strip_5x5_2_1, strip_5x5_2_2}};
	const struct ek_window_axis *y = &w->y, *x = &w->x;
	bool square = x->taps == y->taps && x->stride == y->stride && x->dilation == 1 &&
		y->dilation == 1 && (x->taps == 3 || x->taps == 5) && x->stride <= 2;
	if (!square || parts > 1) {
		return any[vectors - 1][rows - 1];
	}
	if (x->stride == 2) {
		return x->taps == 3 ? (vectors == 2 ? strip_3x3s2_2 : strip_3x3s2_1)
				    : (vectors == 2 ? strip_5x5s2_2 : strip_5x5s2_1);
	}
	return (x->taps == 3 ? three : five)[vectors - 1][rows - 1];
}

#endif
