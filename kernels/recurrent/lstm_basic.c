/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent/lstm_basic.h"

#include <math.h>

#include "kernels/math/dot.h"
#include "kernels/math/fixed16.h"

/* ek_mbqm(), but for the right shift, whose ties go up: what LiteRT's kernel was seen to do. */
static int32_t rescale(int32_t x, struct ek_scale s)
{
	if (s.shift >= 0) {
		return ek_mbqm(x, s);
	}
	int64_t product = ek_srdhm(x, s.multiplier);
	return (int32_t)((product + (INT64_C(1) << (-s.shift - 1))) >> -s.shift);
}

void ek_lstm_basic_gates_u8(const struct ek_lstm_basic_q *a, const struct ek_tile *t)
{
	size_t depth = a->depth;
	int16_t zero = (int16_t)a->weights_zero;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			int32_t sum =
				ek_dot_u8(a->x + m * depth, 128, a->w + n * depth, zero, depth);
			int32_t acc = ek_add32(sum, a->bias[n]);
			a->gates[(size_t)m * a->cols + n] = ek_sat16(rescale(acc, a->scale));
		}
	}
}

void ek_lstm_basic_q(
	const int16_t *gates, const int16_t *before, size_t n, int16_t *state, uint8_t *h)
{
	for (size_t k = 0; k < n; k++) {
		int16_t i = ek_fixed16_logistic(gates[k]);
		int16_t m = ek_fixed16_tanh(gates[n + k], 3);
		int16_t f = ek_fixed16_logistic(gates[2 * n + k]);
		int16_t o = ek_fixed16_logistic(gates[3 * n + k]);
		int32_t added = ek_rdbpot(ek_srdhm16(i, m), 4);
		int16_t s = ek_sat16((int64_t)added + ek_srdhm16(f, before[k]));
		int16_t squashed = ek_fixed16_tanh(ek_sat16((int64_t)s * 2), 3);
		int32_t y = ek_rdbpot(ek_srdhm16(o, squashed), 8);
		state[k] = s;
		h[k] = (uint8_t)(128 + ek_clamp32(y, INT8_MIN, INT8_MAX));
	}
}

static float logistic(float x)
{
	return 1 / (1 + expf(-x));
}

void ek_lstm_basic_f32(const float *gates, const float *before, size_t n, float *state, float *h)
{
	for (size_t k = 0; k < n; k++) {
		float added = logistic(gates[k]) * tanhf(gates[n + k]);
		state[k] = added + logistic(gates[2 * n + k]) * before[k];
		h[k] = logistic(gates[3 * n + k]) * tanhf(state[k]);
	}
}
