/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/lstm_f32.h"

#include <math.h>

#include "kernels/dot.h"

static void gate_f32__c(const struct ek_lstm_f32 *a, unsigned int which, const float *x,
	const float *h, const float *c, uint32_t first, uint32_t end, float *s)
{
	const struct ek_lstm_gate_f32 *g = &a->gate[which];
	size_t inputs = a->inputs, outputs = a->outputs;
	for (uint32_t n = first; n < end; n++) {
		float sum = g->norm ? 0 : g->bias[n];
		sum += ek_dot_f32(x, g->w + n * inputs, inputs);
		sum += ek_dot_f32(h, g->r + n * outputs, outputs);
		s[n] = g->peephole ? sum + g->peephole[n] * c[n] : sum;
	}
}

static float clip(float x, float limit)
{
	return limit > 0 ? ek_clamp_f32(x, -limit, limit) : x;
}

static void project_f32__c(const struct ek_lstm_f32 *a, const float *hidden, float *h)
{
	size_t cells = a->cells;
	for (uint32_t m = 0; m < a->outputs; m++) {
		float sum = ek_dot_f32(hidden, a->projection + m * cells, cells);
		sum += a->projection_bias ? a->projection_bias[m] : 0;
		h[m] = clip(sum, a->projection_clip);
	}
}

const struct ek_lstm_f32_row ek_lstm_f32[] = {
	{{"lstm_f32__c", 0}, gate_f32__c, project_f32__c},
};
const size_t ek_lstm_f32_count = sizeof(ek_lstm_f32) / sizeof(ek_lstm_f32[0]);

void ek_lstm_norm_f32(const struct ek_lstm_f32 *a, unsigned int which, float *s)
{
	const struct ek_lstm_gate_f32 *g = &a->gate[which];
	if (!g->norm) {
		return;
	}
	float sum = 0, squares = 0, n = (float)a->cells;
	for (uint32_t i = 0; i < a->cells; i++) {
		sum += s[i];
	}
	float mean = sum / n;
	for (uint32_t i = 0; i < a->cells; i++) {
		squares += (s[i] - mean) * (s[i] - mean);
	}
	float inverse = 1 / sqrtf(squares / n + 1e-8f);
	for (uint32_t i = 0; i < a->cells; i++) {
		s[i] = (s[i] - mean) * inverse * g->norm[i] + g->bias[i];
	}
}

void ek_lstm_logistic_f32(float *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s[i] = 1 / (1 + expf(-s[i]));
	}
}

void ek_lstm_cell_f32(
	const struct ek_lstm_f32 *a, const float *i, const float *f, const float *g, float *c)
{
	for (uint32_t n = 0; n < a->cells; n++) {
		c[n] = clip(f[n] * c[n] + i[n] * g[n], a->cell_clip);
	}
}
