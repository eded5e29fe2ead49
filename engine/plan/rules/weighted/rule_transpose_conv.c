/* SPDX-License-Identifier: Apache-2.0 */
/* rule_transpose_conv - TRANSPOSE_CONV and CONV_3D_TRANSPOSE (TFLite kernels/transpose_conv.cc,
 * conv3d_transpose.cc). Operands: shape of the output, weights, input, bias. */
#include <errno.h>

#include "engine/plan/rules/rule.h"

/* See rule_conv.c. */
#define MAX_SHIFT_INT64 14

enum {
	SHAPE,
	WEIGHTS,
	INPUT,
	BIAS
};

/* One dimension: how far the window steps, and how its taps lie. */
struct axis {
	int32_t in, taps, stride, dilation;
};

static int check_types(const struct op_context *ctx, uint32_t inputs, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, INPUT);
	bool hybrid = input->type == DTYPE_FLOAT32 && ctx->node->op == OP_TRANSPOSE_CONV &&
		op_context_input(ctx, WEIGHTS)->type == DTYPE_INT8;
	unsigned int weights = input->type == DTYPE_INT16 || hybrid ? DTYPE_INT8 : input->type;
	int r = rule_type_among(ctx, input, "input", inputs, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, WEIGHTS), "weights", weights, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	return r < 0
		? r
		: rule_type_is(op_context_input(ctx, SHAPE), "input 0 (shape)", DTYPE_INT32, err);
}

static int check_ranks(const struct op_context *ctx, unsigned int rank, struct error *err)
{
	const struct shape *in = rule_shape(ctx, INPUT), *weights = rule_shape(ctx, WEIGHTS);
	int r = rule_rank_is(in, "input", rank, err);
	r = r < 0 ? r : rule_rank_is(weights, "weights", rank, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, SHAPE), "input 0 (shape)", 1, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	r = r < 0 ? r : rule_not_empty(weights, "weights", err);
	if (r < 0) {
		return r;
	}
	if (rule_elements(rule_shape(ctx, SHAPE)) != rank) {
		return error_set(err, -EBADMSG, "input 0 (shape) has %d elements, must have %u",
			(int)rule_shape(ctx, SHAPE)->dim[0], rank);
	}
	if (in->dim[rank - 1] != weights->dim[rank - 1]) {
		return error_set(err, -EBADMSG, "weights have %d input channels, input has %d",
			(int)weights->dim[rank - 1], (int)in->dim[rank - 1]);
	}
	return 0;
}

static int check_axes(const struct axis *axes, unsigned int n, struct error *err)
{
	uint64_t window = 1;
	for (unsigned int i = 0; i < n; i++) {
		const struct axis *a = &axes[i];
		if (a->stride < 1 || a->stride > RULE_MAX_STEP) {
			return error_set(err, -EBADMSG, "stride %d", (int)a->stride);
		}
		if (a->dilation < 1 || a->dilation > RULE_MAX_STEP) {
			return error_set(err, -EBADMSG, "dilation %d", (int)a->dilation);
		}
		if (a->taps > RULE_MAX_STEP) {
			return error_set(err, -EBADMSG, "filter %d", (int)a->taps);
		}
		window = rule_cost_mul(window, (uint64_t)a->taps);
	}
	/* One output is computed at a stretch: a deadline is not looked at within it. */
	return window > RULE_MAX_WINDOW
		? error_set(err, -EFBIG, "a window of %llu elements, at most %d",
			  (unsigned long long)window, RULE_MAX_WINDOW)
		: 0;
}

/* Batch and channels are told by the other operands, the rest by operand 0: sizes whose windows
 * (@padding: enum padding) are as many as the input has elements. */
static int read_shape(const struct op_context *ctx, const struct axis *axes, unsigned int padding,
	struct shape *ret_out, struct error *err)
{
	const unsigned int last = ret_out->rank - 1u;
	for (unsigned int i = 0; i <= last; i++) {
		int64_t size = rule_value(ctx, SHAPE, i);
		bool given = i == 0 || i == last;
		if (given ? size != ret_out->dim[i] : size < 1 || size > SHAPE_MAX_DIM) {
			return error_set(err, -EBADMSG, "dimension %u of the output is %lld%s", i,
				(long long)size,
				i == 0          ? ", must be the input's"
					: given ? ", must be the weights'"
						: "");
		}
		ret_out->dim[i] = (int32_t)size;
		if (given) {
			continue;
		}
		const struct axis *a = &axes[i - 1];
		const struct rule_window w = {(int32_t)size, a->taps, a->stride, a->dilation};
		int64_t n = rule_window_count(&w, padding);
		if (n != a->in) {
			return error_set(err, -EBADMSG,
				"dimension %u of the output is %lld, has %lld windows for %d "
				"elements of the input",
				i, (long long)size, (long long)n, (int)a->in);
		}
	}
	return 0;
}

