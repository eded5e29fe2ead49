/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent/lstm_q8.h"

#include <math.h>

#include "kernels/math/dot.h"

/* Row @n of a part, in the gate's scale. */
static int32_t part_of(const struct ek_lstm_q8_part *p, const int8_t *v, size_t n)
{
	int32_t sum = ek_dot_s8(v, (int16_t)p->v_zero, p->w + n * p->columns, p->columns);
	int32_t code = ek_add32(ek_mbqm(sum, p->scale), p->zero);
	return ek_mbqm(ek_clamp32(code, INT8_MIN, INT8_MAX) - p->zero, p->whole);
}

void ek_lstm_q8_sum(const struct ek_lstm_q8_gate *g, const int8_t *x, const int8_t *h,
	uint32_t first, uint32_t end, int16_t *s)
{
	for (uint32_t n = first; n < end; n++) {
		s[n] = ek_sat16((int64_t)part_of(&g->x, x, n) + part_of(&g->h, h, n));
	}
}

/* What a product gives as a number with 12 or 15 fraction bits. */
static int16_t to_fixed(float x)
{
	return (int16_t)ek_clamp32((int32_t)ek_clamp_f32(x, -1e6f, 1e6f), INT16_MIN, INT16_MAX);
}

void ek_lstm_q8_norm(const struct ek_lstm_q8_gate *g, size_t cells, int16_t *s)
{
	float sum = 0, squares = 0, n = (float)cells;
	for (size_t i = 0; i < cells; i++) {
		sum += (float)s[i];
		squares += (float)s[i] * (float)s[i];
	}
	float mean = sum / n, variance = squares / n - mean * mean;
	float inverse = 1 / sqrtf(variance == 0 ? 1e-8f : variance);
	float bias_scale = g->norm_scale * (1.0f / 1024);
	for (size_t i = 0; i < cells; i++) {
		float unit = ((float)s[i] - mean) * inverse;
		float v = unit * (float)g->norm[i] * g->norm_scale + (float)g->bias[i] * bias_scale;
		s[i] = v == v ? to_fixed(roundf(v * 4096)) : 0;
	}
}

void ek_lstm_q8_logistic(int16_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float e = (float)exp(-(double)s[i] / 4096);
		s[i] = to_fixed(1 / (1 + e) * 32768);
	}
}

void ek_lstm_q8_tanh(const int16_t *s, int32_t shift, size_t n, int16_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = to_fixed((float)tanh(ldexp(s[i], shift)) * 32768);
	}
}

void ek_lstm_q8_hidden(const int16_t *o, size_t n, int16_t *hidden)
{
	for (size_t i = 0; i < n; i++) {
		hidden[i] = ek_sat16(ek_rdbpot(o[i] * hidden[i], 15));
	}
}

void ek_lstm_q8_project(const struct ek_lstm_q8_projection *p, const int16_t *hidden, size_t cells,
	uint32_t first, uint32_t end, int8_t *h)
{
	for (uint32_t m = first; m < end; m++) {
		int64_t acc = ek_dot_s16(hidden, p->w + m * cells, cells);
		acc += p->bias ? p->bias[m] : 0;
		int32_t y = ek_add32(ek_mbqm64(acc, p->scale), p->zero);
		y = ek_clamp32(y, INT8_MIN, INT8_MAX);
		h[m] = (int8_t)(p->clip ? ek_clamp32(y, -p->clip, p->clip) : y);
	}
}
