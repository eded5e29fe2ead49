/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ymm - convolution by panels of channels, for vectors of 128 and 256 bits
 *
 * Includes come after a line (float_requant_avx2.h, float_requant_sse41.h) and a source (source_pairs.h,
 * source_fours.h). YMM(name) is name with the instruction set behind it; TILE_ROWS is how many pixels
 * of two vectors of sums the registers hold.
 */
#ifndef KERNELS_CONV_CONV_YMM_H
#define KERNELS_CONV_CONV_YMM_H

#include "kernels/conv/conv_variants.h"
#include "kernels/conv/conv_ymm_pack.h"
#include "kernels/conv/conv_ymm_tile.h"

/* What each pixel adds to its sums, a block. */
uint64_t YMM(ek_conv_scratch_bytes)(const struct ek_conv_shape *shape)
{
	if (!conv_is_walked(shape, MOST_BYTES)) {
		return ek_conv_depth(shape);
	}
	const struct conv_plan p = conv_plan_of(shape);
	return conv_add_bytes(&p) + p.data;
}

/* A call. */
struct work {
	const struct ek_conv_q *args;
	const struct ek_tile *tile;
	struct conv_plan plan;
	struct conv_way way;
	struct source source;
	int32_t sums; /* what a panel of the tile multiplies sums of codes by, or 0 */
	int32_t *add;
	uint8_t *data;
};

/* Rows of pixels: each of @n pixels, @row_bytes from one to the next. */
struct spans {
	const uint8_t *in;
	size_t row_bytes;
	uint32_t first, rows, n; /* first: output pixel */
};

static int32_t sum_of(const struct work *w, const uint8_t *at)
{
	const struct conv_plan *p = &w->plan;
	uint32_t sum = 0;
	for (uint32_t y = 0; y < p->rows; y++, at += w->way.tile.row_step) {
		for (uint32_t x = 0; x < p->cols; x++) {
			sum += (uint32_t)source_sum(at + x * w->way.tile.col_step, p->segment);
		}
	}
	return (int32_t)sum;
}

static void sum_pixels(const struct work *w, const struct spans *spans)
{
	int32_t *add = w->add;
	for (uint32_t r = 0; r < spans->rows; r++) {
		const uint8_t *in = spans->in + r * spans->row_bytes;
		for (uint32_t i = 0; i < spans->n; i++, in += w->way.tile.pixel) {
			*add++ = ek_mul32(w->sums, sum_of(w, in));
		}
	}
}

static void run_spans(const struct work *w, const struct spans *spans)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct float_requant_panel *panels = w->args->weights;
	uint32_t end = w->tile->first_col + w->tile->n_cols;
	if (SOURCE_SUMS && w->sums) {
		sum_pixels(w, spans);
	}
	for (uint32_t n = w->tile->first_col; n < end; n += VEC_COLS) {
		struct conv_span span = {
			.channels = conv_least(s->out_c - n, VEC_COLS),
			.panel = &panels[n / VEC_COLS],
			.weights = conv_weights(s, &w->plan, w->args->weights, n),
		};
		uint8_t *out = (uint8_t *)w->args->output + spans->first * (size_t)s->out_c + n;
		for (uint32_t r = 0; r < spans->rows; r++) {
			span.in = spans->in + r * spans->row_bytes;
			span.add = span.panel->sums ? w->add + (size_t)r * spans->n : NULL;
			span.out = out + (size_t)r * spans->n * s->out_c;
			span_run((int)conv_vectors_at(s, n), &w->way, &span, spans->n);
		}
	}
}

/* Row @y of the picture, from the first of the padding on. */
static void copy_row(const struct work *w, uint32_t batch, int64_t y, uint8_t *to)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window_axis *ay = &s->window.y, *ax = &s->window.x;
	const size_t channels = s->in_c, row = w->plan.row;
	size_t left = (size_t)ax->pad * channels, inside = ax->in * channels;
	left = left < row ? left : row;
	inside = inside < row - left ? inside : row - left;
	if (y < 0 || y >= ay->in) {
		source_pad(&w->source, to, row);
		return;
	}
	const uint8_t *from = (const uint8_t *)w->args->input +
		((size_t)batch * ay->in + (size_t)y) * ax->in * channels;
	source_pad(&w->source, to, left);
	source_copy(&w->source, to + left * SOURCE_BYTES, from, inside);
	source_pad(&w->source, to + (left + inside) * SOURCE_BYTES, row - left - inside);
}

/* Some output rows from pixel @first on, or a part of one; returns how many pixels. */
static uint32_t block_of_rows(const struct work *w, uint32_t first, uint32_t left)
{
	const struct ek_window_axis *y = &w->args->shape.window.y, *x = &w->args->shape.window.x;
	struct ek_pixel p = ek_window_pixel(&w->args->shape.window, first);
	uint32_t rows = conv_least(conv_least(left / x->out, w->plan.block), y->out - p.y);
	bool part = p.x > 0 || rows == 0;
	rows = part ? 1 : rows;
	const size_t row_bytes = w->plan.row * SOURCE_BYTES;
	const struct spans spans = {
		.in = w->data + p.x * w->way.tile.pixel,
		.row_bytes = y->stride * row_bytes,
		.first = first,
		.rows = rows,
		.n = part ? conv_least(left, x->out - p.x) : x->out,
	};
	int64_t from = (int64_t)p.y * y->stride - y->pad;
	uint32_t in_rows = (rows - 1) * y->stride + (uint32_t)conv_reach(y);
	for (uint32_t i = 0; i < in_rows; i++) {
		copy_row(w, p.batch, from + i, w->data + i * row_bytes);
	}
	run_spans(w, &spans);
	return rows * spans.n;
}

