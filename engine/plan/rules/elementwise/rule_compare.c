/* SPDX-License-Identifier: Apache-2.0 */
/* rule_compare - EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL (TFLite
 * kernels/comparisons.cc) */
#include <errno.h>

#include "engine/plan/rules/rule_broadcast.h"

#define ORDERED                                                                                    \
	(RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_CODES)
#define ANY (ORDERED | RULE_TYPE(BOOL) | RULE_TYPE(STRING))

/* Codes are compared by what they stand for, or where neither operand has a scale as they are. */
static int check_scales(const struct op_context *ctx, struct error *err)
{
	const struct tensor *a = op_context_input(ctx, 0), *b = op_context_input(ctx, 1);
	if (!(RULE_CODES >> a->type & 1) || (a->quant.n_scales == 0 && b->quant.n_scales == 0)) {
		return 0;
	}
	int r = rule_per_tensor(a, "input 0", err);
	return r < 0 ? r : rule_per_tensor(b, "input 1", err);
}

int rule_compare(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	bool is_equality = ctx->node->op == OP_EQUAL || ctx->node->op == OP_NOT_EQUAL;
	int r = rule_broadcast_one_type(ctx, 0, 2, is_equality ? ANY : ORDERED, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_BOOL, err);
	r = r < 0 ? r : check_scales(ctx, err);
	return r < 0 ? r : rule_broadcast(ctx, 0, 2, &ret->shapes[0], err);
}
