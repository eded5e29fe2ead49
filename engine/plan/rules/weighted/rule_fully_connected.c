/* SPDX-License-Identifier: Apache-2.0 */
/* rule_fully_connected - FULLY_CONNECTED (TFLite kernels/fully_connected.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

static const struct {
	uint8_t input, weights;
	uint32_t outputs;
} types[] = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32, RULE_TYPE(FLOAT32)},
	{DTYPE_UINT8, DTYPE_UINT8, RULE_TYPE(UINT8) | RULE_TYPE(INT16)},
	{DTYPE_INT8, DTYPE_INT8, RULE_TYPE(INT8) | RULE_TYPE(INT16)},
	{DTYPE_INT8, DTYPE_INT4, RULE_TYPE(INT8)},
	{DTYPE_INT16, DTYPE_INT8, RULE_TYPE(INT16)},
	{DTYPE_INT16, DTYPE_INT4, RULE_TYPE(INT16)},
	{DTYPE_FLOAT32, DTYPE_INT8, RULE_TYPE(FLOAT32)},
	{DTYPE_FLOAT32, DTYPE_INT4, RULE_TYPE(FLOAT32)},
	{DTYPE_FLOAT32, DTYPE_UINT8, RULE_TYPE(FLOAT32)},
};

static int check_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *weights = op_context_input(ctx, 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].input == input->type && types[i].weights == weights->type) {
			return rule_type_among(
				ctx, rule_output(ctx, 0), "output", types[i].outputs, err);
		}
	}
	return error_set(err, -EOPNOTSUPP,
		"FULLY_CONNECTED v%u with %s input and %s weights is not there yet",
		ctx->node->version, dtype_name(input->type), dtype_name(weights->type));
}

/* Weights without width: a row for each index of all dimensions but the last, of zeros. */
static uint64_t rows_without_width(const struct shape *in)
{
	struct shape rows = *in;
	rows.rank -= rows.rank > 0;
	return rule_elements(&rows);
}

/* The input is folded to rows of the weights' width, whatever its rank. */
static int set_shape(const struct op_context *ctx, struct shape *ret_out, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *weights = rule_shape(ctx, 1);
	int r = rule_rank_is(weights, "weights", 2, err);
	if (r < 0) {
		return r;
	}
	int32_t width = weights->dim[1], channels = weights->dim[0];
	if (channels < 1) {
		return error_set(err, -EBADMSG, "weights have no rows");
	}
	uint64_t elements = rule_elements(in);
	uint64_t rows = width ? elements / (uint64_t)width : rows_without_width(in);
	if (width && elements % (uint64_t)width != 0) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %s in rows of %d",
			shape_format(text, sizeof(text), in), (int)width);
	}
	if (!ctx->node->options.fully_connected.keep_num_dims) {
		*ret_out = (struct shape){.rank = 2, .dim = {(int32_t)rows, channels}};
		return 0;
	}
	if (in->rank < 1 || in->dim[in->rank - 1] != width) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG,
			"last dimension of input %s must be %d to keep the dimensions",
			shape_format(text, sizeof(text), in), (int)width);
	}
	*ret_out = *in;
	ret_out->dim[in->rank - 1] = channels;
	return 0;
}

int rule_fully_connected(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_fully_connected *o = &ctx->node->options.fully_connected;
	if (o->weights_format != 0) {
		return error_set(err, -EOPNOTSUPP,
			"FULLY_CONNECTED v%u with shuffled weights is not there yet",
			ctx->node->version);
	}
	/* Shuffled weights come with a second output, for the kernel's own use. */
	if (ctx->node->n_outputs != 1) {
		return error_set(err, -EBADMSG, "%u outputs, must be 1", ctx->node->n_outputs);
	}
	int r = check_types(ctx, err);
	r = r < 0 ? r : set_shape(ctx, &ret->shapes[0], err);
	if (r < 0) {
		return r;
	}
	const struct tensor *bias = op_context_input(ctx, 2);
	const struct rule_weighted w = {
		.input = op_context_input(ctx, 0),
		.weights = op_context_input(ctx, 1),
		.bias = bias,
		.output = rule_output(ctx, 0),
		.weights_shape = rule_shape(ctx, 1),
		.bias_shape = bias ? rule_shape(ctx, 2) : NULL,
		.bias_type = o->quantized_bias_type,
		.one_scale = true,
		.max_shift = RULE_MAX_SHIFT, /* sums are rescaled in double */
		.blockwise = op_context_input(ctx, 0)->type == DTYPE_FLOAT32 &&
			op_context_input(ctx, 1)->quant.block_size > 0,
	};
	r = w.blockwise ? rule_blockwise(ctx, 1, err) : 0;
	r = r < 0 ? r : rule_weighted_check(&w, err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, w.output, err);
	if (r < 0) {
		return r;
	}
	ret->macs =
		rule_cost_mul(rule_elements(&ret->shapes[0]), (uint64_t)rule_shape(ctx, 1)->dim[1]);
	return 0;
}
