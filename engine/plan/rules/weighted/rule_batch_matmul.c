/* SPDX-License-Identifier: Apache-2.0 */
/* rule_batch_matmul - BATCH_MATMUL (TFLite kernels/batch_matmul.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define MAX_RANK 5
/* See rule_conv.c. */
#define MAX_SHIFT_INT64 14

static const struct {
	uint8_t left, right;
	uint32_t outputs;
} types[] = {
	{DTYPE_FLOAT32, DTYPE_FLOAT32, RULE_TYPE(FLOAT32)},
	{DTYPE_FLOAT32, DTYPE_INT8, RULE_TYPE(FLOAT32)},
	{DTYPE_INT8, DTYPE_INT8, RULE_TYPE(INT8) | RULE_TYPE(INT32)},
	{DTYPE_INT16, DTYPE_INT16, RULE_TYPE(INT16)},
	{DTYPE_INT16, DTYPE_INT8, RULE_TYPE(INT16)},
};

static int check_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *left = op_context_input(ctx, 0), *right = op_context_input(ctx, 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].left == left->type && types[i].right == right->type) {
			return rule_type_among(
				ctx, rule_output(ctx, 0), "output", types[i].outputs, err);
		}
	}
	return error_set(err, -EOPNOTSUPP, "%s v%u with %s and %s inputs is not there yet",
		operators_name(ctx->node->op), ctx->node->version, dtype_name(left->type),
		dtype_name(right->type));
}

/* Scales of the right operand: one, or one for each element of some dimension. What the reference
 * makes of several is 0 (observed: it reads a field that only a single scale fills). */
static int check_right(const struct tensor *right, const struct shape *shape, struct error *err)
{
	const struct quant *q = &right->quant;
	return q->n_scales > 1 ? rule_per_channel(right, "input 1", shape, q->dimension, err)
			       : rule_quantised(right, "input 1", err);
}

static int check_codes(const struct op_context *ctx, struct error *err)
{
	const struct tensor *left = op_context_input(ctx, 0), *right = op_context_input(ctx, 1);
	const struct tensor *out = rule_output(ctx, 0);
	bool wide = left->type == DTYPE_INT16;
	int r = rule_quantised(left, "input 0", err);
	r = r < 0 ? r : check_right(right, rule_shape(ctx, 1), err);
	r = r < 0 ? r : rule_quantised(out, "output", err);
	r = r < 0 || !wide ? r : rule_zero_points_zero(right, "input 1", err);
	if (r < 0 || right->quant.n_scales > 1) {
		return r;
	}
	float product = left->quant.scale[0] * right->quant.scale[0];
	return rule_multiplier((double)product / (double)out->quant.scale[0],
		wide ? MAX_SHIFT_INT64 : RULE_MAX_SHIFT, "sum of products", err);
}

/* Sums of codes as they are (int8 to int32) need no scales. */
static int check_quant(const struct op_context *ctx, struct error *err)
{
	const struct tensor *left = op_context_input(ctx, 0), *right = op_context_input(ctx, 1);
	if (right->type == DTYPE_FLOAT32 || rule_output(ctx, 0)->type == DTYPE_INT32) {
		return 0;
	}
	if (left->type != DTYPE_FLOAT32) {
		return check_codes(ctx, err);
	}
	int r = rule_per_tensor(right, "input 1", err);
	return r < 0 ? r : rule_zero_points_zero(right, "input 1", err);
}

static int check_ranks(const struct op_context *ctx, struct error *err)
{
	for (uint32_t i = 0; i < 2; i++) {
		unsigned int rank = rule_shape(ctx, i)->rank;
		if (rank < 2 || rank > MAX_RANK) {
			return error_set(err, -EBADMSG, "input %u has rank %u, must have 2 to %d",
				i, rank, MAX_RANK);
		}
	}
	return 0;
}

/* Dimension @i of @shape as one of rank @rank; 1 where it has none. */
static int32_t extended(const struct shape *shape, unsigned int rank, unsigned int i)
{
	unsigned int missing = rank - shape->rank;
	return i < missing ? 1 : shape->dim[i - missing];
}

static int set_batches(const struct shape *left, const struct shape *right, struct shape *ret_out,
	struct error *err)
{
	unsigned int rank = left->rank > right->rank ? left->rank : right->rank;
	*ret_out = (struct shape){.rank = (uint8_t)rank};
	for (unsigned int i = 0; i + 2 < rank; i++) {
		int32_t a = extended(left, rank, i), b = extended(right, rank, i);
		if (a != b && a != 1 && b != 1) {
			return error_set(err, -EBADMSG, "batches %d and %d do not broadcast",
				(int)a, (int)b);
		}
		ret_out->dim[i] = a == 1 ? b : a;
	}
	return 0;
}

int rule_batch_matmul(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_batch_matmul *o = &ctx->node->options.batch_matmul;
	const struct shape *left = rule_shape(ctx, 0), *right = rule_shape(ctx, 1);
	struct shape *out = &ret->shapes[0];
	int r = check_types(ctx, err);
	r = r < 0 ? r : check_quant(ctx, err);
	r = r < 0 ? r : check_ranks(ctx, err);
	r = r < 0 ? r : set_batches(left, right, out, err);
	if (r < 0) {
		return r;
	}
	const int32_t *a = &left->dim[left->rank - 2], *b = &right->dim[right->rank - 2];
	int32_t depth = o->adj_x ? a[0] : a[1], other = o->adj_y ? b[1] : b[0];
	if (depth != other) {
		return error_set(err, -EBADMSG, "rows of %d and columns of %d elements", (int)depth,
			(int)other);
	}
	out->dim[out->rank - 2] = o->adj_x ? a[1] : a[0];
	out->dim[out->rank - 1] = o->adj_y ? b[0] : b[1];
	uint64_t elements = 0;
	ret->macs =
		shape_elements(out, &elements) < 0 ? 0 : rule_cost_mul(elements, (uint64_t)depth);
	return 0;
}
