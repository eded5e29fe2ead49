/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm - one step of an LSTM cell for one batch entry: int8 activations and weights, int16 cell
 * state ("8x8_16")
 *
 *   gate:   s[n] = requant(w[n] . x + w_bias[n])
 *           s[n] = sat16(s[n] + requant(r[n] . h + r_bias[n]))
 *           s[n] = sat16(s[n] + requant(peephole[n] * c[n]))         with a peephole: see below
 *   finish: s = norm(s)                                              with layer normalisation
 *           s = logistic(s), the cell gate tanh(s); s in Q3.12, result in Q0.15
 *   cell:   c[n] = sat16(f[n] * c[n] / 2^15 + i[n] * g[n] / 2^(30 + cell_shift)), clipped
 *   hidden: requant(o[n] * tanh(c[n])) + or - hidden_zero, in int8
 *   project: h[m] = clamp(requant(p[m] . hidden + p_bias[m]) + output_zero), clipped
 *
 * Peepholes with a projection: the reference's loop counts n_output where n_cell is meant, over all
 * batch entries of a step in one flat array. So with fewer outputs than cells, position p = entry *
 * cells + n takes part only while p < entries * outputs, with weight p mod outputs; where the
 * entries are stepped one by one (batch-major sequences) each counts as the first of one. With more
 * outputs than cells it would read behind the weights; there n_cell counts, as it does without a
 * projection.
 *
 * w_bias, r_bias and p_bias have the products of the zero points folded in. Without projection h is
 * hidden. Every requant is MBQM; divisions by powers of two round half away from zero.
 *
 * Layer normalisation over n cells, C divisions: mean = sum * 1024 / n, variance = (sum of squares
 * * (2^20 / n) - mean^2) / 2^20, at least norm_limit where it is below 1; u = MBQM(1024 * s - mean,
 * inv_sqrt(variance)) * norm + norm_bias; s = sat16(MBQM(u / 1024 rounded half away, norm_scale)).
 *
 * Reads exactly the bytes named. Bit-exact with entry 0 of the list.
 * Source: tflite kernels/lstm_eval.cc (LstmStepInteger8x8_16), kernels/internal/reference/
 * portable_tensor_utils.cc.
 */
#ifndef KERNELS_RECURRENT_LSTM_H
#define KERNELS_RECURRENT_LSTM_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/math/quant.h"

enum ek_lstm_gate {
	EK_LSTM_INPUT,
	EK_LSTM_FORGET,
	EK_LSTM_CELL,
	EK_LSTM_OUTPUT,
	EK_LSTM_GATES
};

struct ek_lstm_gate_q {
	const int8_t *w; /* [cells][inputs] */
	const int8_t *r; /* [cells][outputs] */
	const int32_t *w_bias, *r_bias; /* [cells] */
	const int16_t *peephole; /* [cells] or NULL */
	const int16_t *norm; /* [cells] or NULL */
	const int32_t *norm_bias; /* [cells], with norm */
	struct ek_scale w_scale, r_scale, peephole_scale;
	struct ek_scale norm_scale; /* shift <= 31 */
	int32_t norm_limit; /* at least 1 */
};

struct ek_lstm_q {
	uint32_t inputs, cells, outputs;
	struct ek_lstm_gate_q gate[EK_LSTM_GATES];
	int32_t cell_shift; /* cell state has scale 2^cell_shift, -30..-9 */
	int16_t cell_clip; /* 0: none */
	struct ek_scale hidden_scale;
	int32_t hidden_zero;
	const int8_t *projection; /* [outputs][cells], or NULL: outputs == cells */
	const int32_t *projection_bias; /* [outputs] */
	struct ek_scale projection_scale;
	int32_t output_zero;
	int8_t projection_clip; /* 0: none */
	/* Positions below @peephole_end have a peephole, with weight position mod @peephole_wrap.
	 */
	uint32_t peephole_end, peephole_wrap;
};

/* What the gates of one step of one batch entry see. */
struct ek_lstm_q_sight {
	const int8_t *x; /* [inputs] */
	const int8_t *h; /* [outputs] */
	const int16_t *c; /* [cells] */
	uint32_t position; /* of cell 0 among those that are stepped together */
};

struct ek_lstm_q_row {
	struct ek_variant variant;
	/* Cells [first, end) of gate @which into @s. */
	void (*gate)(const struct ek_lstm_q *a, enum ek_lstm_gate which,
		const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s);
	/* @hidden int8[cells] to @h int8[outputs]; with a projection only. */
	void (*project)(const struct ek_lstm_q *a, const int8_t *hidden, int8_t *h);
	/* fixed16.h's functions of each of @n numbers: the first with 3 integer bits and in place, the
	 * second with 0..6; @ret may be @x. */
	void (*logistic)(int16_t *s, size_t n);
	void (*tanh)(const int16_t *x, int32_t integer_bits, size_t n, int16_t *ret);
};

extern const struct ek_lstm_q_row ek_lstm_s8[];
extern const size_t ek_lstm_s8_count;

/* Adds peepholes to cells [first, end) of gate @g: for the rows. */
void ek_lstm_peephole(const struct ek_lstm_q *a, const struct ek_lstm_gate_q *g,
	const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s);

/* What follows is element by element over all cells, one form for all variants but for a row's functions. */

/* Normalises and activates @s, int16[cells], of gate @which, in place. */
void ek_lstm_finish(const struct ek_lstm_q_row *row, const struct ek_lstm_q *a,
	enum ek_lstm_gate which, int16_t *s);

/* The coupled input gate (CIFG): 1 - f. */
void ek_lstm_couple(const int16_t *f, size_t n, int16_t *i);

/* The new cell state @c, of scale 2^shift, from gates @i, @f and @g; clipped to +-clip where that is
 * above 0. */
void ek_lstm_cell(const int16_t *i, const int16_t *f, const int16_t *g, int32_t shift, int16_t clip,
	size_t n, int16_t *c);

/*
 * @hidden int8[cells] from output gate @o and cell state @c. The reference's tanh has no table for
 * scales below 2^-15 and leaves its scratch as it is, with the input gate @i in it: that is what is
 * taken then (observed of ai-edge-litert 2.3.0; converters write such scales where cells stay below
 * 0.5).
 */
void ek_lstm_hidden(const struct ek_lstm_q_row *row, const struct ek_lstm_q *a, const int16_t *i,
	const int16_t *o, const int16_t *c, int8_t *hidden);

/* Rows of the list for Arm. */
#define EK_LSTM_ARM(isa)                                                                           \
	void ek_lstm_gate_s8__##isa(const struct ek_lstm_q *a, enum ek_lstm_gate which,            \
		const struct ek_lstm_q_sight *sight, uint32_t first, uint32_t end, int16_t *s);    \
	void ek_lstm_project_s8__##isa(const struct ek_lstm_q *a, const int8_t *hidden, int8_t *h);

EK_LSTM_ARM(neon)
void ek_lstm_logistic_s16__neon(int16_t *s, size_t n);
void ek_lstm_tanh_s16__neon(const int16_t *x, int32_t integer_bits, size_t n, int16_t *ret);
#if defined(__aarch64__)
EK_LSTM_ARM(dotprod)
#endif

#endif
