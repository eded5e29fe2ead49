/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent/lstm.h"

#include "kernels/math/dot.h"
#include "kernels/math/fixed16.h"
#include "kernels/math/inv_sqrt.h"
#if defined(__aarch64__) || defined(__arm__)
#endif

#define BLOCK 64

void ek_lstm_peephole(const struct ek_lstm_q *a, const struct ek_lstm_gate_q *g,
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
		ek_lstm_peephole(a, g, sight, first, end, s);
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

static void logistic__c(int16_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s[i] = ek_fixed16_logistic(s[i]);
	}
}

static void tanh__c(const int16_t *x, int32_t integer_bits, size_t n, int16_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = ek_fixed16_tanh(x[i], integer_bits);
	}
}

const struct ek_lstm_q_row ek_lstm_s8[] = {
	{{"lstm_s8__c", 0}, gate_s8__c, project_s8__c, logistic__c, tanh__c},
#if defined(__aarch64__) || defined(__arm__)
	{{"lstm_s8__neon", EK_CPU_NEON}, ek_lstm_gate_s8__neon, ek_lstm_project_s8__neon,
		ek_lstm_logistic_s16__neon, ek_lstm_tanh_s16__neon},
#endif
#if defined(__aarch64__)
	{{"lstm_s8__dotprod", EK_CPU_DOTPROD}, ek_lstm_gate_s8__dotprod,
		ek_lstm_project_s8__dotprod, ek_lstm_logistic_s16__neon, ek_lstm_tanh_s16__neon},
#endif
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

void ek_lstm_finish(const struct ek_lstm_q_row *row, const struct ek_lstm_q *a,
	enum ek_lstm_gate which, int16_t *s)
{
	if (a->gate[which].norm) {
		normalise(&a->gate[which], a->cells, s);
	}
	if (which == EK_LSTM_CELL) {
		row->tanh(s, 3, a->cells, s);
	} else {
		row->logistic(s, a->cells);
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

void ek_lstm_hidden(const struct ek_lstm_q_row *row, const struct ek_lstm_q *a, const int16_t *i,
	const int16_t *o, const int16_t *c, int8_t *hidden)
{
	const bool no_tanh = a->cell_shift < -15;
	/* The projection's bias takes the zero point up again (as the reference has it). */
	const int32_t zero = a->projection ? -a->hidden_zero : a->hidden_zero;
	int16_t tanhs[BLOCK];
	for (uint32_t at = 0, n; at < a->cells; at += n) {
		n = a->cells - at < BLOCK ? a->cells - at : BLOCK;
		if (!no_tanh) {
			row->tanh(c + at, 15 + a->cell_shift, n, tanhs);
		}
		const int16_t *factor = no_tanh ? i + at : tanhs;
		for (uint32_t k = 0; k < n; k++) {
			int32_t y = ek_mbqm(o[at + k] * factor[k], a->hidden_scale);
			y = ek_clamp32(ek_add32(y, zero), INT8_MIN, INT8_MAX);
			hidden[at + k] = (int8_t)y;
		}
	}
}
