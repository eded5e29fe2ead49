/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_ymm - depthwise convolution by panels of channels, for vectors of 128 and 256 bits
 *
 * Includes come after a line (float_requant_avx2.h, float_requant_sse41.h) and a source (source_pairs.h,
 * source_fours.h). YMM(name) is name with the instruction set behind it.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_YMM_H
#define KERNELS_DEPTHWISE_DEPTHWISE_YMM_H

#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/depthwise/depthwise_ymm_pack.h"
#include "kernels/depthwise/depthwise_ymm_tile.h"
#if VEC_WIDE
#include "kernels/depthwise/depthwise_ymm_wide.h"
#endif

#define OUTSIDE_BYTES 64

#define BLOCK_COLS (2 * VEC_COLS) /* channels of two panels side by side */

/* Columns of a strip of @pixels outputs, with those that the last ones read beyond. */
static uint64_t columns_of(
	const struct ek_conv_shape *s, const struct strip_plan *p, uint32_t pixels)
{
	return (uint64_t)(pixels + STRIP_PIXELS - 1) * s->window.x.stride + p->reach;
}

/* Sums of @pixels outputs of a strip, in vectors. */
static size_t sums_of(const struct strip_plan *p, uint32_t pixels)
{
	return ((size_t)pixels + STRIP_PIXELS - 1) / STRIP_PIXELS * STRIP_PIXELS * 2 * p->out_rows;
}

/* A row of zero points, sums, a strip. */
uint64_t YMM(ek_depthwise_scratch_bytes)(const struct ek_conv_shape *shape)
{
	const struct ek_conv_shape s = strip_shape(shape);
	if (!strip_is_walked(&s)) {
		return 0;
	}
	const struct strip_plan p = strip_plan_of(&s);
	const uint32_t pixels = strip_least(p.pixels, s.window.x.out);
	return OUTSIDE_BYTES + sums_of(&p, pixels) * VEC_BYTES +
		columns_of(&s, &p, pixels) * p.column;
}

/* A call. */
struct work {
	const struct ek_conv_q *args;
	struct strip_plan plan;
	struct strip_way way;
	struct source source;
	uint8_t *outside, *columns;
	vec *sums;
};

/* The input rows of a strip, and the panel's channels. */
struct strip_rows {
	const uint8_t *at[STRIP_ROWS + SOURCE_CODES];
	size_t step[STRIP_ROWS + SOURCE_CODES]; /* from pixel to pixel; 0 outside, of zero points */
	uint32_t first, channels;
};

/* Those that @rows output rows read; others meet weights of zero, and may not be there. */
static void rows_init(
	struct strip_rows *r, const struct work *w, struct ek_pixel pixel, uint32_t rows)
{
	const struct ek_conv_q *a = w->args;
	const struct ek_window_axis *y = &a->shape.window.y, *x = &a->shape.window.x;
	int64_t row = (int64_t)pixel.y * y->stride - y->pad;
	for (uint32_t i = 0; i < w->plan.groups * SOURCE_CODES; i++, row += y->dilation) {
		bool inside = i < y->taps + rows - 1 && row >= 0 && row < y->in;
		size_t line = (size_t)pixel.batch * y->in + (inside ? (size_t)row : 0);
		r->at[i] = inside ? (const uint8_t *)a->input + line * x->in * a->shape.in_c
				  : w->outside;
		r->step[i] = inside ? a->shape.in_c : 0;
	}
}

/* The columns of @count input pixels, which @at points to the first of. */
ALWAYS_INLINE void put_inside(const struct work *w, const uint8_t **at, const size_t *step,
	const uint32_t groups, const uint32_t n, const bool is_signed, const int vectors,
	size_t count, uint8_t *to)
{
	uint8_t some[SOURCE_CODES][VEC_COLS] = {0};
	for (; count; count--) {
#pragma GCC unroll 2
		for (uint32_t g = 0; g < groups; g++, to += (size_t)vectors * VEC_BYTES) {
			const uint8_t *from[SOURCE_CODES];
#pragma GCC unroll 4
			for (uint32_t i = 0; i < SOURCE_CODES; i++) {
				const uint32_t row = g * SOURCE_CODES + i;
				from[i] = n ? memcpy(some[i], at[row], n) : at[row];
				at[row] += step[row];
			}
			source_strip(&w->source, is_signed, vectors, from, to);
		}
	}
}

