/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent/lstm_f32.h"

#include <math.h>

#include "kernels/math/dot.h"
#include "kernels/math/fast_math.h"

static void peephole_add(const struct ek_lstm_gate_f32 *g, bool hybrid, const float *c,
	uint32_t first, uint32_t end, float *s)
{
	const float *real = g->peephole;
	const int8_t *codes = g->peephole;
	for (uint32_t n = first; n < end; n++) {
		float weight = hybrid ? g->peephole_scale * (float)codes[n] : real[n];
		s[n] += weight * c[n];
	}
}

void ek_lstm_gate_f32(const struct ek_lstm_gate_f32 *g, const struct ek_matvec_row *product,
	bool hybrid, const struct ek_lstm_sight *sight, uint32_t first, uint32_t end, float *s)
{
	for (uint32_t n = first; n < end; n++) {
		s[n] = g->norm ? 0 : g->bias[n];
	}
	product->add(&g->w, &sight->x, first, end, s);
	if (g->aux.w) {
		product->add(&g->aux, &sight->aux, first, end, s);
	}
	product->add(&g->r, &sight->h, first, end, s);
	if (g->peephole) {
		peephole_add(g, hybrid, sight->c, first, end, s);
	}
}

void ek_lstm_norm_f32(const struct ek_lstm_gate_f32 *g, size_t cells, float *s)
{
	if (!g->norm) {
		return;
	}
	float sum = 0, squares = 0, n = (float)cells;
	for (size_t i = 0; i < cells; i++) {
		sum += s[i];
	}
	float mean = sum / n;
	for (size_t i = 0; i < cells; i++) {
		squares += (s[i] - mean) * (s[i] - mean);
	}
	float inverse = 1 / sqrtf(squares / n + 1e-8f);
	for (size_t i = 0; i < cells; i++) {
		s[i] = (s[i] - mean) * inverse * g->norm[i] + g->bias[i];
	}
}

void ek_lstm_logistic_f32(float *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s[i] = ek_fast_logistic(s[i]);
	}
}

void ek_lstm_clip_f32(float limit, size_t n, float *x)
{
	for (size_t i = 0; limit > 0 && i < n; i++) {
		float v = x[i] < limit ? x[i] : limit; /* NaN as well, as in LiteRT */
		x[i] = v > -limit ? v : -limit;
	}
}

void ek_lstm_cell_f32(
	const float *i, const float *f, const float *g, float clip, size_t n, float *c)
{
	for (size_t k = 0; k < n; k++) {
		c[k] = f[k] * c[k] + i[k] * g[k];
	}
	ek_lstm_clip_f32(clip, n, c);
}
