/* SPDX-License-Identifier: Apache-2.0 */
/* rule_recurrent - SVDF (TFLite kernels/svdf.cc) and what it shares with RNN and LSTM */
#include "engine/plan/rules/weighted/rule_recurrent.h"

#include <errno.h>

int rule_recurrent_state(const struct op_context *ctx, uint32_t i, const char *name,
	uint64_t elements, struct error *err)
{
	const struct node *node = ctx->node;
	const struct tensor *t = op_context_input(ctx, i);
	if (!t->is_variable || t->data || ctx->constants[node->inputs[i]]) {
		return error_set(err, -EBADMSG, "input %u (%s) must be a variable", i, name);
	}
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (k != i && node->inputs[k] == node->inputs[i]) {
			return error_set(
				err, -EBADMSG, "input %u (%s) is input %u as well", i, name, k);
		}
	}
	if (rule_elements(rule_shape(ctx, i)) != elements) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must have %llu elements", i,
			name, shape_format(text, sizeof(text), rule_shape(ctx, i)),
			(unsigned long long)elements);
	}
	return 0;
}

int rule_recurrent_two_ways(const struct op_context *ctx, const struct shape *input,
	const int32_t width[2], struct op_result *ret, struct error *err)
{
	bool merge = ctx->node->options.recurrent.merge_outputs;
	uint32_t n = ctx->node->n_outputs;
	if (n != (merge ? 1u : 2u)) {
		return error_set(err, -EBADMSG, "%u outputs, must be %u", n, merge ? 1u : 2u);
	}
	if (merge && (int64_t)width[0] + width[1] > INT32_MAX) {
		return error_set(err, -EFBIG, "outputs of %d and %d", (int)width[0], (int)width[1]);
	}
	for (uint32_t i = 0; i < n; i++) {
		int r = rule_type_is(rule_output(ctx, i), "output", DTYPE_FLOAT32, err);
		if (r < 0) {
			return r;
		}
		ret->shapes[i] = *input;
		ret->shapes[i].dim[input->rank - 1] = merge ? width[0] + width[1] : width[i];
	}
	return 0;
}

int rule_recurrent_float_weights(
	const struct op_context *ctx, const struct tensor *t, const char *name, struct error *err)
{
	int r = rule_type_among(
		ctx, t, name, RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) | RULE_TYPE(UINT8), err);
	if (r < 0 || t->type == DTYPE_FLOAT32) {
		return r;
	}
	r = rule_per_tensor(t, name, err);
	return r < 0 ? r : rule_zero_points_zero(t, name, err);
}

static const struct svdf_types {
	uint8_t input, feature, time, bias, state;
} svdf_types[] = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_FLOAT32, DTYPE_INT8, DTYPE_INT8, DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_FLOAT32, DTYPE_UINT8, DTYPE_UINT8, DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_INT8, DTYPE_INT8, DTYPE_INT16, DTYPE_INT32, DTYPE_INT16},
};

static int check_svdf_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *feature = op_context_input(ctx, 1),
			    *time = op_context_input(ctx, 2), *bias = op_context_input(ctx, 3),
			    *state = op_context_input(ctx, 4);
	for (size_t i = 0; i < sizeof(svdf_types) / sizeof(svdf_types[0]); i++) {
		const struct svdf_types *t = &svdf_types[i];
		if (t->input != input->type || t->feature != feature->type ||
			t->time != time->type) {
			continue;
		}
		int r = bias ? rule_type_is(bias, "bias", t->bias, err) : 0;
		r = r < 0 ? r : rule_type_is(state, "state", t->state, err);
		return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", t->input, err);
	}
	return error_set(err, -EOPNOTSUPP,
		"SVDF v%u with %s input, %s and %s weights is not there yet", ctx->node->version,
		dtype_name(input->type), dtype_name(feature->type), dtype_name(time->type));
}

/* input [batch, size], feature [filters, size], time [filters, memory], bias [units],
 * state [batch, memory * filters], output [batch, units]; filters = units * rank. */
