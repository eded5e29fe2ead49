/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_tile_avx512 - one or two rows of a depthwise convolution's output
 *
 * 64 bytes of four rows are interleaved, so that one VPDPBUSD sums four taps of a column of 16
 * channels: of one pixel (a panel), or flat, whatever pixel they belong to.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_TILE_AVX512_H
#define KERNELS_DEPTHWISE_DEPTHWISE_TILE_AVX512_H

#include "kernels/depthwise/depthwise_block_avx512.h"
#include "kernels/depthwise/depthwise_pixels_avx512.h"

/* A call, and one panel or all sets of it. */
struct depthwise_work {
	const struct ek_conv_q *args;
	struct depthwise_plan plan;
	struct float_requant_output output;
	const struct float_requant_panel *panel;
	const int8_t *weights;
	size_t weights_step; /* from one panel or set to the next */
	uint32_t first, channels; /* of the panel */
	uint8_t padding;
	uint8_t *slots;
	const uint8_t *outside; /* a row of padding */
	const uint8_t **rows; /* of the current output row */
};

/* Neighbouring outputs of one row, or of two. */
struct line_of_pixels {
	const uint8_t *const *rows;
	uint8_t *upper, *lower; /* lower: NULL where there is none */
	uint32_t x, n; /* first pixel of the output row, and how many */
	bool tall; /* they lie one below the other instead, one pixel wide, all taps inside */
};

/* Of @n rows, the last one instead of a fourth. */
ALWAYS_INLINE void column(const uint8_t *const rows[4], const int n, size_t at, __m512i v[4])
{
	__m512i x[4];
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		x[i] = _mm512_loadu_si512(rows[i] + at);
	}
	x[3] = x[n - 1];
	interleave(x, v);
}

static size_t column_at(const struct depthwise_work *w, uint32_t kx)
{
	const struct ek_window_axis *x = &w->args->shape.window.x;
	size_t at = (size_t)kx * x->dilation;
	if (x->stride == 1) {
		return at * w->plan.pixel;
	}
	return at % x->stride * w->plan.phase + at / x->stride * w->plan.pixel;
}

ALWAYS_INLINE void any_start(
	const struct float_requant_panel *panel, __m512i sums[FLOAT_REQUANT_VECTORS])
{
#pragma GCC unroll 4
	for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
		sums[j] = float_requant_start(panel, j);
	}
}

/* One part of four taps of a column. */
ALWAYS_INLINE void any_part(const int8_t *weights, size_t vector,
	const __m512i v[FLOAT_REQUANT_VECTORS], __m512i sums[FLOAT_REQUANT_VECTORS])
{
#pragma GCC unroll 4
	for (size_t j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
		__m512i by = _mm512_loadu_si512(weights + j * vector);
		sums[j] = _mm512_dpbusd_epi32(sums[j], v[j], by);
	}
}

/* Four taps of one column. */
ALWAYS_INLINE void any_taps(const struct depthwise_work *w, const struct float_requant_panel *panel,
	const int8_t *weights, const __m512i v[FLOAT_REQUANT_VECTORS],
	__m512i sums[FLOAT_REQUANT_VECTORS])
{
	any_part(weights, w->plan.vector, v, sums);
	for (int32_t k = 0; k < panel->sums; k++) {
		any_part(weights + w->plan.part, w->plan.vector, v, sums);
	}
}

ALWAYS_INLINE __m512i any_codes(const struct depthwise_work *w,
	const struct float_requant_panel *panel, __m512i sums[FLOAT_REQUANT_VECTORS])
{
	const struct float_requant_limits limits = float_requant_limits(&w->output);
	const bool clamped = panel->mode == FLOAT_REQUANT_CLAMPED;
	__m512i y[FLOAT_REQUANT_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
		const struct line line = float_requant_load(panel, j);
		y[j] = panel->mode == FLOAT_REQUANT_STEPS
			? _mm512_add_epi32(float_requant_steps(panel, j, sums[j]),
				  _mm512_set1_epi32(w->output.zero))
			: float_requant_codes(&line, clamped, sums[j]);
	}
	return float_requant_pack(&limits, y[0], y[1], y[2], y[3]);
}

