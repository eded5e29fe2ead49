/* SPDX-License-Identifier: Apache-2.0 */
/* rule_lstm_quant - scales, zero points and intermediates of LSTM nodes */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "engine/plan/rules/weighted/rule_lstm.h"

enum {
	N_8X8_16 = 5, /* intermediates: one per gate, and what is projected, or the output */
	HIDDEN_8X8_16 = 4,
	N_8X8_8 = 12, /* per gate the whole, and what comes from input and state */
	FIRST_8X8_8 = 3, /* of the forget gate */
};

/* One scale each; weights and int16 have zero point 0; biases are scaled by what they are added to. */
static int check_operands(const struct lstm *l, struct error *err)
{
	for (uint32_t i = 0; i < LSTM_OPERANDS; i++) {
		const struct tensor *t = rule_lstm_tensor(l, i);
		if (!t || t->type == DTYPE_FLOAT32 || t->type == DTYPE_INT32) {
			continue;
		}
		bool activations = i == LSTM_INPUT || i == LSTM_OUTPUT_STATE;
		int r = rule_per_tensor(t, rule_lstm_name(i), err);
		r = r < 0 || activations ? r : rule_zero_points_zero(t, rule_lstm_name(i), err);
		if (r < 0) {
			error_prefix(err, "input %d", (int)rule_lstm_place(l, i));
			return r;
		}
	}
	return 0;
}

static float scale_of(const struct lstm *l, uint32_t i)
{
	return rule_lstm_tensor(l, i)->quant.scale[0];
}

/* Intermediate @i: present, with one scale; *ret gets it. */
static int find_intermediate(
	const struct lstm *l, uint32_t i, const struct tensor **ret, struct error *err)
{
	int32_t index = l->ctx->node->intermediates[i];
	if (index < 0) {
		return error_set(err, -EBADMSG, "intermediate %u must be there", i);
	}
	*ret = &l->ctx->subgraph->tensors[index];
	int r = rule_per_tensor(*ret, "intermediate", err);
	if (r < 0) {
		error_prefix(err, "%u", i);
	}
	return r;
}

/* The same of type @type. */
static int check_intermediate(
	const struct lstm *l, uint32_t i, unsigned int type, float *ret_scale, struct error *err)
{
	const struct tensor *t = NULL;
	int r = find_intermediate(l, i, &t, err);
	if (r < 0) {
		return r;
	}
	r = rule_type_is(t, "intermediate", type, err);
	r = r < 0 ? r : rule_quantised(t, "intermediate", err);
	if (r < 0) {
		error_prefix(err, "%u", i);
		return r;
	}
	*ret_scale = t->quant.scale[0];
	return 0;
}

/* Multipliers of gate @g: of input, state, peephole, norm. */
static int check_gate(const struct lstm *l, uint32_t g, struct error *err)
{
	float scale = ldexpf(1, -12);
	float x = scale_of(l, LSTM_W + g) * scale_of(l, LSTM_INPUT);
	float h = scale_of(l, LSTM_R + g) * scale_of(l, LSTM_OUTPUT_STATE);
	int r = 0;
	if (l->parts & LSTM_PART_NORM) {
		r = check_intermediate(l, g, DTYPE_INT16, &scale, err);
		/* the norm's own multiplier is shifted by 12 more */
		r = r < 0 ? r
			  : rule_multiplier((double)scale_of(l, LSTM_NORM + g), RULE_MAX_SHIFT - 12,
				    "norm", err);
	}
	r = r < 0 ? r
		  : rule_multiplier(
			    (double)(x / scale), RULE_MAX_SHIFT, rule_lstm_name(LSTM_W + g), err);
	r = r < 0 ? r
		  : rule_multiplier(
			    (double)(h / scale), RULE_MAX_SHIFT, rule_lstm_name(LSTM_R + g), err);
	if (r < 0 || !(l->parts & LSTM_PART_PEEPHOLE) || g == 2) {
		return r;
	}
	uint32_t peephole = LSTM_PEEPHOLE + (g == 3 ? 2 : g);
	double c = (double)scale_of(l, LSTM_CELL_STATE) * (double)scale_of(l, peephole);
	return rule_multiplier(c / (double)scale, RULE_MAX_SHIFT, rule_lstm_name(peephole), err);
}

/* Scale 2^@lowest to 2^@highest: what the integer tanh and the product of two gates take, and the
 * int16 of the state holds. */
static int check_cell_state(const struct lstm *l, int lowest, int highest, struct error *err)
{
	int log2 = 0;
	char to[24] = "";
	float scale = scale_of(l, LSTM_CELL_STATE);
	if (!rule_power_of_two(scale, &log2) || log2 < lowest || log2 > highest) {
		if (lowest < highest) {
			snprintf(to, sizeof(to), " to 2^%d", highest);
		}
		return error_set(err, -EBADMSG, "cell state has scale %g, must be 2^%d%s",
			(double)scale, lowest, to);
	}
	return rule_multiplier((double)l->ctx->node->options.recurrent.cell_clip / (double)scale,
		RULE_MAX_SHIFT, "cell_clip", err);
}

