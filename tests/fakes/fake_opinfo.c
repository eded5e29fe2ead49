/* SPDX-License-Identifier: Apache-2.0 */
/* The operator table's stand-in: shapes of ADD, MUL and RESHAPE. */
#include "engine/plan/opinfo.h"

#include <errno.h>
#include <string.h>

static int check_reshape(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const uint8_t *target = ctx->constants[ctx->node->inputs[1]];
	struct shape shape = {.rank = (uint8_t)ctx->shapes[ctx->node->inputs[1]].dim[0]};
	uint64_t before = 0, after = 0;
	if (!target) {
		return error_set(err, -EOPNOTSUPP, "RESHAPE to a computed shape");
	}
	memcpy(shape.dim, target, 4u * shape.rank);
	if (shape_elements(&ctx->shapes[ctx->node->inputs[0]], &before) < 0 ||
		shape_elements(&shape, &after) < 0 || before != after) {
		return error_set(err, -EBADMSG, "RESHAPE changes the number of elements");
	}
	ret->shapes[0] = shape;
	ret->macs = 0;
	return 0;
}

int opinfo_check(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *a = &ctx->shapes[ctx->node->inputs[0]];
	if (ctx->node->op == OP_RESHAPE) {
		return check_reshape(ctx, ret, err);
	}
	if (ctx->node->op != OP_ADD && ctx->node->op != OP_MUL) {
		return error_set(
			err, -EOPNOTSUPP, "%s is not there yet", operator_name(ctx->node->op));
	}
	if (!shape_equal(a, &ctx->shapes[ctx->node->inputs[1]])) {
		return error_set(err, -EBADMSG, "operands of different shapes");
	}
	ret->shapes[0] = *a;
	return shape_elements(a, &ret->macs);
}
