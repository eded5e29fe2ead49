/* SPDX-License-Identifier: Apache-2.0 */
/* rule_pool - AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D (TFLite kernels/pooling.cc),
 * LOCAL_RESPONSE_NORMALIZATION (local_response_norm.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

static int check_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	uint32_t codes = RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT16);
	codes = ctx->node->op == OP_L2_POOL_2D ? 0 : codes;
	int r = rule_type_among(ctx, input, "input", RULE_TYPE(FLOAT32) | codes, err);
	r = r < 0 ? r : rule_type_is(output, "output", input->type, err);
	if (r < 0 || input->type == DTYPE_FLOAT32) {
		return r;
	}
	r = rule_per_tensor(input, "input", err);
	return r < 0 ? r : rule_per_tensor(output, "output", err);
}

int rule_pool(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_pool *o = &ctx->node->options.pool;
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = check_types(ctx, err);
	r = r < 0 ? r : rule_rank_is(in, "input", 4, err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, rule_output(ctx, 0), err);
	if (r < 0) {
		return r;
	}
	const struct rule_window h = {in->dim[1], o->filter_h, o->stride_h, 1},
				 w = {in->dim[2], o->filter_w, o->stride_w, 1};
	*out = *in;
	r = rule_pool_windows(&h, &w, o->padding, &out->dim[1], &out->dim[2], err);
	if (r < 0) {
		return r;
	}
	ret->macs =
		rule_cost_mul(rule_elements(out), (uint64_t)o->filter_h * (uint64_t)o->filter_w);
	return 0;
}

/* Channels c - radius to c + radius - 1 of one pixel make the divisor of channel c. */
int rule_lrn(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int32_t radius = ctx->node->options.lrn.radius;
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 0), "input", 4, err);
	if (r < 0) {
		return r;
	}
	if (radius < 0) {
		return error_set(err, -EBADMSG, "radius %d", (int)radius);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	uint64_t channels = (uint64_t)rule_shape(ctx, 0)->dim[3], seen = 2 * (uint64_t)radius;
	ret->macs = rule_cost_mul(
		rule_elements(&ret->shapes[0]), 1 + (seen < channels ? seen : channels));
	return 0;
}
