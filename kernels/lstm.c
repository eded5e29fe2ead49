/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/lstm.h"

#include "kernels/dot.h"
#include "kernels/fixed16.h"
#include "kernels/inv_sqrt.h"

static void peephole_add(const struct ek_lstm_q *a, const struct ek_lstm_gate_q *g,
	const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s)
{
	for (uint32_t n = first; n < end && sight->position + n < a->peephole_end; n++) {
		int16_t weight = g->peephole[(sight->position + n) % a->peephole_wrap];
		s[n] = ek_sat16((int64_t)s[n] + ek_mbqm(weight * sight->c[n], g->peephole_scale));
	}
}

static void gate_s8__c(const struct ek_lstm_q *a, enum ek_lstm_gate which,
	const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s)
{
	const struct ek_lstm_gate_q *g = &a->gate[which];
	size_t inputs = a->inputs, outputs = a->outputs;
	for (uint32_t n = first; n < end; n++) {
		int32_t from_x = ek_dot_s8(sight->x, 0, g->w + n * inputs, inputs);
		int32_t from_h = ek_dot_s8(sight->h, 0, g->r + n * outputs, outputs);
		int16_t sum = ek_sat16(ek_mbqm(ek_add32(from_x, g->w_bias[n]), g->w_scale));
		from_h = ek_mbqm(ek_add32(from_h, g->r_bias[n]), g->r_scale);
		s[n] = ek_sat16((int64_t)sum + from_h);
	}
	if (g->peephole) {
		peephole_add(a, g, sight, first, end, s);
	}
}

static void project_s8__c(const struct ek_lstm_q *a, const int8_t *hidden, int8_t *h)
{
	size_t cells = a->cells;
	for (uint32_t m = 0; m < a->outputs; m++) {
		int32_t sum = ek_dot_s8(hidden, 0, a->projection + m * cells, cells);
		int32_t acc = ek_add32(sum, a->projection_bias[m]);
		int32_t y = ek_add32(ek_mbqm(acc, a->projection_scale), a->output_zero);
		y = ek_clamp32(y, INT8_MIN, INT8_MAX);
		if (a->projection_clip) {
			y = ek_clamp32(y, -a->projection_clip, a->projection_clip);
		}
		h[m] = (int8_t)y;
	}
}

const struct ek_lstm_q_row ek_lstm_s8[] = {
	{{"lstm_s8__c", 0}, gate_s8__c, project_s8__c},
};
const size_t ek_lstm_s8_count = sizeof(ek_lstm_s8) / sizeof(ek_lstm_s8[0]);

struct moments {
	int32_t mean; /* times 1024 */
	struct ek_scale inverse; /* one over the standard deviation, for values times 1024 */
};

static struct moments moments_of(const int16_t *s, uint32_t n, int32_t limit)
{
	int64_t sum = 0, squares = 0;
	for (uint32_t i = 0; i < n; i++) {
		sum += s[i];
		squares += s[i] * s[i];
	}
	int32_t mean = (int32_t)(sum * 1024 / n);
	int64_t difference = squares * ((1 << 20) / n) - (int64_t)mean * mean;
	int32_t variance = (int32_t)(difference / (1 << 20));
	return (struct moments){mean, ek_inv_sqrt(variance < 1 ? limit : variance)};
}

static void normalise(const struct ek_lstm_gate_q *g, uint32_t n, int16_t *s)
{
	struct moments m = moments_of(s, n, g->norm_limit);
	for (uint32_t i = 0; i < n; i++) {
		int64_t u = ek_mbqm(1024 * s[i] - m.mean, m.inverse);
		u = u * g->norm[i] + g->norm_bias[i];
		int32_t rounded = (int32_t)((u > 0 ? u + 512 : u - 512) / 1024);
		s[i] = ek_sat16(ek_mbqm(rounded, g->norm_scale));
	}
}

void ek_lstm_finish(const struct ek_lstm_q *a, enum ek_lstm_gate which, int16_t *s)
{
	if (a->gate[which].norm) {
		normalise(&a->gate[which], a->cells, s);
	}
	for (uint32_t n = 0; n < a->cells; n++) {
		s[n] = which == EK_LSTM_CELL ? ek_fixed16_tanh(s[n], 3) : ek_fixed16_logistic(s[n]);
	}
}

void ek_lstm_couple(const int16_t *f, size_t n, int16_t *i)
{
	for (size_t k = 0; k < n; k++) {
		i[k] = (int16_t)(INT16_MAX - f[k]);
	}
}

void ek_lstm_cell(const int16_t *i, const int16_t *f, const int16_t *g, int32_t shift, int16_t clip,
	size_t n, int16_t *c)
{
	for (size_t k = 0; k < n; k++) {
		int32_t kept = ek_rdbpot(f[k] * c[k], 15);
		int32_t added = ek_rdbpot(i[k] * g[k], 30 + shift);
		int16_t v = ek_sat16((int64_t)kept + added);
		c[k] = clip ? (int16_t)ek_clamp32(v, -clip, clip) : v;
	}
}

void ek_lstm_hidden(const struct ek_lstm_q *a, const int16_t *i, const int16_t *o, const int16_t *c,
	int8_t *hidden)
{
	bool no_tanh = a->cell_shift < -15;
	/* The projection's bias takes the zero point up again (as the reference has it). */
	int32_t zero = a->projection ? -a->hidden_zero : a->hidden_zero;
	for (uint32_t n = 0; n < a->cells; n++) {
		int32_t v = o[n] * (no_tanh ? i[n] : ek_fixed16_tanh(c[n], 15 + a->cell_shift));
		int32_t y = ek_add32(ek_mbqm(v, a->hidden_scale), zero);
		hidden[n] = (int8_t)ek_clamp32(y, INT8_MIN, INT8_MAX);
	}
}