static int set_shape(const struct op_context *ctx, const struct axis *axes, unsigned int padding,
	int32_t channels, struct shape *ret_out, struct error *err)
{
	const struct shape *in = rule_shape(ctx, INPUT);
	rule_set_unknown(ret_out, in->rank);
	ret_out->dim[0] = in->dim[0];
	ret_out->dim[in->rank - 1] = channels;
	if (padding > PADDING_VALID) {
		return error_set(err, -EBADMSG, "padding %u", padding);
	}
	return rule_known(ctx, SHAPE) ? read_shape(ctx, axes, padding, ret_out, err) : 0;
}

/* Every input element meets every tap and output channel. */
static uint64_t cost(const struct op_context *ctx)
{
	const struct shape *in = rule_shape(ctx, INPUT);
	uint64_t channels = (uint64_t)in->dim[in->rank - 1];
	return rule_cost_mul(rule_elements(in) / channels, rule_elements(rule_shape(ctx, WEIGHTS)));
}

/* Weights [out, height, width, in]. */
int rule_transpose_conv(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_conv *o = &ctx->node->options.conv;
	const struct tensor *bias = op_context_input(ctx, BIAS);
	const struct shape *in = rule_shape(ctx, INPUT), *weights = rule_shape(ctx, WEIGHTS);
	int r = check_types(ctx,
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT16), err);
	r = r < 0 ? r : check_ranks(ctx, 4, err);
	if (r < 0) {
		return r;
	}
	const struct rule_weighted w = {
		.input = op_context_input(ctx, INPUT),
		.weights = op_context_input(ctx, WEIGHTS),
		.bias = bias,
		.output = rule_output(ctx, 0),
		.weights_shape = weights,
		.bias_shape = bias ? rule_shape(ctx, BIAS) : NULL,
		.bias_type = o->quantized_bias_type,
		.max_shift = MAX_SHIFT_INT64,
	};
	const struct axis axes[] = {
		{in->dim[1], weights->dim[1], o->stride_h, 1},
		{in->dim[2], weights->dim[2], o->stride_w, 1},
	};
	r = rule_weighted_check(&w, err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, w.output, err);
	r = r < 0 ? r : check_axes(axes, 2, err);
	r = r < 0 ? r : set_shape(ctx, axes, o->padding, weights->dim[0], &ret->shapes[0], err);
	ret->macs = cost(ctx);
	return r;
}

static int check_float_bias(const struct op_context *ctx, uint32_t channels, struct error *err)
{
	const struct tensor *bias = op_context_input(ctx, BIAS);
	if (!bias) {
		return 0;
	}
	int r = rule_type_is(bias, "bias", DTYPE_FLOAT32, err);
	if (r == 0 && rule_elements(rule_shape(ctx, BIAS)) != channels) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "bias is %s, output has %u channels",
			shape_format(text, sizeof(text), rule_shape(ctx, BIAS)), channels);
	}
	return r;
}

/* Weights [depth, height, width, out, in]. */
int rule_conv_3d_transpose(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_conv_3d *o = &ctx->node->options.conv_3d;
	const struct shape *in = rule_shape(ctx, INPUT), *weights = rule_shape(ctx, WEIGHTS);
	int r = check_types(ctx, RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : check_ranks(ctx, 5, err);
	r = r < 0 ? r : check_float_bias(ctx, (uint32_t)weights->dim[3], err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, rule_output(ctx, 0), err);
	if (r < 0) {
		return r;
	}
	const struct axis axes[] = {
		{in->dim[1], weights->dim[0], o->stride_d, o->dilation_d},
		{in->dim[2], weights->dim[1], o->stride_h, o->dilation_h},
		{in->dim[3], weights->dim[2], o->stride_w, o->dilation_w},
	};
	r = check_axes(axes, 3, err);
	r = r < 0 ? r : set_shape(ctx, axes, o->padding, weights->dim[3], &ret->shapes[0], err);
	ret->macs = cost(ctx);
	return r;
}
