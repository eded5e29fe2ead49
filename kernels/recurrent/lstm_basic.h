/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_basic - the LSTM cell of five inputs: one weight matrix for all gates over input and previous
 * output joined; gates in the order input, modulation, forget, output
 *
 *   state = logistic(input) * tanh(modulation) + logistic(forget) * previous state
 *   h     = logistic(output) * tanh(state)
 *
 * In 8 and 16 bits: activations are uint8 with zero point 128, gates Q3.12, states Q4.11.
 *   gates: s[n] = sat16(requant(bias[n] + sum over k of (x[k] - 128) * (w[n][k] - weights_zero)))
 *   state: sat16(i * m in Q4.11, half away from zero, + f * previous)
 *   h:     128 + clamp(o * tanh(sat16(2 * state)) / 2^8, half away from zero)
 *
 * Reads exactly the bytes named.
 * Source: tflite kernels/internal/reference/lstm_cell.h.
 */
#ifndef KERNELS_RECURRENT_LSTM_BASIC_H
#define KERNELS_RECURRENT_LSTM_BASIC_H

#include <stddef.h>

#include "kernels/math/quant.h"
#include "kernels/tile.h"

struct ek_lstm_basic_q {
	const uint8_t *x; /* [rows][depth]: input and previous output joined */
	const uint8_t *w; /* [cols][depth] */
	const int32_t *bias; /* [cols] */
	int16_t *gates; /* [rows][cols] */
	uint32_t cols, depth;
	int32_t weights_zero;
	struct ek_scale scale;
};

/* Rows of the tile are those of x, columns those of gates. */
void ek_lstm_basic_gates_u8(const struct ek_lstm_basic_q *a, const struct ek_tile *tile);

/* One row: @gates [4][n], @before, @state and @h [n]. */
void ek_lstm_basic_q(
	const int16_t *gates, const int16_t *before, size_t n, int16_t *state, uint8_t *h);
void ek_lstm_basic_f32(const float *gates, const float *before, size_t n, float *state, float *h);

#endif