/* Any filter: 64 bytes of one output row from byte @at of the slots on. */
static __m512i any_bytes(const struct depthwise_work *w, const uint8_t *const *rows,
	const struct float_requant_panel *panel, const int8_t *weights, size_t at)
{
	const struct ek_window *window = &w->args->shape.window;
	__m512i sums[FLOAT_REQUANT_VECTORS], v[FLOAT_REQUANT_VECTORS];
	any_start(panel, sums);
	for (uint32_t kx = 0; kx < window->x.taps; kx++) {
		for (uint32_t g = 0; g < w->plan.groups; g++) {
			column(rows + 4 * g, 4, column_at(w, kx) + at, v);
			any_taps(w, panel, weights, v, sums);
			weights += 4 * w->plan.vector;
		}
	}
	return any_codes(w, panel, sums);
}

static void flat_any_row(
	const struct depthwise_work *w, const uint8_t *const *rows, uint8_t *to, uint32_t n)
{
	size_t bytes = (size_t)n * w->plan.pixel;
	uint32_t set = 0;
	for (size_t at = 0; at < bytes; at += DEPTHWISE_BYTES) {
		__m512i y =
			any_bytes(w, rows, w->panel + set, w->weights + set * w->weights_step, at);
		_mm512_mask_storeu_epi8(to + at, float_requant_bytes(bytes - at), y);
		set = set + 1 < w->plan.panels ? set + 1 : 0;
	}
}

static void flat_any(const struct depthwise_work *w, const struct line_of_pixels *l)
{
	flat_any_row(w, l->rows, l->upper, l->n);
	if (l->lower) {
		flat_any_row(w, l->rows + 1, l->lower, l->n);
	}
}

ALWAYS_INLINE __m512i taps_3x3(
	__m512i sum, const int8_t *w, const size_t vector, __m512i a, __m512i b, __m512i c)
{
	sum = _mm512_dpbusd_epi32(sum, a, _mm512_load_si512(w));
	sum = _mm512_dpbusd_epi32(sum, b, _mm512_load_si512(w + 4 * vector));
	return _mm512_dpbusd_epi32(sum, c, _mm512_load_si512(w + 8 * vector));
}

/* Codes of one 3x3 output from its three columns; @row: 0 the upper one, 1 the lower one. */
ALWAYS_INLINE __m512i codes_3x3(const struct float_requant_limits *limits,
	const struct float_requant_panel *panel, const int8_t *weights, const size_t part,
	const size_t vector, const bool clamped, const __m512i *a, const __m512i *b,
	const __m512i *c)
{
	__m512i y[FLOAT_REQUANT_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
		const struct line line = float_requant_load(panel, j);
		const int8_t *w = weights + (size_t)j * vector;
		__m512i sum = float_requant_start(panel, j);
		sum = taps_3x3(sum, w, vector, a[j], b[j], c[j]);
		sum = part ? taps_3x3(sum, w + part, vector, a[j], b[j], c[j]) : sum;
		y[j] = float_requant_codes(&line, clamped, sum);
	}
	return float_requant_pack(limits, y[0], y[1], y[2], y[3]);
}

/* The same for the upper and the lower row, which share the constants. */
ALWAYS_INLINE void both_3x3(const struct float_requant_limits *limits,
	const struct float_requant_panel *panel, const int8_t *weights, const size_t part,
	const bool clamped, const __m512i *a, const __m512i *b, const __m512i *c, __m512i ret[2])
{
	const size_t vector = 2 * DEPTHWISE_BYTES;
	__m512i y[2][FLOAT_REQUANT_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
		struct line line = float_requant_load(panel, j);
		const int8_t *w = weights + (size_t)j * vector;
		__m512i start = float_requant_start(panel, j);
		FLOAT_REQUANT_HOLD(start);
		FLOAT_REQUANT_HOLD(line.high);
		FLOAT_REQUANT_HOLD(line.low);
		FLOAT_REQUANT_HOLD(line.rho);
#pragma GCC unroll 2
		for (size_t row = 0; row < 2; row++, w += DEPTHWISE_BYTES) {
			__m512i sum = taps_3x3(start, w, vector, a[j], b[j], c[j]);
			sum = part ? taps_3x3(sum, w + part, vector, a[j], b[j], c[j]) : sum;
			y[row][j] = float_requant_codes(&line, clamped, sum);
		}
	}
	ret[0] = float_requant_pack(limits, y[0][0], y[0][1], y[0][2], y[0][3]);
	ret[1] = float_requant_pack(limits, y[1][0], y[1][1], y[1][2], y[1][3]);
}

