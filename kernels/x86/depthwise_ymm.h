/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_ymm - depthwise convolution by panels, for the panel that was included before
 *
 * 16 or 8 channels at a time: codes are widened, less their zero points, and taken by twos, so that one
 * PMADDWD sums two products of each channel of a vector.
 *
 * Packed weights: for each panel [taps by twos][2 vectors][channels][2 taps], int16, zero beyond, the
 * channels where the unpacking puts them. Filters of 3x3 are taken by columns instead, which
 * neighbours share: [columns][rows 0 and 1, row 2 and nothing][2 vectors][channels][2 taps]. YMM(name) is name with the instruction set behind it.
 */
#ifndef KERNELS_X86_DEPTHWISE_YMM_H
#define KERNELS_X86_DEPTHWISE_YMM_H

#include "kernels/x86/depthwise.h"
#include "kernels/x86/taps.h"

#define GROUP 2 /* taps */

static bool is_3x3(const struct ek_depthwise_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 3 && x->taps == 3 && x->dilation == 1 && x->stride <= 2;
}

/* Taps of the packed weights of a panel. */
static uint32_t packed_taps(const struct ek_depthwise_shape *s)
{
	return is_3x3(s) ? 12 : taps_groups(s, GROUP) * GROUP;
}

static uint64_t panels_of(const struct ek_depthwise_shape *s)
{
	return ((uint64_t)s->out_c + PANEL_COLS - 1) / PANEL_COLS;
}

uint64_t YMM(ek_depthwise_packed_bytes)(const struct ek_depthwise_shape *shape)
{
	uint64_t taps = packed_taps(shape);
	return shape->in_c != shape->out_c ? 0
					   : panels_of(shape) * PANEL_COLS * taps * sizeof(int16_t);
}

uint64_t YMM(ek_depthwise_scratch_bytes)(const struct ek_depthwise_shape *shape)
{
	return shape->in_c != shape->out_c ? 0 : taps_scratch_bytes(shape, GROUP);
}

static int16_t weight(const struct ek_depthwise_q *a, bool is_signed, uint32_t tap, uint32_t n)
{
	if (tap >= taps_of(&a->shape) || n >= a->shape.out_c) {
		return 0;
	}
	size_t at = (size_t)tap * a->shape.out_c + n;
	return (int16_t)(is_signed ? ((const int8_t *)a->weights)[at]
				   : ((const uint8_t *)a->weights)[at] - a->weights_zero);
}

/* The filter's tap that packed tap @tap is; beyond the last one where it is none. */
static uint32_t tap_of(const struct ek_depthwise_shape *s, uint32_t tap)
{
	return !is_3x3(s) ? tap : tap % 4 < 3 ? tap % 4 * 3 + tap / 4 : taps_of(s);
}

static void pack(const struct ek_depthwise_q *a, bool is_signed, void *packed)
{
	int16_t *to = packed;
	uint32_t taps = packed_taps(&a->shape);
	for (uint32_t first = 0; first < a->shape.out_c; first += PANEL_COLS) {
		for (uint32_t tap = 0; tap < taps; tap += GROUP) {
			for (uint32_t at = 0; at < PANEL_COLS * GROUP; at++) {
				uint32_t n = first +
					panel_channel(
						true, at / (2 * PANEL_LANES), at / 2 % PANEL_LANES);
				*to++ = weight(a, is_signed, tap_of(&a->shape, tap + at % 2), n);
			}
		}
	}
}

void YMM(ek_depthwise_s8_pack)(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_depthwise_u8_pack)(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, false, packed);
}

/* One panel of a call. */
struct work {
	struct panel panel;
	struct panel_output output;
	const int16_t *weights;
	int32_t input_zero;
	uint32_t n; /* channels */
};

ALWAYS_INLINE void pixel_codes(
	const struct work *w, const struct taps *taps, bool is_signed, bool whole, uint8_t *to)
{
	panel_vector sums[PANEL_VECTORS] = {w->panel.start[0], w->panel.start[1]};
	const int16_t *weights = w->weights;
	uint32_t n = whole ? PANEL_COLS : w->n;
	for (uint32_t t = 0; t < taps->n; t += GROUP, weights += GROUP * PANEL_COLS) {
		panel_two_taps(is_signed, taps->at + t, n, w->input_zero, weights, sums);
	}
	panel_requant(&w->panel, &w->output, sums);
	panel_store(&w->output, true, sums, n, to);
}

#define PIXELS_DEFINE(name, is_signed, whole)                                                      \
	static void name(const void *work, struct taps *taps, uint32_t count, uint8_t *to)         \
	{                                                                                          \
		for (uint32_t i = 0; i < count; i++, to += taps->shape->out_c) {                   \
			pixel_codes(work, taps, is_signed, whole, to);                             \
			taps_move(taps, taps->n);                                                  \
		}                                                                                  \
	}

PIXELS_DEFINE(pixels_s8, true, true)
PIXELS_DEFINE(pixels_s8_some, true, false)
PIXELS_DEFINE(pixels_u8, false, true)
PIXELS_DEFINE(pixels_u8_some, false, false)

static taps_fn *pick_pixels(const struct work *w)
{
	bool whole = w->n == PANEL_COLS;
	return w->output.is_signed ? (whole ? pixels_s8 : pixels_s8_some)
				   : (whole ? pixels_u8 : pixels_u8_some);
}

/* The input rows that a row of 3x3 outputs reads. */
struct rows {
	const uint8_t *row[3];
	size_t step[3]; /* from one pixel to the next; 0 outside of the picture, of zero points */
	uint32_t width;
};

