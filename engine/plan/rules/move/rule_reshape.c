/* SPDX-License-Identifier: Apache-2.0 */
/* rule_reshape - RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE (TFLite kernels/reshape.cc, squeeze.cc,
 * expand_dims.cc, transpose.cc) */
#include <errno.h>

#include "engine/plan/rules/rule_dims.h"

#define MAX_TRANSPOSE_RANK 6

/* What RESHAPE asks for, from the tensor or the options, with -1 where it says so. */
struct target {
	unsigned int n;
	int64_t dim[SHAPE_MAX_RANK];
};

static int same_type(const struct op_context *ctx, struct error *err)
{
	return rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
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
	const struct tensor *t = op_context_input(ctx, 1);
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
	r = r < 0 ? r
		  : rule_same_scale(op_context_input(ctx, 0), "input", rule_output(ctx, 0), err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "axis", true, err);
	if (r == 0 && rule_known(ctx, 1)) {
		r = rule_axis(rule_value(ctx, 1, 0), in->rank + 1u, &axis, err);
	}
	r = r < 0 ? r : rule_dims_insert(in, axis, 1, out, err);
	if (r == 0 && !rule_known(ctx, 1)) {
		rule_set_unknown(out, out->rank);
	}
	return r;
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
	r = r < 0
		? r
		: rule_type_is(op_context_input(ctx, 1), "input 1 (permutation)", DTYPE_INT32, err);
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
