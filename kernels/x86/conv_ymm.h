/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ymm - convolution by panels of columns, for the product that was included before
 *
 * What pixels see is gathered in blocks of rows, which one panel of weights goes over after the
 * other. YMM(name) is name with the instruction set behind it.
 */
#ifndef KERNELS_X86_CONV_YMM_H
#define KERNELS_X86_CONV_YMM_H

#include "kernels/x86/conv.h"

uint64_t YMM(ek_conv_packed_bytes)(const struct ek_conv_shape *shape)
{
	return shape->groups > 1 ? 0 : product_packed_bytes(shape->out_c, ek_conv_depth(shape));
}

/* Few panels are not worth room in the arena. */
#define FEW_PANELS 4

static uint64_t panels_bytes(const struct ek_conv_shape *shape)
{
	uint64_t panels = ((uint64_t)shape->out_c + PANEL_COLS - 1) / PANEL_COLS;
	return panels > FEW_PANELS ? panels * sizeof(struct panel) : 0;
}

static uint64_t rows_of(const struct ek_conv_shape *s)
{
	return (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
}

/* The panels of a call, a block of rows, a patch. */
uint64_t YMM(ek_conv_scratch_bytes)(const struct ek_conv_shape *shape)
{
	uint64_t depth = ek_conv_depth(shape);
	uint64_t block = shape->groups > 1
		? 0
		: panels_bytes(shape) + product_scratch_bytes(rows_of(shape), depth);
	return block + depth;
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	const struct product_weights w = {
		.w = a->weights,
		.cols = a->shape.out_c,
		.depth = (size_t)ek_conv_depth(&a->shape),
		.zeros = {is_signed, a->input_zero, a->weights_zero},
	};
	product_pack(&w, packed);
}

void YMM(ek_conv_s8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_conv_u8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}

/* A filter of one tap that meets every pixel once: output rows are input rows. */
static bool is_pointwise(const struct ek_window *w)
{
	return w->y.taps == 1 && w->x.taps == 1 && w->y.stride == 1 && w->x.stride == 1 &&
		w->y.out == w->y.in && w->x.out == w->x.in;
}

static void fill(const struct ek_conv_q *a, uint32_t first, bool is_signed,
	const struct product_block *b, uint8_t *patch)
{
	const struct product_zeros zeros = {is_signed, a->input_zero, a->weights_zero};
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	bool pointwise = is_pointwise(&a->shape.window);
	for (uint32_t r = 0; r < b->n; r++) {
		const uint8_t *codes = (const uint8_t *)a->input + (first + r) * depth;
		if (!pointwise) {
			struct ek_pixel pixel = ek_window_pixel(&a->shape.window, first + r);
			ek_conv_patch(&a->shape, a->input, 1, a->input_zero, pixel, 0, patch);
			codes = patch;
		}
		product_fill(b, r, codes, depth, &zeros);
	}
}

struct columns {
	uint32_t first, n; /* of the output */
	const struct panel *panel;
	const product_element *weights;
	struct panel_output output;
};

/* Rows [first_row, first_row + b->n) of one panel's columns. */
static void block_columns(const struct ek_conv_q *a, const struct product_block *b,
	uint32_t first_row, const struct columns *c)
{
	panel_vector sums[BLOCK_STEP][PANEL_VECTORS];
	size_t cols = a->shape.out_c;
	uint8_t *to = (uint8_t *)a->output + first_row * cols + c->first;
	for (uint32_t r = 0; r < b->n;) {
		uint32_t n = product_run(b, r, c->weights, c->panel->start, sums);
		for (uint32_t i = 0; i < n; i++, to += cols) {
			panel_requant(c->panel, &c->output, sums[i]);
			panel_store(&c->output, false, sums[i], c->n, to);
		}
		r += n;
	}
}

/* Panels of the tile's columns. */
static void make_panels(
	const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, struct panel *panels)
{
	uint64_t products = ek_conv_depth(&a->shape) * 255 * (is_signed ? 128 : 255);
	const int32_t *start = product_start(a->weights);
	uint32_t last = t->first_col + t->n_cols;
	for (uint32_t n = t->first_col; n < last; n += PANEL_COLS) {
		panel_init(panels++, false, a->bias32 ? a->bias32 + n : NULL, a->scale + n,
			panel_least(a->shape.out_c - n, PANEL_COLS), products);
		panel_add_start(panels - 1, start ? start + n : NULL);
	}
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	struct panel few[FEW_PANELS], *panels = panels_bytes(&a->shape) ? scratch : few;
	struct product_block b = product_block((char *)scratch + panels_bytes(&a->shape), depth);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	uint32_t most = panel_least(product_block_rows(depth), t->n_rows);
	uint8_t *patch = (uint8_t *)scratch + panels_bytes(&a->shape) +
		product_scratch_bytes(rows_of(&a->shape), depth);
	make_panels(a, t, is_signed, panels);
	for (uint32_t row = t->first_row; row < end_row; row += b.n) {
		b.n = panel_least(most, end_row - row);
		fill(a, row, is_signed, &b, patch);
		for (uint32_t n = t->first_col; n < end_col; n += PANEL_COLS) {
			const struct columns c = {
				.first = n,
				.n = panel_least(end_col - n, PANEL_COLS),
				.panel = &panels[(n - t->first_col) / PANEL_COLS],
				.weights = product_panel(a->weights, a->shape.out_c, depth, n),
				.output = {a->output_zero, a->lo, a->hi, is_signed},
			};
			block_columns(a, &b, row, &c);
		}
	}
}

void YMM(ek_conv_s8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void YMM(ek_conv_u8)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}

#endif
