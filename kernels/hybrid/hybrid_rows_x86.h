/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid_rows_x86 - hybrid products with weights as they are in the file; ROW(name) gives a function its
 * instruction set
 *
 * Every step in float is rounded by itself, as in entry 0 of the lists.
 */
#include "kernels/conv/conv.h"
#include "kernels/gemm/matmul.h"
#include "kernels/gemm/matvec.h"

/* What becomes of the sums of one row of codes. */
struct h8_output {
	const float *scale, *bias; /* of column 0; bias may be NULL */
	float lo, hi;
	bool from_zero; /* entry 0 adds the product to 0 */
};

/* @v: sums of the codes of @n columns from @first on, as float. */
VECTOR_INLINE void h8_finish(
	const struct h8_output *o, vector v, float row_scale, uint32_t first, uint32_t n, float *to)
{
	vector scale = vector_load_first(o->scale + first, n);
	v = vector_mul(v, vector_mul(vector_all(row_scale), scale));
	v = o->from_zero ? vector_add(vector_all(0), v) : v;
	if (o->bias) {
		v = vector_add(v, vector_load_first(o->bias + first, n));
	}
	vector_store_first(to + first, n, vector_clamp(v, vector_all(o->lo), vector_all(o->hi)));
}

/* Columns [first, end) of one row. */
static void h8_row(const struct h8_output *o, const int8_t *x, struct ek_hybrid_row row,
	const int8_t *w, size_t depth, uint32_t first, uint32_t end, float *to)
{
	for (uint32_t n = first; n < end; n += VECTOR_LANES) {
		uint32_t left = end - n < VECTOR_LANES ? end - n : VECTOR_LANES;
		vector v = dots(x, row.zero, w + n * depth, depth, left);
		h8_finish(o, v, row.scale, n, left, to);
	}
}

static void matmul_plain(const struct ek_matmul_h *a, const struct ek_tile *t)
{
	size_t depth = a->shape.depth;
	if (a->block != depth) {
		ek_matmul_h8[0].run(a, t, NULL);
		return;
	}
	const struct h8_output o = {a->scale, a->bias, a->lo, a->hi, true};
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		h8_row(&o, a->a + m * depth, a->row[m], a->w, depth, t->first_col,
			t->first_col + t->n_cols, a->output + (size_t)m * a->shape.cols);
	}
}

/* @patch: room for what one pixel sees. */
static void conv_plain(const struct ek_conv_h *a, const struct ek_tile *t, void *patch)
{
	const struct ek_window *w = &a->shape.window;
	const struct h8_output o = {a->scale, a->bias, a->lo, a->hi, false};
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	uint32_t per_group = a->shape.out_c / a->shape.groups, end = t->first_col + t->n_cols;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		struct ek_pixel pixel = ek_window_pixel(w, m);
		struct ek_hybrid_row row = a->row[pixel.batch];
		float *to = a->output + (size_t)m * a->shape.out_c;
		for (uint32_t n = t->first_col, last; n < end; n = last) {
			uint32_t group = n / per_group;
			last = (group + 1) * per_group < end ? (group + 1) * per_group : end;
			ek_conv_patch(&a->shape, a->input, 1, row.zero, pixel, group, patch);
			h8_row(&o, patch, row, a->weights, depth, n, last, to);
		}
	}
}

void ROW(ek_matvec_hybrid)(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum)
{
	const int8_t *w = m->w;
	size_t columns = m->columns;
	const vector scale = vector_all(x->row.scale * m->scale);
	for (uint32_t n = first; n < end; n += VECTOR_LANES) {
		uint32_t left = end - n < VECTOR_LANES ? end - n : VECTOR_LANES;
		vector v = dots(x->x, x->row.zero, w + n * columns, columns, left);
		v = vector_add(vector_load_first(sum + n, left), vector_mul(v, scale));
		vector_store_first(sum + n, left, v);
	}
}
