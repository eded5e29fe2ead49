/* SPDX-License-Identifier: Apache-2.0 */
/* rule_lstm_basic - LSTM with five inputs (TFLite kernels/lstm.cc, namespace basic): no variables,
 * its options are not looked at, all gates in one matrix; float, or uint8 activations with int16 states. */
#include <errno.h>

#include "engine/plan/rules/weighted/rule_lstm.h"

enum {
	INPUT,
	BEFORE, /* previous output */
	WEIGHTS,
	BIAS,
	STATE,
	N_INPUTS,
	N_OUTPUTS = 4, /* output, state, input and previous output joined, gates */
};

static const char *const names[N_INPUTS] = {
	"input", "previous output", "weights", "bias", "previous state"};

struct types {
	uint8_t in[N_INPUTS], out[N_OUTPUTS];
};

static const struct types real = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32},
};
static const struct types codes = {
	{DTYPE_UINT8, DTYPE_UINT8, DTYPE_UINT8, DTYPE_INT32, DTYPE_INT16},
	{DTYPE_UINT8, DTYPE_INT16, DTYPE_UINT8, DTYPE_INT16},
};

static int check_types(const struct op_context *ctx, const struct types *t, struct error *err)
{
	for (uint32_t i = 0; i < N_INPUTS; i++) {
		if (!op_context_input(ctx, i)) {
			return error_set(err, -EBADMSG, "input %u (%s) must be there", i, names[i]);
		}
		int r = rule_type_is(op_context_input(ctx, i), names[i], t->in[i], err);
		if (r < 0) {
			return r;
		}
	}
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < N_OUTPUTS; i++) {
		r = rule_type_is(rule_output(ctx, i), "output", t->out[i], err);
	}
	return r;
}

static int check_shape(
	const struct op_context *ctx, uint32_t i, struct shape want, struct error *err)
{
	char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
	return shape_equal(rule_shape(ctx, i), &want)
		? 0
		: error_set(err, -EBADMSG, "input %u (%s) is %s, must be %s", i, names[i],
			  shape_format(is, sizeof(is), rule_shape(ctx, i)),
			  shape_format(must, sizeof(must), &want));
}

static int check_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, INPUT), *before = rule_shape(ctx, BEFORE);
	int r = rule_rank_is(in, names[INPUT], 2, err);
	r = r < 0 ? r : rule_rank_is(before, names[BEFORE], 2, err);
	r = r < 0 ? r : rule_not_empty(in, names[INPUT], err);
	r = r < 0 ? r : rule_not_empty(before, names[BEFORE], err);
	if (r < 0) {
		return r;
	}
	int32_t batch = in->dim[0], cells = before->dim[1];
	int64_t joined = (int64_t)in->dim[1] + cells;
	if (cells > INT32_MAX / 4 || joined > INT32_MAX) {
		return error_set(
			err, -EFBIG, "%d cells with %d inputs", (int)cells, (int)in->dim[1]);
	}
	r = check_shape(ctx, BEFORE, (struct shape){.rank = 2, .dim = {batch, cells}}, err);
	r = r < 0 ? r
		  : check_shape(ctx, WEIGHTS,
			    (struct shape){.rank = 2, .dim = {4 * cells, (int32_t)joined}}, err);
	r = r < 0 ? r : check_shape(ctx, BIAS, (struct shape){.rank = 1, .dim = {4 * cells}}, err);
	return r < 0
		? r
		: check_shape(ctx, STATE, (struct shape){.rank = 2, .dim = {batch, cells}}, err);
}

/* States have four integer bits; the gates' multiplier comes from the bias alone. */
static int check_scales(const struct op_context *ctx, struct error *err)
{
	const struct tensor *bias = op_context_input(ctx, BIAS), *state = rule_output(ctx, 1);
	int log2 = 0;
	int r = rule_per_tensor(op_context_input(ctx, WEIGHTS), names[WEIGHTS], err);
	r = r < 0 ? r : rule_per_tensor(bias, names[BIAS], err);
	r = r < 0 ? r : rule_per_tensor(state, "output 1 (state)", err);
	if (r < 0) {
		return r;
	}
	if (!rule_power_of_two(state->quant.scale[0], &log2) || log2 != -11) {
		return error_set(err, -EBADMSG, "state has scale %g, must be 2^-11",
			(double)state->quant.scale[0]);
	}
	return rule_multiplier(4096 * (double)bias->quant.scale[0], RULE_MAX_SHIFT, "gates", err);
}

int rule_lstm_basic(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct node *node = ctx->node;
	if (node->n_inputs != N_INPUTS || node->n_outputs != N_OUTPUTS) {
		return error_set(err, -EBADMSG, "%u inputs and %u outputs, must be %d and %d",
			node->n_inputs, node->n_outputs, N_INPUTS, N_OUTPUTS);
	}
	bool is_real = op_context_input(ctx, INPUT)->type == DTYPE_FLOAT32;
	int r = rule_type_among(ctx, op_context_input(ctx, INPUT), "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8), err);
	r = r < 0 ? r : check_types(ctx, is_real ? &real : &codes, err);
	r = r < 0 ? r : check_shapes(ctx, err);
	r = r < 0 || is_real ? r : check_scales(ctx, err);
	if (r < 0) {
		return r;
	}
	const struct shape *state = rule_shape(ctx, STATE), *weights = rule_shape(ctx, WEIGHTS);
	ret->shapes[0] = ret->shapes[1] = ret->shapes[2] = ret->shapes[3] = *state;
	ret->shapes[2].dim[1] = weights->dim[1];
	ret->shapes[3].dim[1] = weights->dim[0];
	ret->macs = rule_cost_mul((uint64_t)state->dim[0], rule_elements(weights));
	return 0;
}