/* Those from pixel @x on. Rows of few groups stay in registers; @some: not all channels of the lanes. */
ALWAYS_INLINE void put_picture(const struct work *w, const struct strip_rows *r,
	const bool is_signed, const int vectors, const bool some, size_t x, size_t count,
	uint8_t *to)
{
	const uint8_t *at[STRIP_ROWS + SOURCE_CODES], *few[2 * SOURCE_CODES];
	size_t steps[2 * SOURCE_CODES];
	for (uint32_t i = 0; i < w->plan.groups * SOURCE_CODES; i++) {
		at[i] = r->at[i] + x * r->step[i] + (r->step[i] ? r->first : 0);
	}
	if (some || w->plan.groups > 2) {
		put_inside(w, at, r->step, w->plan.groups, some ? r->channels : 0, is_signed,
			vectors, count, to);
		return;
	}
	for (uint32_t i = 0; i < w->plan.groups * SOURCE_CODES; i++) {
		few[i] = at[i];
		steps[i] = r->step[i];
	}
	if (w->plan.groups == 1) {
		put_inside(w, few, steps, 1, 0, is_signed, vectors, count, to);
	} else {
		put_inside(w, few, steps, 2, 0, is_signed, vectors, count, to);
	}
}

#if VEC_WIDE
/* The same of 32 channels; filters are 3x3. */
ALWAYS_INLINE void put_wide(
	const struct strip_rows *r, const bool is_signed, size_t x, size_t count, uint8_t *to)
{
	const uint8_t *at[4];
	size_t steps[4];
#pragma GCC unroll 4
	for (uint32_t i = 0; i < 4; i++) {
		steps[i] = r->step[i];
		at[i] = r->at[i] + x * steps[i] + (steps[i] ? r->first : 0);
	}
	for (; count; count--) {
#pragma GCC unroll 2
		for (uint32_t g = 0; g < WIDE_GROUPS; g++, to += WIDE_VECTORS * VEC_BYTES) {
			source_wide(is_signed, at + g * SOURCE_CODES, to);
		}
#pragma GCC unroll 4
		for (uint32_t i = 0; i < 4; i++) {
			at[i] += steps[i];
		}
	}
}
#endif

typedef void pixels_fn(
	const struct work *w, const struct strip_rows *r, size_t x, size_t count, uint8_t *to);

#define PIXELS_DEFINE(name, is_signed, vectors, some)                                              \
	static void name(const struct work *w, const struct strip_rows *r, size_t x, size_t count, \
		uint8_t *to)                                                                       \
	{                                                                                          \
		put_picture(w, r, is_signed, vectors, some, x, count, to);                         \
	}

PIXELS_DEFINE(pixels_u8_1, false, 1, false)
PIXELS_DEFINE(pixels_u8_2, false, 2, false)
PIXELS_DEFINE(pixels_s8_1, true, 1, false)
PIXELS_DEFINE(pixels_s8_2, true, 2, false)
PIXELS_DEFINE(pixels_u8_1_some, false, 1, true)
PIXELS_DEFINE(pixels_u8_2_some, false, 2, true)
PIXELS_DEFINE(pixels_s8_1_some, true, 1, true)
PIXELS_DEFINE(pixels_s8_2_some, true, 2, true)

#if VEC_WIDE
static void pixels_u8_wide(
	const struct work *w, const struct strip_rows *r, size_t x, size_t count, uint8_t *to)
{
	(void)w;
	put_wide(r, false, x, count, to);
}

static void pixels_s8_wide(
	const struct work *w, const struct strip_rows *r, size_t x, size_t count, uint8_t *to)
{
	(void)w;
	put_wide(r, true, x, count, to);
}
#endif

