/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_ymm_tile - outputs of a strip: dot products by columns, then codes */
#ifndef KERNELS_X86_DEPTHWISE_YMM_TILE_H
#define KERNELS_X86_DEPTHWISE_YMM_TILE_H

/* How strips of a panel are gone through; bytes. */
struct strip_way {
	uint32_t taps, groups;
	size_t pixel, tap; /* from one output's first column to the next one's, and from tap to tap */
	uint32_t out_rows; /* of the packed weights */
	size_t out_pixel, out_row;
	struct vec_limits limits;
};

struct strip {
	const uint8_t *in; /* the first output's first column */
	uint8_t *out;
	uint32_t n; /* outputs of a row */
	uint32_t channels;
	const struct line_panel *panel;
	const uint8_t *weights;
};

/* Sums become codes, but for LINE_STEPS, whose sums are. */
ALWAYS_INLINE void strip_codes(
	const int mode, const int vectors, const int n, const struct strip *s, vec *v)
{
	for (int j = 0; j < vectors && mode != LINE_STEPS; j++) {
		const struct line line = line_load(s->panel, j);
#pragma GCC unroll 8
		for (int i = j; i < n; i += vectors) {
			v[i] = line_codes(&line, mode == LINE_CLAMPED, v[i]);
		}
	}
}

/* Codes of LINE_STEPS, in memory. */
static __attribute__((noinline)) void strip_steps(
	const struct strip_way *way, const struct strip *s, int vectors, vec v[8])
{
	const struct vec_limits *l = &way->limits;
	for (int i = 0; i < 8; i++) {
		vec y = vec_add(line_steps(s->panel, i % vectors, v[i]), l->zero);
		v[i] = vec_add(vec_least(vec_most(y, l->least), l->most), l->offset);
	}
}

/* The first @count outputs of a row. */
ALWAYS_INLINE void strip_put(const int vectors, const int pixels, const struct strip_way *way,
	const struct strip *s, const vec *v, uint32_t count, uint8_t *to)
{
	const size_t step = way->out_pixel;
	const uint32_t each = vectors == 1 ? 4 : 2;
#pragma GCC unroll 4
	for (uint32_t i = 0; i < (uint32_t)pixels; i += each, v += 4, to += each * step) {
		if (i < count && vectors == 1) {
			vec_put_4(&way->limits, v, s->channels, to, step, strip_least(count - i, 4));
		} else if (i < count) {
			vec_put_2(&way->limits, v, v + 2, s->channels, to,
				i + 1 < count ? to + step : to);
		}
	}
}

/* The sums of @pixels outputs of @rows rows each, [rows][pixels][vectors], eight in all: constants. */
ALWAYS_INLINE void strip_sums(const int vectors, const int rows, const struct strip_way *way,
	const struct strip *s, const uint8_t *in, vec acc[8])
{
	const int pixels = 8 / (vectors * rows);
	const size_t row = (size_t)vectors * VEC_BYTES;
	const uint8_t *w = s->weights;
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		acc[i] = line_start(s->panel, i % vectors);
	}
	for (int32_t part = 0; part < s->panel->sums; part++) {
		const uint8_t *tap = in;
#pragma GCC unroll 5
		for (uint32_t x = 0; x < way->taps; x++, tap += way->tap) {
			const uint8_t *at = tap;
#pragma GCC unroll 3
			for (uint32_t g = 0; g < way->groups; g++, at += row, w += way->out_rows * row) {
#pragma GCC unroll 8
				for (int i = 0; i < pixels * vectors; i++) {
					const int p = i / vectors, v = i % vectors;
					const vec a = vec_load(at + (size_t)p * way->pixel +
						(size_t)v * VEC_BYTES);
#pragma GCC unroll 2
					for (int r = 0; r < rows; r++) {
						vec *sum = &acc[(r * pixels + p) * vectors + v];
						*sum = source_dot(*sum, a,
							vec_load(w + (size_t)r * row +
								(size_t)v * VEC_BYTES));
					}
				}
			}
		}
	}
}

/* All outputs of a strip; beyond the last one columns have any codes. */
ALWAYS_INLINE void strip_run(
	const int vectors, const int rows, const struct strip_way *way, const struct strip *s)
{
	const int pixels = 8 / (vectors * rows);
	const uint8_t *in = s->in;
	uint8_t *out = s->out;
	for (uint32_t i = 0; i < s->n; i += (uint32_t)pixels) {
		vec acc[8];
		strip_sums(vectors, rows, way, s, in, acc);
		if (s->panel->mode == LINE_CLAMPED) {
			strip_codes(LINE_CLAMPED, vectors, 8, s, acc);
		} else if (s->panel->mode == LINE_WHOLE) {
			strip_codes(LINE_WHOLE, vectors, 8, s, acc);
		} else {
			vec sums[8];
			for (int k = 0; k < 8; k++) {
				sums[k] = acc[k];
			}
			strip_steps(way, s, vectors, sums);
			for (int k = 0; k < 8; k++) {
				acc[k] = sums[k];
			}
		}
		const uint32_t count = strip_least(s->n - i, (uint32_t)pixels);
#pragma GCC unroll 2
		for (int r = 0; r < rows; r++) {
			strip_put(vectors, pixels, way, s, acc + r * pixels * vectors, count,
				out + (size_t)r * way->out_row);
		}
		in += (size_t)pixels * way->pixel;
		out += (size_t)pixels * way->out_pixel;
	}
}

typedef void strip_fn(const struct strip_way *way, const struct strip *s);

/* @k taps by @k, with strips as packed for them; 0: any. */
#define STRIP_DEFINE(name, k, stride, vectors, rows)                                               \
	static void name(const struct strip_way *way, const struct strip *s)                       \
	{                                                                                          \
		struct strip_way w = *way;                                                         \
		if (k) {                                                                           \
			w.taps = k;                                                                \
			w.groups = ((k) + SOURCE_CODES - 1) / SOURCE_CODES;                        \
			w.tap = w.groups * (vectors)*VEC_BYTES;                                    \
			w.pixel = (stride)*w.tap;                                                  \
			w.out_rows = (stride) == 1 ? 2 : 1;                                        \
		}                                                                                  \
		strip_run(vectors, rows, &w, s);                                                   \
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

/* By the filter, vectors and output rows of a strip. */
static strip_fn *strip_pick(const struct ek_window *w, uint32_t vectors, uint32_t rows)
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
	if (!square) {
		return any[vectors - 1][rows - 1];
	}
	if (x->stride == 2) {
		return x->taps == 3 ? (vectors == 2 ? strip_3x3s2_2 : strip_3x3s2_1)
				    : (vectors == 2 ? strip_5x5s2_2 : strip_5x5s2_1);
	}
	return (x->taps == 3 ? three : five)[vectors - 1][rows - 1];
}

#endif
