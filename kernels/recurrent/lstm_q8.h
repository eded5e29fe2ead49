/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_q8 - one step of an LSTM cell for one batch entry: int8 activations and weights, int8 parts
 * of gates ("8x8_8"); coupled input gate, layer normalisation and projection are always there,
 * peepholes never
 *
 *   part:   p[n] = clamp(requant(sum over k of w[n][k] * (v[k] - v_zero)) + zero), int8
 *   gate:   s[n] = sat16(requant(px[n] - px_zero) + requant(ph[n] - ph_zero)), of x and of h
 *   norm:   in float: (s - mean) / sqrt(variance) * norm * norm_scale + bias * norm_scale / 1024, to
 *           Q3.12; a variance of 0 counts as 1e-8
 *   logistic, tanh: in float, cut to Q0.15
 *   cell:   ek_lstm_cell() of kernels/recurrent/lstm.h with scale 2^-15
 *   hidden: o * tanh(c) / 2^15, half away from zero, int16
 *   project: h[m] = clamp(requant64(p_bias[m] + sum over k of p[m][k] * hidden[k]) + zero), clipped
 *
 * exp() and tanh() are computed in double and rounded once: the same bits on every CPU.
 * Reads exactly the bytes named.
 * Source: tflite kernels/lstm_eval.cc (LstmStepInteger8x8_8), kernels/internal/reference/
 * portable_tensor_utils.cc; but each part is scaled by its own pair, where the reference scales the
 * output gate's recurrent part by another's.
 */
#ifndef KERNELS_RECURRENT_LSTM_Q8_H
#define KERNELS_RECURRENT_LSTM_Q8_H

#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_lstm_q8_part {
	const int8_t *w; /* [cells][columns] */
	uint32_t columns;
	int32_t v_zero; /* of what is multiplied */
	struct ek_scale scale; /* to the part */
	int32_t zero; /* of the part */
	struct ek_scale whole; /* from the part to the gate */
};

struct ek_lstm_q8_gate {
	struct ek_lstm_q8_part x, h;
	const int16_t *norm; /* [cells] */
	const int32_t *bias; /* [cells] */
	float norm_scale;
};

struct ek_lstm_q8_projection {
	const int8_t *w; /* [outputs][cells] */
	const int32_t *bias; /* [outputs] or NULL */
	struct ek_scale scale; /* shift <= 14 */
	int32_t zero;
	int8_t clip; /* 0: none */
};

/* Cells [first, end) of a gate into @s; @x and @h as the parts' columns say. */
void ek_lstm_q8_sum(const struct ek_lstm_q8_gate *g, const int8_t *x, const int8_t *h,
	uint32_t first, uint32_t end, int16_t *s);

/* Normalises @s, int16[cells], in place. */
void ek_lstm_q8_norm(const struct ek_lstm_q8_gate *g, size_t cells, int16_t *s);

/* Q3.12 to Q0.15, in place. */
void ek_lstm_q8_logistic(int16_t *s, size_t n);
/* With scale 2^shift to Q0.15. */
void ek_lstm_q8_tanh(const int16_t *s, int32_t shift, size_t n, int16_t *ret);

/* @hidden int16[cells] times output gate @o / 2^15, in place. */
void ek_lstm_q8_hidden(const int16_t *o, size_t n, int16_t *hidden);

/* Outputs [first, end) into @h. */
void ek_lstm_q8_project(const struct ek_lstm_q8_projection *p, const int16_t *hidden, size_t cells,
	uint32_t first, uint32_t end, int8_t *h);

#endif