static int check_output(const struct lstm *l, struct error *err)
{
	const struct tensor *output = rule_output(l->ctx, 0);
	int r = rule_per_tensor(output, "output", err);
	return r < 0 || !(l->parts & LSTM_PART_PROJECTION)
		? r
		: rule_multiplier((double)l->ctx->node->options.recurrent.proj_clip /
				  (double)output->quant.scale[0],
			  RULE_MAX_SHIFT, "proj_clip", err);
}

static int check_hidden(const struct lstm *l, struct error *err)
{
	float scale = 0;
	int r = check_intermediate(l, HIDDEN_8X8_16, DTYPE_INT8, &scale, err);
	r = r < 0 ? r
		  : rule_multiplier(ldexp(1, -30) / (double)scale, RULE_MAX_SHIFT, "hidden", err);
	r = r < 0 ? r : check_output(l, err);
	if (r < 0 || !(l->parts & LSTM_PART_PROJECTION)) {
		return r;
	}
	float product = scale_of(l, LSTM_PROJECTION) * scale;
	return rule_multiplier((double)(product / scale_of(l, LSTM_OUTPUT_STATE)), RULE_MAX_SHIFT,
		"projection", err);
}

static int check_8x8_16(const struct lstm *l, struct error *err)
{
	/* Below 2^-15 the input gate stands in for the tanh (kernels/recurrent/lstm.h): there must be one. */
	int r = check_cell_state(l, l->parts & LSTM_PART_INPUT_GATE ? -30 : -15, -9, err);
	for (uint32_t g = l->parts & LSTM_PART_INPUT_GATE ? 0 : 1; r == 0 && g < 4; g++) {
		r = check_gate(l, g, err);
	}
	return r < 0 ? r : check_hidden(l, err);
}

/* Part @part (1 from the input, 2 from the state) of gate @g; @product: scale of its sums. */
static int check_part(
	const struct lstm *l, uint32_t g, uint32_t part, float product, struct error *err)
{
	const struct tensor *whole = NULL, *own = NULL;
	uint32_t first = FIRST_8X8_8 * g;
	int r = find_intermediate(l, first, &whole, err);
	r = r < 0 ? r : find_intermediate(l, first + part, &own, err);
	if (r < 0) {
		return r;
	}
	int64_t zero = quant_zero(&own->quant, 0);
	if (zero < INT8_MIN || zero > INT8_MAX) {
		return error_set(err, -EBADMSG, "intermediate %u has zero point %lld", first + part,
			(long long)zero);
	}
	float scale = own->quant.scale[0];
	r = rule_multiplier((double)(product / scale), RULE_MAX_SHIFT, "part of a gate", err);
	return r < 0 ? r
		     : rule_multiplier((double)(scale / whole->quant.scale[0]), RULE_MAX_SHIFT,
			       "gate", err);
}

/* Layer normalisation and projection, no input gate, no peephole: what there is of this kernel. */
static int check_8x8_8(const struct lstm *l, struct error *err)
{
	if ((l->parts & ~LSTM_PART_PROJECTION_BIAS) != (LSTM_PART_PROJECTION | LSTM_PART_NORM)) {
		return error_set(err, -EOPNOTSUPP,
			"LSTM v%u with %d intermediates (8x8_8) but for coupled gates, layer "
			"normalisation and projection without peephole is not there yet",
			l->ctx->node->version, N_8X8_8);
	}
	int r = check_cell_state(l, -15, -15, err);
	r = r < 0 ? r : check_output(l, err);
	for (uint32_t g = 1; r == 0 && g < 4; g++) {
		float x = scale_of(l, LSTM_W + g) * scale_of(l, LSTM_INPUT);
		float h = scale_of(l, LSTM_R + g) * scale_of(l, LSTM_OUTPUT_STATE);
		r = check_part(l, g, 1, x, err);
		r = r < 0 ? r : check_part(l, g, 2, h, err);
	}
	double product = ldexp((double)scale_of(l, LSTM_PROJECTION), -15);
	/* sums of 64 bits: a multiplier of 16 */
	return r < 0 ? r
		     : rule_multiplier(product / (double)scale_of(l, LSTM_OUTPUT_STATE), 14,
			       "projection", err);
}

int rule_lstm_scales(const struct lstm *l, struct error *err)
{
	uint32_t n = l->ctx->node->n_intermediates;
	int r = check_operands(l, err);
	if (r < 0 || l->kernel != LSTM_INTEGER) {
		return r;
	}
	if (n == N_8X8_8 && l->ctx->node->op == OP_LSTM) {
		return check_8x8_8(l, err);
	}
	return n == N_8X8_16
		? check_8x8_16(l, err)
		: error_set(err, -EBADMSG, "%u intermediates, must be %d", n, N_8X8_16);
}
