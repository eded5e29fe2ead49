/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_move - RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE, PAD, PADV2 (TFLite kernels/reshape.cc,
 * squeeze.cc, expand_dims.cc, transpose.cc, pad.cc)
 */
#include <errno.h>

#include "engine/plan/rule.h"

#define MAX_TRANSPOSE_RANK 6
#define MAX_PAD_RANK 5

/* What RESHAPE asks for, from the tensor or the options, with -1 where it says so. */
struct target {
	unsigned int n;
	int64_t dim[SHAPE_MAX_RANK];
};

static int same_type(const struct op_context *ctx, struct error *err)
{
	return rule_type_is(rule_output(ctx, 0), "output", op_input(ctx, 0)->type, err);
}

static int target_from_options(const struct op_context *ctx, struct target *ret, struct error *err)
{
	const struct options_reshape *o = &ctx->node->options.reshape;
	if (!o->has_new_shape) {
		return error_set(err, -EBADMSG, "no shape: neither an int32 vector nor an option");
	}
	if (o->n > SHAPE_MAX_RANK) {
		return error_set(err, -EBADMSG, "new shape has %u dimensions", o->n);
	}
	*ret = (struct target){.n = o->n};
	for (unsigned int i = 0; i < o->n; i++) {
		ret->dim[i] = o->new_shape[i];
	}
	if (ret->n == 1 && ret->dim[0] == 0) {
		ret->n = 0; /* how old converters wrote a scalar (reshape.cc) */
	}
	return 0;
}

/* At most one -1; the products agree. */
static int resolve_target(const struct target *target, const struct shape *in,
	struct shape *ret_out, struct error *err)
{
	uint64_t elements = rule_elements(in), product = 1;
	int open = -1;
	*ret_out = (struct shape){.rank = (uint8_t)target->n};
	for (unsigned int i = 0; i < target->n; i++) {
		int64_t dim = target->dim[i];
		if (dim < -1 || dim > SHAPE_MAX_DIM) {
			return error_set(err, -EBADMSG, "new dimension %lld", (long long)dim);
		}
		if (dim == -1 && open >= 0) {
			return error_set(err, -EBADMSG, "two dimensions of the new shape are -1");
		}
		open = dim == -1 ? (int)i : open;
		product = rule_cost_mul(product, dim == -1 ? 1 : (uint64_t)dim);
		ret_out->dim[i] = (int32_t)dim;
	}
	if (open >= 0 && product > 0 && elements / product <= SHAPE_MAX_DIM) {
		ret_out->dim[open] = (int32_t)(elements / product);
		product *= elements / product;
	}
	if (product != elements || (open >= 0 && ret_out->dim[open] < 0)) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "%llu elements into shape %s",
			(unsigned long long)elements, shape_format(text, sizeof(text), ret_out));
	}
	return 0;
}

static bool is_shape_vector(const struct op_context *ctx)
{
	const struct tensor *t = op_input(ctx, 1);
	return t && t->type == DTYPE_INT32 && rule_shape(ctx, 1)->rank == 1;
}

int rule_reshape(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct target target = {0};
	int r = same_type(ctx, err);
	if (r < 0) {
		return r;
	}
	if (!is_shape_vector(ctx)) {
		r = target_from_options(ctx, &target, err);
		return r < 0 ? r
			     : resolve_target(&target, rule_shape(ctx, 0), &ret->shapes[0], err);
	}
	int32_t n = rule_shape(ctx, 1)->dim[0];
	if (n > SHAPE_MAX_RANK) {
		return error_set(err, -EBADMSG, "new shape has %d dimensions", (int)n);
	}
	if (!rule_known(ctx, 1)) {
		rule_set_unknown(&ret->shapes[0], (unsigned int)n);
		return 0;
	}
	target.n = (unsigned int)n;
	for (unsigned int i = 0; i < target.n; i++) {
		target.dim[i] = rule_value(ctx, 1, i);
	}
	return resolve_target(&target, rule_shape(ctx, 0), &ret->shapes[0], err);
}

int rule_squeeze(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_squeeze *o = &ctx->node->options.squeeze;
	const struct shape *in = rule_shape(ctx, 0);
	uint32_t gone = 0;
	int r = same_type(ctx, err);
	if (r == 0 && o->n > SHAPE_MAX_RANK) {
		r = error_set(err, -EBADMSG, "%u dimensions to squeeze", o->n);
	}
	for (uint32_t i = 0; r == 0 && i < o->n; i++) {
		unsigned int axis = 0;
		r = rule_axis(o->dims[i], in->rank, &axis, err);
		if (r == 0 && in->dim[axis] != 1) {
			r = error_set(err, -EBADMSG, "dimension %u to squeeze is %d, must be 1",
				axis, (int)in->dim[axis]);
		}
		gone |= 1u << axis;
	}
	struct shape *out = &ret->shapes[0];
	*out = (struct shape){0};
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		if (o->n ? !(gone >> i & 1) : in->dim[i] != 1) {
			out->dim[out->rank++] = in->dim[i];
		}
	}
	return r;
}