/* By type, vectors, whether lanes are left. */
static pixels_fn *const pixels[2][2][2] = {
	{{pixels_u8_1, pixels_u8_1_some}, {pixels_u8_2, pixels_u8_2_some}},
	{{pixels_s8_1, pixels_s8_1_some}, {pixels_s8_2, pixels_s8_2_some}},
};

static pixels_fn *pixels_pick(const struct work *w, const struct strip_rows *r, uint32_t vectors)
{
#if VEC_WIDE
	if (vectors == WIDE_VECTORS) {
		return w->source.is_signed ? pixels_s8_wide : pixels_u8_wide;
	}
#endif
	return pixels[w->source.is_signed][vectors - 1][r->channels % VEC_LANES != 0];
}

/* @count columns from @x on, which may be outside of the picture. */
static void make_columns(
	const struct work *w, const struct strip_rows *r, uint32_t vectors, int64_t x, size_t count)
{
	const int64_t width = w->args->shape.window.x.in, end = x + (int64_t)count;
	const size_t column = w->plan.groups * (size_t)vectors * VEC_BYTES;
	const int64_t first = x < 0 ? (end < 0 ? end : 0) : x;
	const int64_t last = end < width ? end : width < first ? first : width;
	uint8_t *to = w->columns;
	source_pad_strip(&w->source, to, (size_t)(first - x) * column / SOURCE_BYTES);
	to += (size_t)(first - x) * column;
	if (last > first) {
		pixels_pick(w, r, vectors)(w, r, (size_t)first, (size_t)(last - first), to);
		to += (size_t)(last - first) * column;
	}
	source_pad_strip(&w->source, to, (size_t)(end - last) * column / SOURCE_BYTES);
}

/* Some rows of outputs. */
struct strip_outputs {
	struct ek_pixel pixel; /* the first one */
	uint32_t row; /* its number */
	uint32_t rows, n;
};

/* Those of one panel. */
static void run_panel(
	const struct work *w, const struct strip_rows *r, const struct strip_outputs *o)
{
	const struct ek_conv_q *a = w->args;
	const struct ek_window_axis *x = &a->shape.window.x;
	const uint32_t vectors = vectors_at(&a->shape, r->first);
	const uint32_t parts = w->source.is_signed ? 1 : SOURCE_PARTS;
	const size_t column = w->plan.groups * (size_t)vectors * VEC_BYTES;
	struct strip_way way = w->way;
	struct strip s = {
		.in = w->columns,
		.sums = w->sums,
		.out = (uint8_t *)a->output + o->row * (size_t)a->shape.out_c + r->first,
		.channels = r->channels,
		.panel = (const struct float_requant_panel *)a->weights + r->first / VEC_COLS,
		.weights = strip_weights(&a->shape, &w->plan, parts, a->weights, r->first),
	};
	way.pixel = x->stride * column;
	way.tap = x->dilation * column;
	strip_fn *fn = strip_pick(&a->shape.window, vectors, o->rows, s.panel->sums);
	for (uint32_t i = 0; i < o->n; i += s.n) {
		const int64_t at = (int64_t)(o->pixel.x + i) * x->stride - x->pad;
		s.n = strip_least(o->n - i, w->plan.pixels);
		make_columns(
			w, r, vectors, at, (size_t)(s.n - 1) * x->stride + (size_t)w->plan.reach);
		fn(&way, &s);
		s.out += s.n * way.out_pixel;
	}
}