/* @n pixels of one tap from @first on, side by side. */
static void copy_pixels(const struct work *w, uint32_t first, uint32_t n)
{
	const struct ek_window *window = &w->args->shape.window;
	const size_t depth = w->args->shape.in_c, step = window->x.stride * depth;
	uint8_t *to = w->data;
	for (uint32_t end = first + n, left; first < end; first += left) {
		struct ek_pixel p = ek_window_pixel(window, first);
		size_t y = (size_t)p.batch * window->y.in + (size_t)p.y * window->y.stride;
		const uint8_t *from =
			(const uint8_t *)w->args->input + y * window->x.in * depth + p.x * step;
		left = conv_least(end - first, window->x.out - p.x);
		for (uint32_t i = 0; i < left; i++, from += step, to += w->way.tile.pixel) {
			source_copy(&w->source, to, from, depth);
		}
	}
}

/* @n pixels of one tap from @first on. */
static void block_of_pixels(const struct work *w, uint32_t first, uint32_t n)
{
	const struct ek_window *window = &w->args->shape.window;
	const size_t depth = w->args->shape.in_c;
	const uint8_t *from = (const uint8_t *)w->args->input + first * depth;
	bool dense = window->x.stride == 1 && window->y.stride == 1 &&
		window->x.in == window->x.out && window->y.in == window->y.out &&
		depth * SOURCE_BYTES == w->way.tile.pixel;
	struct spans spans = {w->data, 0, first, 1, n};
	if (dense && SOURCE_BYTES == 1 && !w->source.is_signed) {
		spans.in = from;
	} else if (dense) {
		source_copy(&w->source, w->data, from, n * depth);
	} else {
		copy_pixels(w, first, n);
	}
	run_spans(w, &spans);
}

/* Pixels of each block: about as many of one as of another, and whole tiles. */
static uint32_t even_block(const struct work *w, uint32_t rows)
{
	uint32_t blocks = (rows + w->plan.block - 1) / w->plan.block;
	uint32_t each = (rows / blocks + TILE_ROWS) / TILE_ROWS * TILE_ROWS;
	return conv_least(each, w->plan.block);
}

/* What any panel of the tile asks for. */
static int32_t sums_of(const struct ek_conv_q *a, const struct ek_tile *t)
{
	const struct float_requant_panel *panels = a->weights;
	int32_t sums = 0;
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols && !sums; n += VEC_COLS) {
		sums = panels[n / VEC_COLS].sums;
	}
	return sums;
}

static struct conv_way way_of(const struct ek_conv_q *a, const struct conv_plan *p, bool is_signed)
{
	const struct ek_window_axis *y = &a->shape.window.y, *x = &a->shape.window.x;
	const size_t pixel = a->shape.in_c * (size_t)SOURCE_BYTES;
	return (struct conv_way){
		.tile = {.pixel = p->by_pixel ? 4 * p->steps : x->stride * pixel,
			.rows = p->rows,
			.cols = p->cols,
			.row_step = y->dilation * p->row * SOURCE_BYTES,
			.col_step = x->dilation * pixel,
			.steps = p->steps},
		.out_pixel = a->shape.out_c,
		.limits = vec_limits(a->output_zero, a->lo, a->hi, is_signed),
	};
}

static __attribute__((noinline)) void run_tile(
	const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct work w = {.args = a, .tile = t, .plan = conv_plan_of(&a->shape)};
	w.way = way_of(a, &w.plan, is_signed);
	w.source = (struct source){is_signed, a->input_zero};
	w.sums = SOURCE_SUMS ? sums_of(a, t) : 0;
	w.add = scratch;
	w.data = (uint8_t *)scratch + conv_add_bytes(&w.plan);
	uint32_t end = t->n_cols ? t->first_row + t->n_rows : t->first_row;
	uint32_t block = w.plan.by_pixel && t->n_rows ? even_block(&w, t->n_rows) : 0;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		if (w.plan.by_pixel) {
			n = conv_least(block, end - row);
			block_of_pixels(&w, row, n);
		} else {
			n = block_of_rows(&w, row, end - row);
		}
	}
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	unsigned floats = float_requant_begin();
	run_tile(a, t, is_signed, scratch);
	float_requant_end(floats);
}

void YMM(ek_conv_s8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!conv_is_walked(&args->shape, MOST_BYTES)) {
		ek_conv_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void YMM(ek_conv_u8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!conv_is_walked(&args->shape, MOST_BYTES)) {
		ek_conv_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}

#endif