/* The first rows that the pixels read. */
static struct depthwise_columns columns_of(
	const struct depthwise_work *w, const struct line_of_pixels *l)
{
	const struct ek_conv_shape *s = &w->args->shape;
	bool is_signed = w->output.is_signed;
	struct depthwise_columns c = {
		.rows = {l->rows[0] + w->first, l->rows[1] + w->first, l->rows[2] + w->first,
			l->rows[l->lower ? 3 : 2] + w->first},
		.step = s->in_c,
		.width = s->window.x.in,
		.bytes = float_requant_bytes(w->channels),
		.padding = _mm512_set1_epi8((char)(w->args->input_zero + (is_signed ? 128 : 0))),
		.sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0)),
	};
	return c;
}

/* 3x3, stride 1, a panel of one pixel, so many rows: columns serve three outputs of each. */
ALWAYS_INLINE void panel_rows_3x3(const struct depthwise_work *w, const struct line_of_pixels *l,
	const int rows, const bool is_signed, const bool clamped, const bool full,
	const size_t part)
{
	const struct float_requant_limits limits = float_requant_limits(&w->output);
	const struct depthwise_columns from = columns_of(w, l);
	const size_t step = w->args->shape.out_c;
	struct block block = {BLOCK_64, 1, rows, 2, clamped, full, part, 2 * DEPTHWISE_BYTES};
	int64_t x = (int64_t)l->x - w->args->shape.window.x.pad;
	uint8_t *upper = l->upper, *lower = l->lower;
	__m512i c[BLOCK_COLUMNS * FLOAT_REQUANT_VECTORS], y[4];
	pixel_column(&from, is_signed, 4, x, c);
	pixel_column(&from, is_signed, 4, x + 1, c + 4);
	uint32_t n = l->n;
	for (; n >= 2; n -= 2, x += 2, upper += 2 * step, lower += 2 * step) {
		pixel_column(&from, is_signed, 4, x + 2, c + 8);
		pixel_column(&from, is_signed, 4, x + 3, c + 12);
		block_codes(block, 3, &limits, w->panel, w->weights, c, y);
		_mm512_mask_storeu_epi8(upper, from.bytes, y[0]);
		_mm512_mask_storeu_epi8(upper + step, from.bytes, y[1]);
		if (rows == 2) {
			_mm512_mask_storeu_epi8(lower, from.bytes, y[2]);
			_mm512_mask_storeu_epi8(lower + step, from.bytes, y[3]);
		}
#pragma GCC unroll 4
		for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
			c[j] = c[8 + j];
			c[4 + j] = c[12 + j];
		}
	}
	if (n > 0) {
		block.n = 1;
		pixel_column(&from, is_signed, 4, x + 2, c + 8);
		block_codes(block, 3, &limits, w->panel, w->weights, c, y);
		_mm512_mask_storeu_epi8(upper, from.bytes, y[0]);
		if (rows == 2) {
			_mm512_mask_storeu_epi8(lower, from.bytes, y[2]);
		}
	}
}

ALWAYS_INLINE void panel_pairs(const struct depthwise_work *w, const struct line_of_pixels *l,
	const bool is_signed, const bool clamped, const size_t part)
{
	if (l->lower && w->output.lo == 0 && w->output.hi == 255) {
		panel_rows_3x3(w, l, 2, is_signed, clamped, true, part);
	} else if (l->lower) {
		panel_rows_3x3(w, l, 2, is_signed, clamped, false, part);
	} else {
		panel_rows_3x3(w, l, 1, is_signed, clamped, false, part);
	}
}

