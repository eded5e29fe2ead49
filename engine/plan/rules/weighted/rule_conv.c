/* SPDX-License-Identifier: Apache-2.0 */
/* rule_conv - CONV_2D and DEPTHWISE_CONV_2D (TFLite kernels/conv.cc, depthwise_conv.cc) */
#include <errno.h>
#include <inttypes.h>

#include "engine/plan/rules/rule.h"

/* MultiplyByQuantizedMultiplier of an int64 sum shifts right by 15 - shift, which must be at least
 * 1 (TFLite kernels/internal/common.cc). */
#define MAX_SHIFT_INT64 14

struct weight_types {
	uint8_t input, weights;
};

static const struct weight_types conv_types[] = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_UINT8, DTYPE_UINT8},
	{DTYPE_INT8, DTYPE_INT8},
	{DTYPE_INT8, DTYPE_INT4},
	{DTYPE_INT16, DTYPE_INT8},
	{DTYPE_INT16, DTYPE_INT4},
	{DTYPE_FLOAT32, DTYPE_INT8},
	{DTYPE_FLOAT32, DTYPE_INT4},
	{DTYPE_FLOAT32, DTYPE_UINT8},
};

static const struct weight_types depthwise_types[] = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32},
	{DTYPE_UINT8, DTYPE_UINT8},
	{DTYPE_INT8, DTYPE_INT8},
	{DTYPE_INT8, DTYPE_INT4},
	{DTYPE_INT16, DTYPE_INT8},
	{DTYPE_FLOAT32, DTYPE_INT8},
};

static int check_types(
	const struct op_context *ctx, const struct weight_types *types, size_t n, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *weights = op_context_input(ctx, 1);
	for (size_t i = 0; i < n; i++) {
		if (types[i].input == input->type && types[i].weights == weights->type) {
			return rule_type_is(rule_output(ctx, 0), "output", input->type, err);
		}
	}
	return error_set(err, -EOPNOTSUPP, "%s v%u with %s input and %s weights is not there yet",
		operators_name(ctx->node->op), ctx->node->version, dtype_name(input->type),
		dtype_name(weights->type));
}

/* Only the batch may be empty: then the output is as well. */
static int check_input(const struct shape *in, struct error *err)
{
	struct shape picture = *in;
	int r = rule_rank_is(in, "input", 4, err);
	picture.dim[0] = picture.dim[0] == 0 ? 1 : picture.dim[0];
	return r < 0 ? r : rule_not_empty(&picture, "input", err);
}

/* Shapes: input [batch, height, width, channels], weights [*, height, width, *]. */
static int check_shapes(const struct op_context *ctx, struct shape *ret_out, struct error *err)
{
	const struct options_conv *o = &ctx->node->options.conv;
	const struct shape *in = rule_shape(ctx, 0), *weights = rule_shape(ctx, 1);
	int r = check_input(in, err);
	r = r < 0 ? r : rule_rank_is(weights, "weights", 4, err);
	r = r < 0 ? r : rule_not_empty(weights, "weights", err);
	if (r < 0) {
		return r;
	}
	const struct rule_window h = {in->dim[1], weights->dim[1], o->stride_h, o->dilation_h},
				 w = {in->dim[2], weights->dim[2], o->stride_w, o->dilation_w};
	*ret_out = (struct shape){.rank = 4, .dim = {in->dim[0]}};
	return rule_windows(&h, &w, o->padding, &ret_out->dim[1], &ret_out->dim[2], err);
}

static int check_weighted(
	const struct op_context *ctx, uint32_t dimension, uint32_t bias_type, struct error *err)
{
	const struct tensor *bias = op_context_input(ctx, 2);
	const struct rule_weighted w = {
		.input = op_context_input(ctx, 0),
		.weights = op_context_input(ctx, 1),
		.bias = bias,
		.output = rule_output(ctx, 0),
		.weights_shape = rule_shape(ctx, 1),
		.bias_shape = bias ? rule_shape(ctx, 2) : NULL,
		.dimension = dimension,
		.bias_type = bias_type,
		.max_shift = MAX_SHIFT_INT64,
	};
	int r = rule_weighted_check(&w, err);
	if (r == 0 && bias && bias->quant.n_scales == 1) {
		r = rule_zero_points_zero(bias, "bias", err);
	}
	return r < 0 ? r : rule_fused(ctx, ctx->node->options.conv.activation, w.output, err);
}

