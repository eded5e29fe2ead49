/* SPDX-License-Identifier: Apache-2.0 */
/* rule_scan - CUMSUM and RANGE (TFLite kernels/cumsum.cc, range.cc) */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/plan/rules/rule.h"

int rule_cumsum(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	unsigned int axis = 0;
	int r = rule_type_among(
		ctx, op_context_input(ctx, 0), "input", RULE_INDICES | RULE_TYPE(FLOAT32), err);
	r = r < 0
		? r
		: rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "axis", false, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *in;
	return rule_known(ctx, 1) ? rule_axis(rule_value(ctx, 1, 0), in->rank, &axis, err) : 0;
}

static int refuse_range(struct error *err)
{
	return error_set(err, -EBADMSG, "the step is 0, or does not lead from start to limit");
}

/* ceil(|limit - start| / |step|); differences of int64 need 64 bits without a sign. */
static int count_integers(const struct op_context *ctx, uint64_t *ret, struct error *err)
{
	int64_t start = rule_value(ctx, 0, 0), limit = rule_value(ctx, 1, 0),
		step = rule_value(ctx, 2, 0);
	if (step == 0 || (step > 0 ? start > limit : start < limit)) {
		return refuse_range(err);
	}
	uint64_t way =
		step > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
	uint64_t each = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
	*ret = way / each + (way % each != 0);
	return 0;
}

static float float_value(const struct op_context *ctx, uint32_t i)
{
	float v;
	memcpy(&v, ctx->constants[ctx->node->inputs[i]], sizeof(v));
	return v;
}

static int count_floats(const struct op_context *ctx, uint64_t *ret, struct error *err)
{
	float start = float_value(ctx, 0), limit = float_value(ctx, 1), step = float_value(ctx, 2);
	if (!((start >= limit && step < 0) || (start <= limit && step > 0))) {
		return refuse_range(err);
	}
	float n = ceilf(fabsf((limit - start) / step));
	/* Beyond every size, and not a number: both are too many. */
	*ret = n <= SHAPE_MAX_DIM ? (uint64_t)n : SHAPE_MAX_DIM + UINT64_C(1);
	return 0;
}

int rule_range(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	static const char *const names[] = {"input 0 (start)", "input 1 (limit)", "input 2 (step)"};
	unsigned int type = op_context_input(ctx, 0)->type;
	int r = rule_type_among(
		ctx, op_context_input(ctx, 0), "input", RULE_INDICES | RULE_TYPE(FLOAT32), err);
	for (uint32_t i = 0; r == 0 && i < 3; i++) {
		r = rule_type_is(op_context_input(ctx, i), names[i], type, err);
		r = r < 0 ? r : rule_rank_is(rule_shape(ctx, i), names[i], 0, err);
	}
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", type, err);
	if (r < 0) {
		return r;
	}
	rule_set_unknown(&ret->shapes[0], 1);
	if (!rule_known(ctx, 0) || !rule_known(ctx, 1) || !rule_known(ctx, 2)) {
		return 0;
	}
	uint64_t n = 0;
	r = type == DTYPE_FLOAT32 ? count_floats(ctx, &n, err) : count_integers(ctx, &n, err);
	if (r == 0 && n > SHAPE_MAX_DIM) {
		r = error_set(err, -EBADMSG, "a range of more than %d elements", SHAPE_MAX_DIM);
	}
	ret->shapes[0].dim[0] = (int32_t)n;
	return r;
}
