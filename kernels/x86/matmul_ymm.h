/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matmul_ymm - products by panels of columns, for the product that was included before
 *
 * As matmul_avx512vnni.c. YMM(name) is name with the instruction set behind it.
 */
#ifndef KERNELS_X86_MATMUL_YMM_H
#define KERNELS_X86_MATMUL_YMM_H

#include "kernels/x86/matmul.h"

uint64_t YMM(ek_matmul_packed_bytes)(const struct ek_matmul_shape *shape)
{
	return product_packed_bytes(shape->cols, shape->depth);
}

uint64_t YMM(ek_matmul_scratch_bytes)(const struct ek_matmul_shape *shape)
{
	return product_scratch_bytes(shape->rows, shape->depth);
}

static void pack(const struct ek_matmul_q *a, bool is_signed, void *packed)
{
	const struct product_weights w = {
		.w = a->w,
		.cols = a->shape.cols,
		.depth = a->shape.depth,
		.zeros = {is_signed, a->input_zero, a->weights_zero},
	};
	product_pack(&w, packed);
}

void YMM(ek_matmul_s8_pack)(const struct ek_matmul_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_matmul_u8_pack)(const struct ek_matmul_q *args, void *packed)
{
	pack(args, false, packed);
}

struct columns {
	uint32_t first, n; /* of the output */
	struct panel panel;
	double scale[PANEL_COLS];
	const product_element *weights;
};

/* One row of a panel's columns. */
static void put(const struct ek_matmul_q *a, const struct columns *c, size_t row,
	const panel_vector sums[PANEL_VECTORS])
{
	const struct panel_output output = {a->output_zero, a->lo, a->hi, false};
	int32_t y[PANEL_COLS];
	size_t at = row * a->shape.cols + c->first;
	for (int j = 0; j < PANEL_VECTORS; j++) {
		panel_vector v = a->fixed ? panel_requant_total(&c->panel, j, sums[j])
					  : panel_rescale(sums[j], c->scale + PANEL_LANES * j);
		panel_store_32(&output, v, y + PANEL_LANES * j);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		if (a->output_s16) {
			((int16_t *)a->output)[at + i] = (int16_t)y[i];
		} else {
			((uint8_t *)a->output)[at + i] = (uint8_t)y[i];
		}
	}
}

static void block_columns(const struct ek_matmul_q *a, const struct product_block *b,
	uint32_t first_row, const struct columns *c)
{
	panel_vector sums[BLOCK_STEP][PANEL_VECTORS];
	for (uint32_t r = 0; r < b->n;) {
		uint32_t n = product_run(b, r, c->weights, c->panel.start, sums);
		for (uint32_t i = 0; i < n; i++) {
			put(a, c, (size_t)first_row + r + i, sums[i]);
		}
		r += n;
	}
}

static struct columns columns_at(const struct ek_matmul_q *a, uint32_t first, uint32_t end)
{
	struct columns c = {.first = first, .n = panel_least(end - first, PANEL_COLS)};
	uint32_t in_panel = panel_least(a->shape.cols - first, PANEL_COLS);
	c.weights = product_panel(a->w, a->shape.cols, a->shape.depth, first);
	panel_init(&c.panel, false, a->bias32 ? a->bias32 + first : NULL,
		a->fixed ? a->fixed + first : NULL, in_panel, UINT64_MAX);
	const int32_t *start = product_start(a->w);
	panel_add_start(&c.panel, start ? start + first : NULL);
	if (!a->fixed) {
		memcpy(c.scale, a->scale + first, in_panel * sizeof(*c.scale));
	}
	return c;
}

static void run(const struct ek_matmul_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	size_t depth = a->shape.depth;
	const struct product_zeros zeros = {is_signed, a->input_zero, a->weights_zero};
	struct product_block b = product_block(scratch, depth);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < end_row; row += b.n) {
		b.n = panel_least(product_block_rows(depth), end_row - row);
		for (uint32_t r = 0; r < b.n; r++) {
			const uint8_t *codes = (const uint8_t *)a->a + (size_t)(row + r) * depth;
			product_fill(&b, r, codes, depth, &zeros);
		}
		for (uint32_t n = t->first_col; n < end_col; n += PANEL_COLS) {
			const struct columns c = columns_at(a, n, end_col);
			block_columns(a, &b, row, &c);
		}
	}
}

void YMM(ek_matmul_s8)(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, true, scratch);
}

void YMM(ek_matmul_u8)(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, false, scratch);
}

#endif
