/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_f32 - one step of an LSTM cell with float activations for one batch entry; weights are
 * float, or int8 with float activations quantised on the way in (hybrid)
 *
 *   gate:   s[n] = bias[n] + w[n] . x + aux_w[n] . aux + r[n] . h + peephole[n] * c[n]; with layer
 *           normalisation the bias comes after it
 *   norm:   s[n] = (s[n] - mean) / sqrt(variance + 1e-8) * norm[n] + bias[n]
 *   project: h[m] = p_bias[m] + p[m] . hidden, clipped
 *
 * Products are kernels/gemm/matvec.h's. Logistic function and the cell's update are element by element;
 * see the functions. Reads exactly the bytes named.
 * Source: tflite kernels/lstm_eval.cc (LstmStepFloat, LstmStepHybrid).
 */
#ifndef KERNELS_RECURRENT_LSTM_F32_H
#define KERNELS_RECURRENT_LSTM_F32_H

#include <stdbool.h>

#include "kernels/gemm/matvec.h"

struct ek_lstm_gate_f32 {
	struct ek_matvec w, aux, r; /* [cells][inputs], [cells][aux inputs], [cells][outputs] */
	const void *peephole; /* float or int8[cells], or NULL */
	float peephole_scale; /* of int8 */
	const float *bias; /* [cells] */
	const float *norm; /* [cells] or NULL */
};

/* What the gates of one step see. */
struct ek_lstm_sight {
	struct ek_matvec_x x, aux, h;
	const float *c; /* [cells] */
};

/* Cells [first, end) of gate @g into @s, before normalisation; products by @product. @hybrid: the
 * peephole is int8. */
void ek_lstm_gate_f32(const struct ek_lstm_gate_f32 *g, const struct ek_matvec_row *product,
	bool hybrid, const struct ek_lstm_sight *sight, uint32_t first, uint32_t end, float *s);

/* Layer normalisation of @s, float[cells], where gate @g has one; in place. */
void ek_lstm_norm_f32(const struct ek_lstm_gate_f32 *g, size_t cells, float *s);

/* 1 / (1 + exp(-s)), in place (kernels/math/fast_math.h). */
void ek_lstm_logistic_f32(float *s, size_t n);

/* c = f * c + i * g, clipped to +-clip where that is above 0. */
void ek_lstm_cell_f32(
	const float *i, const float *f, const float *g, float clip, size_t n, float *c);

/* Clipped to +-limit where that is above 0, in place. */
void ek_lstm_clip_f32(float limit, size_t n, float *x);

#endif