/* 3x3, any stride, a row by itself. */
ALWAYS_INLINE void panel_row_3x3(const struct depthwise_work *w, const struct line_of_pixels *l,
	const bool whole, const bool is_signed, const bool clamped, const size_t part)
{
	const struct float_requant_limits limits = float_requant_limits(&w->output);
	const struct depthwise_columns from = columns_of(w, l);
	const uint32_t stride = w->args->shape.window.x.stride;
	int64_t x = (int64_t)l->x * stride - w->args->shape.window.x.pad;
	const size_t step = w->args->shape.out_c;
	struct block block = {BLOCK_64, 2, 1, 2, clamped, whole, part, DEPTHWISE_BYTES};
	uint8_t *to = l->upper;
	uint32_t n = l->n;
	__m512i c[BLOCK_COLUMNS * FLOAT_REQUANT_VECTORS], y[4];
	pixel_column(&from, is_signed, 3, x, c);
	for (; n >= 2 && stride == 2; n -= 2, x += 4, to += 2 * step) {
		pixel_columns(&from, whole, is_signed, 3, x + 1, 4, c + 4);
		block_codes(block, 3, &limits, w->panel, w->weights, c, y);
		panel_store(whole, to, from.bytes, y[0]);
		panel_store(whole, to + step, from.bytes, y[1]);
#pragma GCC unroll 4
		for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
			c[j] = c[16 + j];
		}
	}
	block.n = 1;
	for (; n > 0; n--, x += stride, to += step) {
		pixel_column(&from, is_signed, 3, x, c);
		pixel_column(&from, is_signed, 3, x + 1, c + 4);
		pixel_column(&from, is_signed, 3, x + 2, c + 8);
		block_codes(block, 3, &limits, w->panel, w->weights, c, y);
		panel_store(whole, to, from.bytes, y[0]);
	}
}

/*
 * Where all bytes of a vector are channels and all codes are in range, there are neither masks nor
 * limits.
 */
ALWAYS_INLINE void panel_single(const struct depthwise_work *w, const struct line_of_pixels *l,
	const bool is_signed, const bool clamped, const size_t part)
{
	if (w->channels == DEPTHWISE_BYTES && w->output.lo == 0 && w->output.hi == 255) {
		panel_row_3x3(w, l, true, is_signed, clamped, part);
	} else {
		panel_row_3x3(w, l, false, is_signed, clamped, part);
	}
}

/* Any filter, one row. */
static void panel_any_row(const struct depthwise_work *w, const uint8_t *const *rows,
	const struct line_of_pixels *l, uint8_t *to)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *axis = &window->x;
	struct depthwise_columns from = columns_of(w, l);
	if (l->tall) {
		from.step *= window->y.stride;
		from.width = l->n;
	}
	for (uint32_t i = 0; i < l->n; i++, to += w->args->shape.out_c) {
		int64_t x = l->tall ? i : (int64_t)(l->x + i) * axis->stride - axis->pad;
		__m512i sums[FLOAT_REQUANT_VECTORS], v[FLOAT_REQUANT_VECTORS];
		const int8_t *weights = w->weights;
		any_start(w->panel, sums);
		for (uint32_t kx = 0; kx < axis->taps; kx++, x += axis->dilation) {
			for (uint32_t g = 0; g < w->plan.groups; g++) {
				for (uint32_t k = 0; k < 4; k++) {
					from.rows[k] = rows[4 * g + k] + w->first;
				}
				pixel_column(&from, true, 4, x, v);
				any_taps(w, w->panel, weights, v, sums);
				weights += 4 * w->plan.vector;
			}
		}
		_mm512_mask_storeu_epi8(to, from.bytes, any_codes(w, w->panel, sums));
	}
}

static void panel_any(const struct depthwise_work *w, const struct line_of_pixels *l)
{
	panel_any_row(w, l->rows, l, l->upper);
	if (l->lower) {
		panel_any_row(w, l->rows + 1, l, l->lower);
	}
}