static struct rows rows_of(const struct ek_depthwise_q *a, struct ek_pixel pixel, uint32_t first,
	const uint8_t *outside)
{
	const struct ek_window_axis *y = &a->shape.window.y, *x = &a->shape.window.x;
	const size_t channels = a->shape.in_c;
	struct rows r = {.width = x->in};
	int64_t at = (int64_t)pixel.y * y->stride - y->pad;
	for (int i = 0; i < 3; i++, at += y->dilation) {
		bool inside = at >= 0 && at < y->in;
		size_t row = (size_t)pixel.batch * y->in + (inside ? (size_t)at : 0);
		r.row[i] = inside ? (const uint8_t *)a->input + row * x->in * channels + first
				  : outside;
		r.step[i] = inside ? channels : 0;
	}
	return r;
}

ALWAYS_INLINE struct panel_column rows_column(
	const struct work *w, const struct rows *r, bool is_signed, uint32_t n, int64_t x)
{
	if ((uint64_t)x >= r->width) {
		return (struct panel_column){0};
	}
	const uint8_t *const at[3] = {r->row[0] + (size_t)x * r->step[0],
		r->row[1] + (size_t)x * r->step[1], r->row[2] + (size_t)x * r->step[2]};
	return panel_column(is_signed, at, n, w->input_zero);
}

/* @count outputs from that whose first column is @x on. */
ALWAYS_INLINE void line_3x3(const struct work *w, const struct rows *r, bool is_signed, bool whole,
	uint32_t stride, int64_t x, uint32_t count, uint8_t *to, size_t step)
{
	const uint32_t n = whole ? PANEL_COLS : w->n;
	struct panel_column a = rows_column(w, r, is_signed, n, x), b;
	b = rows_column(w, r, is_signed, n, x + 1);
	for (uint32_t i = 0; i < count; i++, x += stride, to += step) {
		struct panel_column c = rows_column(w, r, is_signed, n, x + 2);
		panel_vector sums[PANEL_VECTORS] = {w->panel.start[0], w->panel.start[1]};
		panel_add_column(&a, w->weights, sums);
		panel_add_column(&b, w->weights + 4 * PANEL_COLS, sums);
		panel_add_column(&c, w->weights + 8 * PANEL_COLS, sums);
		panel_requant(&w->panel, &w->output, sums);
		panel_store(&w->output, true, sums, n, to);
		a = stride == 1 ? b : c;
		b = stride == 1 ? c : rows_column(w, r, is_signed, n, x + 3);
	}
}

typedef void line_fn(const struct work *w, const struct rows *r, int64_t x, uint32_t count,
	uint8_t *to, size_t step);

#define LINE_DEFINE(name, is_signed, whole, stride)                                                \
	static void name(const struct work *w, const struct rows *r, int64_t x, uint32_t count,    \
		uint8_t *to, size_t step)                                                          \
	{                                                                                          \
		line_3x3(w, r, is_signed, whole, stride, x, count, to, step);                      \
	}

LINE_DEFINE(line_s8, true, true, 1)
LINE_DEFINE(line_s8_some, true, false, 1)
LINE_DEFINE(line_s8_2, true, true, 2)
LINE_DEFINE(line_s8_2_some, true, false, 2)
LINE_DEFINE(line_u8, false, true, 1)
LINE_DEFINE(line_u8_some, false, false, 1)
LINE_DEFINE(line_u8_2, false, true, 2)
LINE_DEFINE(line_u8_2_some, false, false, 2)

/* By type, stride, whole panels. */
static line_fn *const lines[2][2][2] = {
	{{line_u8_some, line_u8}, {line_u8_2_some, line_u8_2}},
	{{line_s8_some, line_s8}, {line_s8_2_some, line_s8_2}},
};

/* The rows of a tile, of the channels from @first on. */
static void run_3x3(const struct ek_depthwise_q *a, const struct ek_tile *t, const struct work *w,
	uint32_t first, const uint8_t *outside)
{
	const struct ek_window_axis *x = &a->shape.window.x;
	const size_t step = a->shape.out_c;
	line_fn *line = lines[w->output.is_signed][x->stride - 1][w->n == PANEL_COLS];
	for (uint32_t row = t->first_row, end = row + t->n_rows, n; row < end; row += n) {
		struct ek_pixel p = ek_window_pixel(&a->shape.window, row);
		const struct rows r = rows_of(a, p, first, outside);
		n = panel_least(end - row, x->out - p.x);
		line(w, &r, (int64_t)p.x * x->stride - x->pad, n,
			(uint8_t *)a->output + row * step + first, step);
	}
}

static void run(
	const struct ek_depthwise_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct taps taps = taps_init(&a->shape, GROUP, a->input_zero, scratch);
	struct work w = {.output = {a->output_zero, a->lo, a->hi, is_signed}};
	uint32_t end = t->first_col + t->n_cols;
	uint64_t products = (uint64_t)taps_of(&a->shape) * 255 * (is_signed ? 128 : 255);
	w.input_zero = a->input_zero;
	for (uint32_t n = t->first_col; n < end; n += PANEL_COLS) {
		w.n = panel_least(end - n, PANEL_COLS);
		w.weights = (const int16_t *)a->weights + (size_t)n * packed_taps(&a->shape);
		panel_init(&w.panel, true, a->bias32 ? a->bias32 + n : NULL, a->scale + n,
			panel_least(a->shape.out_c - n, PANEL_COLS), products);
		if (is_3x3(&a->shape)) {
			run_3x3(a, t, &w, n, taps.outside);
		} else {
			taps_each(&taps, a, n, t, pick_pixels(&w), &w);
		}
	}
}

void YMM(ek_depthwise_s8)(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void YMM(ek_depthwise_u8)(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}

#endif
