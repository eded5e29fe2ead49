/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_binary - functions of two tensors of one type, element by element (TFLite kernels/div.cc,
 * floor_div.cc, floor_mod.cc, pow.cc, maximum_minimum.cc, squared_difference.cc, atan2.cc,
 * logical.cc, bitwise_xor.cc, right_shift.cc, stablehlo_elementwise.h, stablehlo_shift_left.cc),
 * and ADD_N (add_n.cc)
 */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/rule_broadcast.h"

#define SIGNED (RULE_TYPE(INT8) | RULE_TYPE(INT16) | RULE_TYPE(INT32))
#define UNSIGNED (RULE_TYPE(UINT8) | RULE_TYPE(UINT16) | RULE_TYPE(UINT32))
#define WIDE (RULE_TYPE(INT64) | RULE_TYPE(UINT64))
#define REAL (RULE_TYPE(FLOAT16) | RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT64))
#define HLO (REAL | SIGNED | UNSIGNED | WIDE | RULE_TYPE(BOOL))

struct kind {
	uint16_t op;
	bool one_shape; /* operands do not stretch */
	uint32_t types;
};

static const struct kind kinds[] = {
	{OP_ATAN2, true, REAL},
	{OP_BITWISE_XOR, false, SIGNED | UNSIGNED},
	{OP_DIV, false, RULE_TYPE(FLOAT32) | RULE_TYPE(INT32) | RULE_CODES},
	{OP_FLOOR_DIV, false, RULE_TYPE(FLOAT32) | SIGNED},
	{OP_FLOOR_MOD, false, RULE_TYPE(FLOAT32) | SIGNED | RULE_TYPE(INT64)},
	{OP_LOGICAL_AND, false, RULE_TYPE(BOOL)},
	{OP_LOGICAL_OR, false, RULE_TYPE(BOOL)},
	{OP_MAXIMUM, false,
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_CODES | SIGNED | RULE_TYPE(INT64)},
	{OP_MINIMUM, false,
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_CODES | SIGNED | RULE_TYPE(INT64)},
	{OP_POW, false, RULE_TYPE(FLOAT32) | RULE_TYPE(INT32)},
	{OP_RIGHT_SHIFT, false, SIGNED | UNSIGNED},
	{OP_SQUARED_DIFFERENCE, false, RULE_TYPE(FLOAT32) | RULE_TYPE(INT32) | RULE_TYPE(INT8)},
	{OP_STABLEHLO_ADD, true, HLO},
	{OP_STABLEHLO_AND, true, SIGNED | UNSIGNED | WIDE | RULE_TYPE(BOOL)},
	{OP_STABLEHLO_MAXIMUM, true, HLO},
	{OP_STABLEHLO_MINIMUM, true, HLO},
	{OP_STABLEHLO_MULTIPLY, true, HLO},
	{OP_STABLEHLO_SHIFT_LEFT, true, SIGNED},
};

static const struct kind *kind_of(unsigned int op)
{
	const struct kind *k = kinds;
	while (k->op != op) {
		k++;
	}
	return k;
}

int rule_binary(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct kind *kind = kind_of(ctx->node->op);
	int r = rule_broadcast_one_type(ctx, 0, 2, kind->types, err);
	r = r < 0
		? r
		: rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
	if (r < 0) {
		return r;
	}
	r = kind->one_shape ? rule_broadcast_one_shape(ctx, 0, 2, &ret->shapes[0], err)
			    : rule_broadcast(ctx, 0, 2, &ret->shapes[0], err);
	/* Divisors and exponents are judged for an empty result, too. */
	if (r == 0 && rule_elements(&ret->shapes[0]) == 0) {
		ret->macs = rule_elements(rule_shape(ctx, 1));
	}
	return r;
}

static int check_scales(const struct op_context *ctx, struct error *err)
{
	int r = rule_per_tensor(op_context_input(ctx, 0), "input 0", err);
	r = r < 0 ? r : rule_per_tensor(op_context_input(ctx, 1), "input 1", err);
	return r < 0 ? r : rule_per_tensor(rule_output(ctx, 0), "output", err);
}

/* Any finite factor: the kernel saturates above, and below there is nothing left. */
#define MAX_QUOTIENT_SHIFT 1000

int rule_div(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	int r = rule_binary(ctx, ret, err);
	if (r == 0 && RULE_CODES >> output->type & 1) {
		r = check_scales(ctx, err);
		if (r == 0) {
			float divisor =
				op_context_input(ctx, 1)->quant.scale[0] * output->quant.scale[0];
			float factor = op_context_input(ctx, 0)->quant.scale[0] / divisor;
			r = rule_multiplier((double)factor, MAX_QUOTIENT_SHIFT, "quotient", err);
		}
	}
	return r < 0 ? r : rule_fused(ctx, ctx->node->options.arithmetic.activation, output, err);
}

/* The square is rescaled by (2 * max(scales))^2 / (2^14 * output scale), which must be below 1: the
 * reference aborts otherwise. */
static int check_square_scales(const struct op_context *ctx, struct error *err)
{
	int r = check_scales(ctx, err);
	if (r < 0) {
		return r;
	}
	float a = op_context_input(ctx, 0)->quant.scale[0],
	      b = op_context_input(ctx, 1)->quant.scale[0];
	double twice = 2 * (double)fmaxf(a, b);
	double out = (double)rule_output(ctx, 0)->quant.scale[0];
	return rule_multiplier(twice * twice / (16384 * out), 0, "square", err);
}

int rule_squared_difference(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_binary(ctx, ret, err);
	return r == 0 && op_context_input(ctx, 0)->type == DTYPE_INT8
		? check_square_scales(ctx, err)
		: r;
}

int rule_add_n(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	uint32_t n = ctx->node->n_inputs;
	int r = rule_broadcast_one_type(ctx, 0, n, RULE_TYPE(FLOAT32) | RULE_TYPE(INT32), err);
	r = r < 0
		? r
		: rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_broadcast_one_shape(ctx, 0, n, &ret->shapes[0], err);
	ret->macs = r < 0 ? 0 : rule_cost_mul(n, rule_elements(rule_shape(ctx, 0)));
	return r;
}