/* 3x3, bytes of fewer than 64 channels; two rows if @pairs. */
ALWAYS_INLINE void flat_3x3(const struct depthwise_work *w, const struct line_of_pixels *l,
	const bool clamped, const size_t part, const bool pairs)
{
	const struct float_requant_limits limits = float_requant_limits(&w->output);
	const bool last = pairs && l->lower;
	const uint8_t *rows[4] = {l->rows[0], l->rows[1], l->rows[2], l->rows[last ? 3 : 2]};
	const size_t bytes = l->n * w->plan.pixel, step = (size_t)w->plan.panels * DEPTHWISE_BYTES;
	const size_t second = column_at(w, 1), third = column_at(w, 2);
	uint8_t *lower = last ? l->lower : l->upper;
	for (uint32_t set = 0; set < w->plan.panels; set++) {
		const struct float_requant_panel *panel = w->panel + set;
		const int8_t *weights = w->weights + set * w->weights_step;
		for (size_t at = (size_t)set * DEPTHWISE_BYTES; at < bytes; at += step) {
			__m512i a[FLOAT_REQUANT_VECTORS], b[FLOAT_REQUANT_VECTORS],
				c[FLOAT_REQUANT_VECTORS];
			__mmask64 m = float_requant_bytes(bytes - at);
			column(rows, pairs ? 4 : 3, at, a);
			column(rows, pairs ? 4 : 3, at + second, b);
			column(rows, pairs ? 4 : 3, at + third, c);
			if (pairs) {
				__m512i y[2];
				both_3x3(&limits, panel, weights, part, clamped, a, b, c, y);
				_mm512_mask_storeu_epi8(lower + at, m, y[1]);
				_mm512_mask_storeu_epi8(l->upper + at, m, y[0]);
			} else {
				__m512i y = codes_3x3(&limits, panel, weights, part,
					DEPTHWISE_BYTES, clamped, a, b, c);
				_mm512_mask_storeu_epi8(l->upper + at, m, y);
			}
		}
	}
}

/* 3x3, one set of 8, 16 or 32 channels, so many rows: vectors serve their neighbours, shifted. */
ALWAYS_INLINE void flat_blocks(
	const struct depthwise_work *w, const struct line_of_pixels *l, struct block block)
{
	const struct float_requant_limits limits = float_requant_limits(&w->output);
	const int used = block.rows + 2;
	const uint8_t *rows[4] = {l->rows[0], l->rows[1], l->rows[2], l->rows[used - 1]};
	const size_t bytes = l->n * (size_t)block.kind;
	__m512i c[BLOCK_COLUMNS * FLOAT_REQUANT_VECTORS], y[4];
	column(rows, used, 0, c);
	for (size_t at = 0; at < bytes; at += 2 * DEPTHWISE_BYTES) {
		const __mmask64 first = float_requant_bytes(bytes - at);
		const __mmask64 second =
			bytes > at + 64 ? float_requant_bytes(bytes - at - DEPTHWISE_BYTES) : 0;
		column(rows, used, at + DEPTHWISE_BYTES, c + 4);
		column(rows, used, at + 2 * DEPTHWISE_BYTES, c + 8);
		if (block.stride == 2) {
			column(rows, used, w->plan.phase + at, c + 4 * BLOCK_ODD);
			column(rows, used, w->plan.phase + at + DEPTHWISE_BYTES,
				c + 4 * (BLOCK_ODD + 1));
		}
		block_codes(block, 3, &limits, w->panel, w->weights, c, y);
		_mm512_mask_storeu_epi8(l->upper + at, first, y[0]);
		_mm512_mask_storeu_epi8(l->upper + at + DEPTHWISE_BYTES, second, y[1]);
		if (block.rows == 2) {
			_mm512_mask_storeu_epi8(l->lower + at, first, y[2]);
			_mm512_mask_storeu_epi8(l->lower + at + DEPTHWISE_BYTES, second, y[3]);
		}
#pragma GCC unroll 4
		for (int j = 0; j < FLOAT_REQUANT_VECTORS; j++) {
			c[j] = c[8 + j];
		}
	}
}

