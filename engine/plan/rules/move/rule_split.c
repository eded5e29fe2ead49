/* SPDX-License-Identifier: Apache-2.0 */
/* rule_split - CONCATENATION, SPLIT, SPLIT_V (TFLite kernels/concatenation.cc, split.cc,
 * split_v.cc)
 */
#include <errno.h>

#include "engine/plan/rules/rule.h"

/* int8 codes are copied, so all share one scale; uint8 ones are rescaled, all or none of them;
 * int16 codes are copied whatever their scales. */
static int check_concatenated_quant(
	const struct tensor *t, const struct tensor *output, uint32_t i, struct error *err)
{
	bool has = t->quant.n_scales == 1, wanted = output->quant.n_scales == 1;
	if (output->type == DTYPE_INT8 && has && wanted &&
		(t->quant.scale[0] != output->quant.scale[0] ||
			quant_zero(&t->quant, 0) != quant_zero(&output->quant, 0))) {
		return error_set(
			err, -EBADMSG, "input %u (int8) has another scale than the output", i);
	}
	if ((output->type == DTYPE_INT8 || output->type == DTYPE_UINT8) &&
		(has != wanted || t->quant.n_scales > 1 || output->quant.n_scales > 1)) {
		return error_set(err, -EBADMSG, "input %u has %u scales, output has %u", i,
			t->quant.n_scales, output->quant.n_scales);
	}
	if (output->type == DTYPE_INT16) {
		int r = rule_zero_points_zero(t, "input", err);
		return r < 0 ? r : rule_zero_points_zero(output, "output", err);
	}
	return 0;
}

/* uint8: code * (scale / output scale) must stay in int32. */
static int check_rescaled(const struct tensor *t, const struct tensor *output, struct error *err)
{
	if (output->type != DTYPE_UINT8 || output->quant.n_scales != 1) {
		return 0;
	}
	return rule_multiplier((double)t->quant.scale[0] / (double)output->quant.scale[0],
		RULE_MAX_SHIFT - 8, "input", err);
}

/* Same rank, and the same dimensions but for @axis, which is added up. */
static int add_dims(const struct op_context *ctx, uint32_t i, unsigned int axis, struct shape *out,
	struct error *err)
{
	const struct shape *s = rule_shape(ctx, i);
	bool fits = s->rank == out->rank;
	for (unsigned int d = 0; fits && d < s->rank; d++) {
		fits = d == axis || s->dim[d] == out->dim[d];
	}
	if (!fits) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u is %s, input 0 is %s, axis %u", i,
			shape_format(a, sizeof(a), s),
			shape_format(b, sizeof(b), rule_shape(ctx, 0)), axis);
	}
	int64_t sum = (int64_t)out->dim[axis] + s->dim[axis];
	if (sum > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "dimension %u of the output is above %d", axis,
			SHAPE_MAX_DIM);
	}
	out->dim[axis] = (int32_t)sum;
	return 0;
}

int rule_concatenation(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_axis *o = &ctx->node->options.axis;
	const struct tensor *output = rule_output(ctx, 0);
	struct shape *out = &ret->shapes[0];
	unsigned int axis = 0;
	int r = rule_type_among(ctx, output, "output",
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) |
			RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(BOOL) |
			RULE_TYPE(UINT32),
		err);
	r = r < 0 ? r : rule_axis(o->axis, rule_shape(ctx, 0)->rank, &axis, err);
	if (r == 0 && o->activation != ACTIVATION_NONE) {
		r = error_set(err, -EBADMSG, "fused activation %u", o->activation);
	}
	*out = *rule_shape(ctx, 0);
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_inputs; i++) {
		const struct tensor *t = op_context_input(ctx, i);
		r = rule_type_is(t, "input", output->type, err);
		r = r < 0 ? r : check_concatenated_quant(t, output, i, err);
		r = r < 0 ? r : check_rescaled(t, output, err);
		r = r < 0 || i == 0 ? r : add_dims(ctx, i, axis, out, err);
	}
	return r;
}

