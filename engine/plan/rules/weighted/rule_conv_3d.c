/* SPDX-License-Identifier: Apache-2.0 */
/* rule_conv_3d - CONV_3D (TFLite kernels/conv3d.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

static int check_operands(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *weights = rule_shape(ctx, 1);
	const struct tensor *bias = op_context_input(ctx, 2);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "weights", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 || !bias ? r : rule_type_is(bias, "bias", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(in, "input", 5, err);
	r = r < 0 ? r : rule_rank_is(weights, "weights", 5, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	r = r < 0 ? r : rule_not_empty(weights, "weights", err);
	if (r < 0) {
		return r;
	}
	if (in->dim[4] != weights->dim[3]) {
		return error_set(err, -EBADMSG, "weights have %d input channels, input has %d",
			(int)weights->dim[3], (int)in->dim[4]);
	}
	if (bias && rule_elements(rule_shape(ctx, 2)) != (uint64_t)weights->dim[4]) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "bias is %s, output has %d channels",
			shape_format(text, sizeof(text), rule_shape(ctx, 2)), (int)weights->dim[4]);
	}
	return 0;
}

/* Weights [depth, height, width, in, out]. */
int rule_conv_3d(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_conv_3d *o = &ctx->node->options.conv_3d;
	const struct shape *in = rule_shape(ctx, 0), *weights = rule_shape(ctx, 1);
	struct shape *out = &ret->shapes[0];
	int r = check_operands(ctx, err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, rule_output(ctx, 0), err);
	if (r < 0) {
		return r;
	}
	const struct rule_window d = {in->dim[1], weights->dim[0], o->stride_d, o->dilation_d},
				 h = {in->dim[2], weights->dim[1], o->stride_h, o->dilation_h},
				 w = {in->dim[3], weights->dim[2], o->stride_w, o->dilation_w};
	*out = (struct shape){.rank = 5, .dim = {in->dim[0]}};
	out->dim[4] = weights->dim[4];
	r = rule_windows(&d, &h, o->padding, &out->dim[1], &out->dim[2], err);
	r = r < 0 ? r : rule_windows(&h, &w, o->padding, &out->dim[2], &out->dim[3], err);
	if (r < 0) {
		return r;
	}
	uint64_t taps = rule_elements(weights) / (uint64_t)weights->dim[4];
	if (taps / (uint64_t)weights->dim[3] > RULE_MAX_WINDOW) {
		return error_set(err, -EFBIG, "filter %dx%dx%d", (int)weights->dim[0],
			(int)weights->dim[1], (int)weights->dim[2]);
	}
	ret->macs = rule_cost_mul(rule_elements(out), taps);
	return 0;
}
