/* SPDX-License-Identifier: Apache-2.0 */
/* rule_select - SELECT and SELECT_V2 (TFLite kernels/select.cc) */
#include <errno.h>

#include "engine/plan/rules/rule_broadcast.h"

static int check_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *x = op_context_input(ctx, 1);
	unsigned int bits = dtype_bits(x->type);
	int r = rule_type_is(op_context_input(ctx, 0), "condition", DTYPE_BOOL, err);
	if (r == 0 && (bits < 8 || bits > 64)) {
		r = rule_type_among(ctx, x, "input", 0, err);
	}
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 2), "input 2", x->type, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", x->type, err);
}

/* Where all four have one element the result's declared shape stays, whatever its rank. */
static bool is_single(const struct op_context *ctx)
{
	const struct shape *declared = &rule_output(ctx, 0)->shape;
	for (uint32_t i = 0; i < 3; i++) {
		if (rule_elements(rule_shape(ctx, i)) != 1) {
			return false;
		}
	}
	return shape_known(declared) && rule_elements(declared) == 1;
}

/* A condition of other shape than the values is a scalar, or has one element for each index of
 * their first dimension. */
static int check_condition(const struct op_context *ctx, struct error *err)
{
	const struct shape *condition = rule_shape(ctx, 0), *x = rule_shape(ctx, 1);
	if (condition->rank == 0 || shape_equal(condition, x) ||
		(condition->rank == 1 && x->rank > 0 && condition->dim[0] == x->dim[0])) {
		return 0;
	}
	char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
	return error_set(err, -EBADMSG, "condition %s fits neither %s nor its first dimension",
		shape_format(a, sizeof(a), condition), shape_format(b, sizeof(b), x));
}

int rule_select(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_types(ctx, err);
	if (r < 0) {
		return r;
	}
	if (is_single(ctx)) {
		ret->shapes[0] = rule_output(ctx, 0)->shape;
		return 0;
	}
	if (ctx->node->op == OP_SELECT_V2) {
		return rule_broadcast(ctx, 0, 3, &ret->shapes[0], err);
	}
	r = rule_broadcast_one_shape(ctx, 1, 2, &ret->shapes[0], err);
	return r < 0 ? r : check_condition(ctx, err);
}