static int check_svdf_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *feature = rule_shape(ctx, 1),
			   *time = rule_shape(ctx, 2);
	int32_t rank = ctx->node->options.svdf.rank;
	int r = rule_rank_is(in, "input", 2, err);
	r = r < 0 ? r : rule_rank_is(feature, "input 1 (feature weights)", 2, err);
	r = r < 0 ? r : rule_rank_is(time, "input 2 (time weights)", 2, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	r = r < 0 ? r : rule_not_empty(feature, "input 1 (feature weights)", err);
	r = r < 0 ? r : rule_not_empty(time, "input 2 (time weights)", err);
	if (r < 0) {
		return r;
	}
	int32_t filters = feature->dim[0];
	if (rank < 1 || filters % rank != 0) {
		return error_set(err, -EBADMSG, "%d filters of rank %d", (int)filters, (int)rank);
	}
	if (feature->dim[1] != in->dim[1]) {
		return error_set(err, -EBADMSG, "feature weights are %d wide, input is %d",
			(int)feature->dim[1], (int)in->dim[1]);
	}
	if (time->dim[0] != filters) {
		return error_set(err, -EBADMSG, "time weights for %d filters, there are %d",
			(int)time->dim[0], (int)filters);
	}
	if (op_context_input(ctx, 3) &&
		rule_elements(rule_shape(ctx, 3)) != (uint64_t)(filters / rank)) {
		return error_set(err, -EBADMSG, "bias has %llu elements, output has %d units",
			(unsigned long long)rule_elements(rule_shape(ctx, 3)),
			(int)(filters / rank));
	}
	return rule_recurrent_state(
		ctx, 4, "state", rule_cost_mul((uint64_t)in->dim[0], rule_elements(time)), err);
}

static int check_svdf_integer(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *feature = op_context_input(ctx, 1),
			    *time = op_context_input(ctx, 2), *state = op_context_input(ctx, 4),
			    *output = rule_output(ctx, 0);
	if (ctx->node->options.svdf.activation != ACTIVATION_RELU) {
		return error_set(err, -EBADMSG, "int8 with fused activation %u, must be RELU",
			ctx->node->options.svdf.activation);
	}
	int r = rule_quantised(input, "input", err);
	r = r < 0 ? r : rule_quantised(time, "input 2 (time weights)", err);
	r = r < 0 ? r : rule_quantised(state, "input 4 (state)", err);
	r = r < 0 ? r : rule_quantised(output, "output", err);
	if (r < 0) {
		return r;
	}
	float s = state->quant.scale[0];
	r = rule_multiplier((double)(input->quant.scale[0] * feature->quant.scale[0] / s),
		RULE_MAX_SHIFT, "feature", err);
	return r < 0 ? r
		     : rule_multiplier((double)(s * time->quant.scale[0] / output->quant.scale[0]),
			       RULE_MAX_SHIFT, "output", err);
}

static int check_svdf_quant(const struct op_context *ctx, struct error *err)
{
	const struct tensor *feature = op_context_input(ctx, 1), *time = op_context_input(ctx, 2);
	if (feature->type == DTYPE_FLOAT32) {
		return 0;
	}
	int r = rule_per_tensor(feature, "input 1 (feature weights)", err);
	r = r < 0 ? r : rule_zero_points_zero(feature, "input 1 (feature weights)", err);
	r = r < 0 ? r : rule_per_tensor(time, "input 2 (time weights)", err);
	r = r < 0 ? r : rule_zero_points_zero(time, "input 2 (time weights)", err);
	if (r < 0 || op_context_input(ctx, 0)->type == DTYPE_FLOAT32) {
		return r;
	}
	return check_svdf_integer(ctx, err);
}

int rule_svdf(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_svdf_types(ctx, err);
	r = r < 0 ? r : check_svdf_shapes(ctx, err);
	r = r < 0 ? r : check_svdf_quant(ctx, err);
	r = r < 0 ? r : rule_recurrent_activation(ctx, ctx->node->options.svdf.activation, err);
	if (r < 0) {
		return r;
	}
	const struct shape *in = rule_shape(ctx, 0), *feature = rule_shape(ctx, 1);
	ret->shapes[0] = (struct shape){
		.rank = 2, .dim = {in->dim[0], feature->dim[0] / ctx->node->options.svdf.rank}};
	ret->macs = rule_cost_mul((uint64_t)in->dim[0],
		rule_cost_add(rule_elements(feature), rule_elements(rule_shape(ctx, 2))));
	return 0;
}

int rule_recurrent_activation(
	const struct op_context *ctx, unsigned int activation, struct error *err)
{
	if (activation > ACTIVATION_SIGN_BIT) {
		return error_set(err, -EOPNOTSUPP,
			"%s v%u with fused activation %u is not there yet",
			operators_name(ctx->node->op), ctx->node->version, activation);
	}
	return 0;
}