static int check_parts(const struct op_context *ctx, const struct tensor *input, struct error *err)
{
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT16) |
			RULE_TYPE(INT32) | RULE_TYPE(INT64),
		err);
	int32_t count = ctx->node->options.axis.count;
	if (r == 0 && (count < 1 || (uint32_t)count != ctx->node->n_outputs)) {
		r = error_set(err, -EBADMSG, "%d splits into %u outputs", (int)count,
			ctx->node->n_outputs);
	}
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_outputs; i++) {
		r = rule_type_is(rule_output(ctx, i), "output", input->type, err);
	}
	return r;
}

/* Each part is copied row by row, and empty ones are looked at as well. */
static uint64_t count_copies(const struct shape *in, unsigned int axis, uint32_t n)
{
	uint64_t rows = n;
	for (unsigned int i = 0; i < axis; i++) {
		rows = rule_cost_mul(rows, (uint64_t)in->dim[i]);
	}
	return rule_cost_add(rule_elements(in), rows);
}

static void set_parts_unknown(
	const struct op_context *ctx, const struct shape *in, struct op_result *ret)
{
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		rule_set_unknown(&ret->shapes[i], in->rank);
	}
}

int rule_split(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 1);
	uint32_t n = ctx->node->n_outputs;
	unsigned int axis = 0;
	int r = check_parts(ctx, op_context_input(ctx, 1), err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 0, "axis", false, err);
	if (r < 0) {
		return r;
	}
	if (!rule_known(ctx, 0)) {
		set_parts_unknown(ctx, in, ret);
		return 0;
	}
	r = rule_axis(rule_value(ctx, 0, 0), in->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	ret->macs = count_copies(in, axis, n);
	if ((uint32_t)in->dim[axis] % n != 0) {
		return error_set(err, -EBADMSG, "dimension %u of %d in %u equal parts", axis,
			(int)in->dim[axis], n);
	}
	for (uint32_t i = 0; i < n; i++) {
		ret->shapes[i] = *in;
		ret->shapes[i].dim[axis] = in->dim[axis] / (int32_t)n;
	}
	return 0;
}

/* Sizes are not negative but for one -1 at most, which takes the rest; their sum is @dim. */
static int set_sizes(
	const struct op_context *ctx, unsigned int axis, struct op_result *ret, struct error *err)
{
	int32_t dim = rule_shape(ctx, 0)->dim[axis];
	int64_t sum = 0, open = -1;
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		int64_t size = rule_value(ctx, 1, i);
		if (size < -1 || size > dim || (size == -1 && open >= 0)) {
			return error_set(err, -EBADMSG, "size %lld of part %u of %d%s",
				(long long)size, i, (int)dim, size == -1 ? ": a second -1" : "");
		}
		open = size == -1 ? (int64_t)i : open;
		sum += size == -1 ? 0 : size;
		ret->shapes[i] = *rule_shape(ctx, 0);
		ret->shapes[i].dim[axis] = (int32_t)size;
	}
	if (open >= 0 ? sum > dim : sum != dim) {
		return error_set(err, -EBADMSG, "sizes add up to %lld, dimension %u is %d",
			(long long)sum, axis, (int)dim);
	}
	if (open >= 0) {
		ret->shapes[open].dim[axis] = (int32_t)(dim - sum);
	}
	return 0;
}

int rule_split_v(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *sizes = op_context_input(ctx, 1);
	const struct shape *in = rule_shape(ctx, 0), *sizes_shape = rule_shape(ctx, 1);
	unsigned int axis = 0;
	int r = check_parts(ctx, op_context_input(ctx, 0), err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 2, "axis", false, err);
	if (r < 0) {
		return r;
	}
	if (sizes->type != DTYPE_INT32 && sizes->type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "input 1 (sizes) is %s, must be int32 or int64",
			dtype_name(sizes->type));
	}
	if (sizes_shape->rank != 1 || (uint32_t)sizes_shape->dim[0] != ctx->node->n_outputs) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (sizes): %s for %u outputs",
			shape_format(text, sizeof(text), sizes_shape), ctx->node->n_outputs);
	}
	if (rule_known(ctx, 2)) {
		r = rule_axis(rule_value(ctx, 2, 0), in->rank, &axis, err);
		if (r < 0) {
			return r;
		}
	}
	if (!rule_known(ctx, 1) || !rule_known(ctx, 2)) {
		set_parts_unknown(ctx, in, ret);
		return 0;
	}
	ret->macs = count_copies(in, axis, ctx->node->n_outputs);
	return set_sizes(ctx, axis, ret, err);
}