int rule_expand_dims(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	unsigned int axis = 0;
	int r = same_type(ctx, err);
	r = r < 0 ? r : rule_same_scale(op_input(ctx, 0), "input", rule_output(ctx, 0), err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "axis", true, err);
	if (r == 0 && in->rank >= SHAPE_MAX_RANK) {
		r = error_set(err, -EBADMSG, "input has rank %u already", in->rank);
	}
	if (r < 0) {
		return r;
	}
	if (!rule_known(ctx, 1)) {
		rule_set_unknown(out, in->rank + 1u);
		return 0;
	}
	r = rule_axis(rule_value(ctx, 1, 0), in->rank + 1u, &axis, err);
	if (r < 0) {
		return r;
	}
	*out = (struct shape){.rank = (uint8_t)(in->rank + 1)};
	for (unsigned int i = 0; i < out->rank; i++) {
		out->dim[i] = i == axis ? 1 : in->dim[i < axis ? i : i - 1];
	}
	return 0;
}

/* Reads the permutation: each dimension once, negative ones from the end. */
static int set_transposed(const struct op_context *ctx, struct shape *out, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	uint32_t seen = 0;
	*out = *in;
	for (unsigned int i = 0; i < in->rank; i++) {
		unsigned int axis = 0;
		int r = rule_axis(rule_value(ctx, 1, i), in->rank, &axis, err);
		if (r < 0) {
			return r;
		}
		if (seen >> axis & 1) {
			return error_set(
				err, -EBADMSG, "dimension %u twice in the permutation", axis);
		}
		seen |= 1u << axis;
		out->dim[i] = in->dim[axis];
	}
	return 0;
}

int rule_transpose(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *perm = rule_shape(ctx, 1);
	int r = same_type(ctx, err);
	r = r < 0 ? r : rule_type_is(op_input(ctx, 1), "input 1 (permutation)", DTYPE_INT32, err);
	if (r < 0) {
		return r;
	}
	if (in->rank > MAX_TRANSPOSE_RANK) {
		return error_set(err, -EOPNOTSUPP,
			"TRANSPOSE v%u of rank %u (above %d) is not there yet", ctx->node->version,
			in->rank, MAX_TRANSPOSE_RANK);
	}
	if (perm->rank != 1 || perm->dim[0] != in->rank) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (permutation): %s for a tensor of rank %u",
			shape_format(text, sizeof(text), perm), in->rank);
	}
	if (!rule_known(ctx, 1)) {
		rule_set_unknown(&ret->shapes[0], in->rank);
		return 0;
	}
	return set_transposed(ctx, &ret->shapes[0], err);
}

/* PADV2: one element of the input's type, coded as the output is. */
static int check_pad_value(const struct op_context *ctx, struct error *err)
{
	const struct tensor *value = op_input(ctx, 2), *output = rule_output(ctx, 0);
	if (ctx->node->op != OP_PADV2) {
		return 0;
	}
	if (rule_elements(rule_shape(ctx, 2)) != 1) {
		return error_set(err, -EBADMSG, "input 2 (value) must have one element");
	}
	int r = rule_type_is(value, "input 2 (value)", output->type, err);
	if (r < 0 || output->quant.n_scales != 1 || value->quant.n_scales != 1) {
		return r;
	}
	if (value->quant.scale[0] != output->quant.scale[0] ||
		quant_zero(&value->quant, 0) != quant_zero(&output->quant, 0)) {
		return error_set(
			err, -EBADMSG, "input 2 (value) has another scale than the output");
	}
	return 0;
}

#define PADDING_TYPES (RULE_TYPE(INT8) | RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64))

static int check_pad(const struct op_context *ctx, struct error *err)
{
	const struct tensor *paddings = op_input(ctx, 1);
	const struct shape *in = rule_shape(ctx, 0), *shape = rule_shape(ctx, 1);
	int r = rule_type_among(ctx, op_input(ctx, 0), "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) |
			RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(BOOL),
		err);
	r = r < 0 ? r : same_type(ctx, err);
	if (r < 0) {
		return r;
	}
	if (!(PADDING_TYPES >> paddings->type & 1)) {
		return error_set(err, -EBADMSG,
			"input 1 (paddings) is %s, must be a signed integer",
			dtype_name(paddings->type));
	}
	if (in->rank > MAX_PAD_RANK) {
		return error_set(err, -EOPNOTSUPP, "%s v%u of rank %u (above %d) is not there yet",
			operator_name(ctx->node->op), ctx->node->version, in->rank, MAX_PAD_RANK);
	}
	if (shape->rank != 2 || shape->dim[0] != in->rank || shape->dim[1] != 2) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (paddings): %s for a tensor of rank %u",
			shape_format(text, sizeof(text), shape), in->rank);
	}
	return check_pad_value(ctx, err);
}

int rule_pad(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_pad(ctx, err);
	if (r < 0) {
		return r;
	}
	if (!rule_known(ctx, 1)) {
		rule_set_unknown(&ret->shapes[0], in->rank);
		return 0;
	}
	ret->shapes[0] = *in;
	for (unsigned int i = 0; i < in->rank; i++) {
		int64_t before = rule_value(ctx, 1, 2 * i), after = rule_value(ctx, 1, 2 * i + 1);
		if (before < 0 || after < 0) {
			return error_set(err, -EBADMSG, "padding %lld and %lld of dimension %u",
				(long long)before, (long long)after, i);
		}
		if (before > SHAPE_MAX_DIM || after > SHAPE_MAX_DIM ||
			in->dim[i] + before + after > SHAPE_MAX_DIM) {
			return error_set(err, -EBADMSG,
				"dimension %u of %d padded by %lld and %lld", i, (int)in->dim[i],
				(long long)before, (long long)after);
		}
		ret->shapes[0].dim[i] = (int32_t)(in->dim[i] + before + after);
	}
	return 0;
}
