/* SPDX-License-Identifier: Apache-2.0 */
/* rule_arith - ADD, SUB and MUL (TFLite kernels/add.cc, sub.cc, mul.cc) */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/rule_broadcast.h"

static int check_quantised(const struct op_context *ctx, struct error *err)
{
	int r = rule_quantised(op_context_input(ctx, 0), "input 0", err);
	r = r < 0 ? r : rule_quantised(op_context_input(ctx, 1), "input 1", err);
	return r < 0 ? r : rule_quantised(rule_output(ctx, 0), "output", err);
}

/* int16 with powers of two as scales: inputs are only shifted right, one of them not at all. */
static int check_shifts(int a, int b, int out, struct error *err)
{
	int first = a - out, second = b - out;
	if (first > 0 || second > 0 || (first != 0 && second != 0) || first < -31 || second < -31) {
		return error_set(err, -EBADMSG,
			"scales 2^%d, 2^%d and 2^%d do not fit pot_scale_int16", a, b, out);
	}
	return 0;
}

/*
 * The sum is rescaled by 2 * max(scales) / (2^left_shift * output scale), which must be below 1:
 * TFLite's QuantizeMultiplierSmallerThanOneExp aborts otherwise.
 */
static int check_sum_scales(const struct op_context *ctx, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	float a = op_context_input(ctx, 0)->quant.scale[0],
	      b = op_context_input(ctx, 1)->quant.scale[0], out = output->quant.scale[0];
	int log_a = 0, log_b = 0, log_out = 0;
	if (output->type == DTYPE_INT16 && ctx->node->options.arithmetic.pot_scale_int16) {
		if (rule_power_of_two(a, &log_a) && rule_power_of_two(b, &log_b) &&
			rule_power_of_two(out, &log_out)) {
			return check_shifts(log_a, log_b, log_out, err);
		}
	}
	double twice = 2 * (double)fmaxf(a, b);
	double factor = twice / (ldexp(1, output->type == DTYPE_INT16 ? 15 : 20) * (double)out);
	return rule_multiplier(factor, 0, "sum", err);
}

static bool is_zero(const struct tensor *t)
{
	bool zero = t->data != NULL;
	for (uint64_t i = 0; zero && i < t->data_bytes; i++) {
		zero = t->data[i] == 0;
	}
	return zero;
}

/* Whether @t is the constant 0 whatever the scales of its blocks are. */
static bool is_blockwise_zero(const struct op_context *ctx, const struct tensor *t)
{
	const struct tensor *tensors = ctx->subgraph->tensors;
	const struct quant *q = &t->quant;
	return q->block_size > 0 && is_zero(t) &&
		(q->block_zeros == TENSOR_NONE || is_zero(&tensors[q->block_zeros]));
}

/* A sum with a blockwise 0: codes pass as they are where nothing else has a scale. */
static bool adds_nothing(const struct op_context *ctx)
{
	const struct tensor *a = op_context_input(ctx, 0), *b = op_context_input(ctx, 1);
	return (is_blockwise_zero(ctx, a) || is_blockwise_zero(ctx, b)) &&
		a->quant.n_scales + b->quant.n_scales + rule_output(ctx, 0)->quant.n_scales == 0;
}

int rule_add(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *a = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	uint32_t mask = RULE_TYPE(FLOAT32) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_CODES;
	if (ctx->node->op == OP_ADD) {
		mask |= RULE_TYPE(FLOAT16);
	}
	int r = rule_type_among(ctx, a, "input", mask, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1", a->type, err);
	r = r < 0 ? r : rule_type_is(output, "output", a->type, err);
	if (r == 0 && RULE_CODES >> a->type & 1 && !adds_nothing(ctx)) {
		r = check_quantised(ctx, err);
		r = r < 0 ? r : check_sum_scales(ctx, err);
	}
	r = r < 0 ? r : rule_fused(ctx, ctx->node->options.arithmetic.activation, output, err);
	return r < 0 ? r : rule_broadcast(ctx, 0, 2, &ret->shapes[0], err);
}

/* Converters give dead outputs scales of 1e-35: any finite factor, which kernels split or drop. */
#define MAX_PRODUCT_SHIFT 1000

static int check_product_scale(const struct op_context *ctx, struct error *err)
{
	float product =
		op_context_input(ctx, 0)->quant.scale[0] * op_context_input(ctx, 1)->quant.scale[0];
	return rule_multiplier((double)(product / rule_output(ctx, 0)->quant.scale[0]),
		MAX_PRODUCT_SHIFT, "product", err);
}

/* int16 times int16 may be int8 or uint8 as well. */
static int check_mul_output(const struct op_context *ctx, unsigned int type, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	bool narrow =
		type == DTYPE_INT16 && (output->type == DTYPE_INT8 || output->type == DTYPE_UINT8);
	return narrow ? 0 : rule_type_is(output, "output", type, err);
}

int rule_mul(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *a = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	unsigned int activation = ctx->node->options.arithmetic.activation;
	uint32_t plain = RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT32) |
		RULE_TYPE(INT64) | RULE_TYPE(UINT32) | RULE_TYPE(COMPLEX64);
	int r = rule_type_among(ctx, a, "input", plain | RULE_CODES, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1", a->type, err);
	r = r < 0 ? r : check_mul_output(ctx, a->type, err);
	if (r == 0 && RULE_CODES >> a->type & 1) {
		r = check_quantised(ctx, err);
		r = r < 0 ? r : check_product_scale(ctx, err);
	}
	if (r == 0 && a->type == DTYPE_COMPLEX64 && activation != ACTIVATION_NONE) {
		r = error_set(err, -EBADMSG, "complex64 with fused activation %u", activation);
	}
	r = r < 0 ? r : rule_fused(ctx, activation, output, err);
	return r < 0 ? r : rule_broadcast(ctx, 0, 2, &ret->shapes[0], err);
}
