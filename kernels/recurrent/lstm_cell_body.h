/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_cell_body - products of integer LSTMs and SVDFs, four rows of weights at a time; ROW(name) gives a function
 * its instruction set
 *
 * Requantisation is that of panels whose scale may be anything.
 */
#include "kernels/gemm/dots_neon.h"
#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/recurrent/lstm.h"
#include "kernels/recurrent/svdf.h"

static struct panel_scale scale_of(struct ek_scale s)
{
	return (struct panel_scale){
		.multiplier = vdupq_n_s32(s.multiplier),
		.right = vdupq_n_s32(s.shift < 0 ? s.shift : 0),
		.left = vdupq_n_s32(s.shift > 0 ? s.shift : 0),
	};
}

/* The first @n of four, and zeros. */
static inline int32x4_t load_bias(const int32_t *from, uint32_t n)
{
	int32_t some[4] = {0};
	if (n >= 4) {
		return vld1q_s32(from);
	}
	memcpy(some, from, n * sizeof(*some));
	return vld1q_s32(some);
}

/* The first @n of four, cut to 16 bits. */
static inline void store_cells(int16_t *to, int32x4_t v, uint32_t n)
{
	int16_t all[4];
	vst1_s16(all, vqmovn_s32(v));
	memcpy(to, all, n * sizeof(*all));
}

/* Requantised sums of rows [n, n + left) of @w by @x. */
static inline int32x4_t part(const int8_t *w, const int8_t *x, size_t depth, const int32_t *bias,
	struct panel_scale scale, size_t n, uint32_t left)
{
	int32x4_t sum = dots_integers(x, 0, w + n * depth, depth, left);
	return panel_requant(GEMM_TOTAL, scale, vaddq_s32(sum, load_bias(bias + n, left)));
}

void ROW(ek_lstm_gate_s8)(const struct ek_lstm_q *a, enum ek_lstm_gate which,
	const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s)
{
	const struct ek_lstm_gate_q *g = &a->gate[which];
	const struct panel_scale w_scale = scale_of(g->w_scale), r_scale = scale_of(g->r_scale);
	for (uint32_t n = first; n < end; n += 4) {
		const uint32_t left = end - n < 4 ? end - n : 4;
		int32x4_t x = part(g->w, sight->x, a->inputs, g->w_bias, w_scale, n, left);
		int32x4_t h = part(g->r, sight->h, a->outputs, g->r_bias, r_scale, n, left);
		store_cells(s + n, vqaddq_s32(vmovl_s16(vqmovn_s32(x)), h), left);
	}
	if (g->peephole) {
		ek_lstm_peephole(a, g, sight, first, end, s);
	}
}

void ROW(ek_lstm_project_s8)(const struct ek_lstm_q *a, const int8_t *hidden, int8_t *h)
{
	const struct panel_scale scale = scale_of(a->projection_scale);
	const int32x4_t zero = vdupq_n_s32(a->output_zero);
	for (uint32_t m = 0; m < a->outputs; m += 4) {
		const uint32_t left = a->outputs - m < 4 ? a->outputs - m : 4;
		int32_t y[4];
		vst1q_s32(y,
			vaddq_s32(zero,
				part(a->projection, hidden, a->cells, a->projection_bias, scale, m,
					left)));
		for (uint32_t i = 0; i < left; i++) {
			int32_t v = ek_clamp32(y[i], INT8_MIN, INT8_MAX);
			const int32_t clip = a->projection_clip;
			h[m + i] = (int8_t)(clip ? ek_clamp32(v, -clip, clip) : v);
		}
	}
}

void ROW(ek_svdf_feature_s8)(const struct ek_svdf_q *a, const struct ek_tile *t)
{
	const struct ek_svdf_shape *s = &a->shape;
	const struct panel_scale scale = scale_of(a->feature_scale);
	const uint32_t end = t->first_col + t->n_cols;
	for (uint32_t b = t->first_row; b < t->first_row + t->n_rows; b++) {
		const int8_t *x = a->input + (size_t)b * s->depth;
		for (uint32_t f = t->first_col; f < end; f += 4) {
			const uint32_t left = end - f < 4 ? end - f : 4;
			int16_t v[4];
			int32x4_t sum = dots_integers(x, a->input_zero,
				a->feature_weights + (size_t)f * s->depth, s->depth, left);
			store_cells(v, panel_requant(GEMM_TOTAL, scale, sum), 4);
			for (uint32_t i = 0; i < left; i++) {
				size_t at = ((size_t)b * s->filters + f + i) * s->memory;
				a->state[at + s->memory - 1] = v[i];
			}
		}
	}
}