ALWAYS_INLINE void flat_pairs(const struct depthwise_work *w, const struct line_of_pixels *l,
	const enum block_kind kind, const bool clamped)
{
	struct block block = {kind, 1, 2, 2, clamped, false, 0, 2 * DEPTHWISE_BYTES};
	if (!l->lower) {
		block.rows = 1;
		flat_blocks(w, l, block);
	} else {
		flat_blocks(w, l, block);
	}
}

ALWAYS_INLINE void flat_halves(const struct depthwise_work *w, const struct line_of_pixels *l,
	const enum block_kind kind, const bool clamped)
{
	flat_blocks(w, l, (struct block){kind, 2, 1, 2, clamped, false, 0, DEPTHWISE_BYTES});
}

typedef void depthwise_rows_fn(const struct depthwise_work *w, const struct line_of_pixels *l);

#define PAIR_PART ((size_t)3 * 4 * 2 * DEPTHWISE_BYTES)
#define SINGLE_PART ((size_t)3 * 4 * DEPTHWISE_BYTES)

#define ROWS_DEFINE(name, call)                                                                    \
	static void name(const struct depthwise_work *w, const struct line_of_pixels *l)           \
	{                                                                                          \
		call;                                                                              \
	}

ROWS_DEFINE(panel_pairs_s8_whole, panel_pairs(w, l, true, false, 0))
ROWS_DEFINE(panel_pairs_s8_clamped, panel_pairs(w, l, true, true, 0))
ROWS_DEFINE(panel_pairs_u8_whole, panel_pairs(w, l, false, false, 0))
ROWS_DEFINE(panel_pairs_u8_clamped, panel_pairs(w, l, false, true, 0))
ROWS_DEFINE(panel_pairs_u8_2_whole, panel_pairs(w, l, false, false, PAIR_PART))
ROWS_DEFINE(panel_pairs_u8_2_clamped, panel_pairs(w, l, false, true, PAIR_PART))
ROWS_DEFINE(panel_single_s8_whole, panel_single(w, l, true, false, 0))
ROWS_DEFINE(panel_single_s8_clamped, panel_single(w, l, true, true, 0))
ROWS_DEFINE(panel_single_u8_whole, panel_single(w, l, false, false, 0))
ROWS_DEFINE(panel_single_u8_clamped, panel_single(w, l, false, true, 0))
ROWS_DEFINE(panel_single_u8_2_whole, panel_single(w, l, false, false, SINGLE_PART))
ROWS_DEFINE(panel_single_u8_2_clamped, panel_single(w, l, false, true, SINGLE_PART))
ROWS_DEFINE(flat_pairs_clamped, flat_3x3(w, l, true, 0, true))
ROWS_DEFINE(flat_pairs_whole, flat_3x3(w, l, false, 0, true))
ROWS_DEFINE(flat_pairs_clamped_2, flat_3x3(w, l, true, PAIR_PART, true))
ROWS_DEFINE(flat_pairs_whole_2, flat_3x3(w, l, false, PAIR_PART, true))
ROWS_DEFINE(flat_single_clamped, flat_3x3(w, l, true, 0, false))
ROWS_DEFINE(flat_single_whole, flat_3x3(w, l, false, 0, false))
ROWS_DEFINE(flat_single_clamped_2, flat_3x3(w, l, true, SINGLE_PART, false))
ROWS_DEFINE(flat_single_whole_2, flat_3x3(w, l, false, SINGLE_PART, false))