#if VEC_WIDE
/* Those of two panels side by side. */
static void run_block(
	const struct work *w, const struct strip_rows *r, const struct strip_outputs *o)
{
	const struct ek_conv_q *a = w->args;
	const struct ek_window_axis *x = &a->shape.window.x;
	const uint32_t parts = w->source.is_signed ? 1 : SOURCE_PARTS;
	struct wide s = {
		.in = w->columns,
		.out = (uint8_t *)a->output + o->row * (size_t)a->shape.out_c + r->first,
		.out_pixel = w->way.out_pixel,
		.out_row = w->way.out_row,
		.limits = w->way.limits,
		.panel = (const struct float_requant_panel *)a->weights + r->first / VEC_COLS,
		.part = 2 * part_bytes(&a->shape, &w->plan),
	};
	for (uint32_t i = 0; i < 2; i++) {
		s.weights[i] = strip_weights(
			&a->shape, &w->plan, parts, a->weights, r->first + i * VEC_COLS);
		s.parts = s.parts < s.panel[i].sums ? s.panel[i].sums : s.parts;
	}
	wide_fn *fn = wide_pick(&s, x->stride, o->rows);
	for (uint32_t i = 0; i < o->n; i += s.n) {
		const int64_t at = (int64_t)(o->pixel.x + i) * x->stride - x->pad;
		s.n = strip_least(o->n - i, w->plan.pixels);
		make_columns(w, r, WIDE_VECTORS, at, (size_t)(s.n - 1) * x->stride + 3);
		fn(&s);
		s.out += s.n * s.out_pixel;
	}
}
#endif

static void run_panels(
	const struct work *w, const struct strip_rows *r, const struct strip_outputs *o)
{
#if VEC_WIDE
	if (r->channels > VEC_COLS) {
		run_block(w, r, o);
		return;
	}
#endif
	run_panel(w, r, o);
}

/* A tile's outputs from row @row on, one output row or two: returns how many. */
static uint32_t run_rows(const struct work *w, const struct ek_tile *t, uint32_t row)
{
	const struct ek_window *window = &w->args->shape.window;
	const uint32_t width = window->x.out, left = t->first_row + t->n_rows - row;
	struct strip_outputs o = {.pixel = ek_window_pixel(window, row), .row = row};
	struct strip_rows r;
	bool both = w->plan.out_rows == 2 && o.pixel.x == 0 && left / 2 >= width &&
		o.pixel.y + 1 < window->y.out;
	o.rows = both ? 2 : 1;
	o.n = both ? width : strip_least(left, width - o.pixel.x);
	rows_init(&r, w, o.pixel, o.rows);
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols;) {
		const bool block = strip_is_block(&w->args->shape, &w->plan, n);
		r.first = n;
		r.channels = strip_least(w->args->shape.out_c - n, block ? BLOCK_COLS : VEC_COLS);
		run_panels(w, &r, &o);
		n += r.channels;
	}
	return o.rows * o.n;
}

static __attribute__((noinline)) void run_tile(
	const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct work w = {.args = a, .plan = strip_plan_of(&a->shape), .outside = scratch};
	w.sums = (vec *)(w.outside + OUTSIDE_BYTES);
	w.columns = (uint8_t *)(w.sums +
		sums_of(&w.plan, strip_least(w.plan.pixels, a->shape.window.x.out)));
	w.source = (struct source){is_signed, a->input_zero};
	w.way = (struct strip_way){
		.taps = a->shape.window.x.taps,
		.groups = w.plan.groups,
		.out_rows = w.plan.out_rows,
		.out_pixel = a->shape.out_c,
		.out_row = (size_t)a->shape.window.x.out * a->shape.out_c,
		.limits = vec_limits(a->output_zero, a->lo, a->hi, is_signed),
	};
	memset(w.outside, a->input_zero, OUTSIDE_BYTES);
	uint32_t end = t->n_cols ? t->first_row + t->n_rows : t->first_row;
	for (uint32_t row = t->first_row; row < end;) {
		row += run_rows(&w, t, row);
	}
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct ek_conv_q args = *a;
	args.shape = strip_shape(&a->shape);
	if (!strip_is_walked(&args.shape)) {
		(is_signed ? ek_depthwise_s8 : ek_depthwise_u8)[0].run(a, t, scratch);
		return;
	}
	unsigned floats = float_requant_begin();
	run_tile(&args, t, is_signed, scratch);
	float_requant_end(floats);
}

void YMM(ek_depthwise_s8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, true, scratch);
}

void YMM(ek_depthwise_u8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, false, scratch);
}

#endif
