/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_f32 - one step of a float LSTM cell for one batch entry
 *
 *   gate:   s[n] = w[n] . x + r[n] . h + peephole[n] * c[n] + bias[n]; with layer normalisation the
 *           bias comes after it
 *   norm:   s[n] = (s[n] - mean) / sqrt(variance + 1e-8) * norm[n] + bias[n]
 *   project: h[m] = p[m] . hidden + p_bias[m], clipped
 *
 * Logistic function, activation and the cell's update are element by element; see the functions.
 * Reads exactly the bytes named. Sums in any order.
 * Source: tflite kernels/lstm_eval.cc (LstmStepFloat).
 */
#ifndef KERNELS_LSTM_F32_H
#define KERNELS_LSTM_F32_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu.h"

struct ek_lstm_gate_f32 {
	const float *w; /* [cells][inputs] */
	const float *r; /* [cells][outputs] */
	const float *peephole; /* [cells] or NULL */
	const float *bias; /* [cells] */
	const float *norm; /* [cells] or NULL */
};

struct ek_lstm_f32 {
	uint32_t inputs, cells, outputs;
	struct ek_lstm_gate_f32 gate[4]; /* by enum ek_lstm_gate */
	float cell_clip, projection_clip; /* 0: none */
	const float *projection; /* [outputs][cells], or NULL: outputs == cells */
	const float *projection_bias; /* [outputs] or NULL */
};

struct ek_lstm_f32_row {
	struct ek_variant variant;
	/* Cells [first, end) of gate @which into @s; @x float[inputs], @h float[outputs], @c
	 * float[cells]. */
	void (*gate)(const struct ek_lstm_f32 *a, unsigned int which, const float *x,
		const float *h, const float *c, uint32_t first, uint32_t end, float *s);
	/* @hidden float[cells] to @h float[outputs]; with a projection only. */
	void (*project)(const struct ek_lstm_f32 *a, const float *hidden, float *h);
};

extern const struct ek_lstm_f32_row ek_lstm_f32[];
extern const size_t ek_lstm_f32_count;

/* Layer normalisation of gate @which, where it has one; in place. */
void ek_lstm_norm_f32(const struct ek_lstm_f32 *a, unsigned int which, float *s);

/* 1 / (1 + exp(-s)), in place. */
void ek_lstm_logistic_f32(float *s, size_t n);

/* c = f * c + i * g, clipped. */
void ek_lstm_cell_f32(
	const struct ek_lstm_f32 *a, const float *i, const float *f, const float *g, float *c);

#endif