ROWS_DEFINE(flat_pairs_32_whole, flat_pairs(w, l, BLOCK_32, false))
ROWS_DEFINE(flat_pairs_32_clamped, flat_pairs(w, l, BLOCK_32, true))
ROWS_DEFINE(flat_pairs_16_whole, flat_pairs(w, l, BLOCK_16, false))
ROWS_DEFINE(flat_pairs_16_clamped, flat_pairs(w, l, BLOCK_16, true))
ROWS_DEFINE(flat_pairs_8_whole, flat_pairs(w, l, BLOCK_8, false))
ROWS_DEFINE(flat_pairs_8_clamped, flat_pairs(w, l, BLOCK_8, true))
ROWS_DEFINE(flat_halves_32_whole, flat_halves(w, l, BLOCK_32, false))
ROWS_DEFINE(flat_halves_32_clamped, flat_halves(w, l, BLOCK_32, true))
ROWS_DEFINE(flat_halves_16_whole, flat_halves(w, l, BLOCK_16, false))
ROWS_DEFINE(flat_halves_16_clamped, flat_halves(w, l, BLOCK_16, true))
ROWS_DEFINE(flat_halves_8_whole, flat_halves(w, l, BLOCK_8, false))
ROWS_DEFINE(flat_halves_8_clamped, flat_halves(w, l, BLOCK_8, true))

/* By pairs, weights, clamped. */
static depthwise_rows_fn *const panel_rows[2][3][2] = {
	{{panel_single_s8_whole, panel_single_s8_clamped},
		{panel_single_u8_whole, panel_single_u8_clamped},
		{panel_single_u8_2_whole, panel_single_u8_2_clamped}},
	{{panel_pairs_s8_whole, panel_pairs_s8_clamped},
		{panel_pairs_u8_whole, panel_pairs_u8_clamped},
		{panel_pairs_u8_2_whole, panel_pairs_u8_2_clamped}},
};

/* By pairs, second part, clamped. */
static depthwise_rows_fn *const flat_rows[2][2][2] = {
	{{flat_single_whole, flat_single_clamped}, {flat_single_whole_2, flat_single_clamped_2}},
	{{flat_pairs_whole, flat_pairs_clamped}, {flat_pairs_whole_2, flat_pairs_clamped_2}},
};

/* Of one set, 32, 16 or 8 channels: by that, two rows or every other column, clamped. */
static depthwise_rows_fn *const flat_block_rows[3][2][2] = {
	{{flat_halves_32_whole, flat_halves_32_clamped},
		{flat_pairs_32_whole, flat_pairs_32_clamped}},
	{{flat_halves_16_whole, flat_halves_16_clamped},
		{flat_pairs_16_whole, flat_pairs_16_clamped}},
	{{flat_halves_8_whole, flat_halves_8_clamped}, {flat_pairs_8_whole, flat_pairs_8_clamped}},
};

/* NULL where there is none. */
static depthwise_rows_fn *flat_block_of(const struct depthwise_work *w, bool clamped)
{
	const struct ek_window_axis *x = &w->args->shape.window.x;
	const size_t pixel = w->plan.pixel;
	if (x->dilation > 1 || x->stride != (w->plan.pairs ? 1 : 2) ||
		(pixel != 32 && pixel != 16 && pixel != 8)) {
		return NULL;
	}
	return flat_block_rows[pixel == 32 ? 0 : pixel == 16 ? 1 : 2][w->plan.pairs][clamped];
}

/* All sets of a flat one have the same function. */
static depthwise_rows_fn *depthwise_rows(const struct depthwise_work *w)
{
	const struct ek_window *window = &w->args->shape.window;
	uint32_t panels = w->plan.flat ? w->plan.panels : 1;
	bool second = false, steps = false, clamped = w->panel->mode == FLOAT_REQUANT_CLAMPED;
	for (uint32_t i = 0; i < panels; i++) {
		second |= w->panel[i].sums != 0;
		steps |= w->panel[i].mode == FLOAT_REQUANT_STEPS || w->panel[i].sums > 1;
	}
	bool any = steps || window->y.taps != 3 || window->x.taps != 3;
	if (!w->plan.flat) {
		uint32_t kind = w->output.is_signed ? 0 : second ? 2 : 1;
		any = any || window->x.dilation > 1;
		return any ? panel_any : panel_rows[w->plan.pairs][kind][clamped];
	}
	depthwise_rows_fn *fn = any || second ? NULL : flat_block_of(w, clamped);
	return fn ? fn : any ? flat_any : flat_rows[w->plan.pairs][second][clamped];
}

#endif