/* Weights [out, height, width, in / groups]; out is a multiple of the groups. */
static int check_groups(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *weights = op_context_input(ctx, 1);
	int32_t channels = rule_shape(ctx, 0)->dim[3], own = rule_shape(ctx, 1)->dim[3],
		out = rule_shape(ctx, 1)->dim[0];
	if (channels % own != 0) {
		return error_set(err, -EBADMSG, "filter has %d input channels, input has %d",
			(int)own, (int)channels);
	}
	int32_t groups = channels / own;
	if (out % groups != 0) {
		return error_set(
			err, -EBADMSG, "%d output channels in %d groups", (int)out, (int)groups);
	}
	bool hybrid = input->type == DTYPE_FLOAT32 && weights->type != DTYPE_FLOAT32;
	if (hybrid && groups > 1 && weights->quant.n_scales != (uint32_t)out) {
		return error_set(err, -EBADMSG,
			"float32 input in %d groups needs a scale per output channel", (int)groups);
	}
	return 0;
}

/* An output is made in one piece: in a millisecond where it has so many products. */
#define MAX_OUTPUT_PRODUCTS ((uint64_t)1 << 20)

static int check_products(uint64_t products, struct error *err)
{
	return products <= MAX_OUTPUT_PRODUCTS
		? 0
		: error_set(err, -EFBIG,
			  "an output has %" PRIu64 " products, the limit is %" PRIu64, products,
			  MAX_OUTPUT_PRODUCTS);
}

int rule_conv(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_types(ctx, conv_types, sizeof(conv_types) / sizeof(conv_types[0]), err);
	r = r < 0 ? r : check_shapes(ctx, &ret->shapes[0], err);
	r = r < 0 ? r : check_groups(ctx, err);
	r = r < 0 ? r : check_weighted(ctx, 0, ctx->node->options.conv.quantized_bias_type, err);
	if (r < 0) {
		return r;
	}
	const struct shape *weights = rule_shape(ctx, 1);
	ret->shapes[0].dim[3] = weights->dim[0];
	const uint64_t products = rule_elements(weights) / (uint64_t)weights->dim[0];
	ret->macs = rule_cost_mul(rule_elements(&ret->shapes[0]), products);
	return check_products(products, err);
}

/* Weights [1, height, width, out]; output channel c reads input channel c / (out / in). */
static int check_multiplier(const struct op_context *ctx, struct error *err)
{
	int32_t channels = rule_shape(ctx, 0)->dim[3], first = rule_shape(ctx, 1)->dim[0],
		out = rule_shape(ctx, 1)->dim[3];
	if (first != 1) {
		return error_set(err, -EBADMSG, "first dimension of the filter is %d, must be 1",
			(int)first);
	}
	if (out % channels != 0) {
		return error_set(
			err, -EBADMSG, "%d output channels, input has %d", (int)out, (int)channels);
	}
	return 0;
}

int rule_depthwise(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_types(
		ctx, depthwise_types, sizeof(depthwise_types) / sizeof(depthwise_types[0]), err);
	r = r < 0 ? r : check_shapes(ctx, &ret->shapes[0], err);
	r = r < 0 ? r : check_multiplier(ctx, err);
	r = r < 0 ? r : check_weighted(ctx, 3, 0, err);
	if (r < 0) {
		return r;
	}
	const struct shape *weights = rule_shape(ctx, 1);
	ret->shapes[0].dim[3] = weights->dim[3];
	ret->macs = rule_cost_mul(rule_elements(&ret->shapes[0]),
		(uint64_t)weights->dim[1] * (uint64_t)weights->dim[2]);
	return 0;
}
