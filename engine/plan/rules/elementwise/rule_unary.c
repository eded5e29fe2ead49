/* SPDX-License-Identifier: Apache-2.0 */
/* rule_unary - operators of one operand whose output has its shape (TFLite kernels/elementwise.cc,
 * activations.cc, neg.cc, sign.cc, gelu.cc, complex_support.cc, fake_quant.cc) */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/rule.h"

#define F16 RULE_TYPE(FLOAT16)
#define F32 RULE_TYPE(FLOAT32)
#define S8 RULE_TYPE(INT8)
#define U8 RULE_TYPE(UINT8)
#define S16 RULE_TYPE(INT16)
#define S32 RULE_TYPE(INT32)
#define S64 RULE_TYPE(INT64)

/* Scales of input and output, for what is rescaled. */
struct scales {
	float in, out;
};

typedef int scales_fn(const struct op_context *ctx, struct scales s, struct error *err);

/* The quotient of the scales is split into multiplier and left shift. */
static int check_ratio(const struct op_context *ctx, struct scales s, struct error *err)
{
	(void)ctx;
	return rule_multiplier((double)(s.in / s.out), RULE_MAX_SHIFT, "input", err);
}

/* A table of results: real numbers become codes by 1 / scale, which must be finite. */
static int check_table(const struct op_context *ctx, struct scales s, struct error *err)
{
	(void)ctx;
	return rule_multiplier((double)(1 / s.out), 127, "1", err);
}

static int check_leaky_relu(const struct op_context *ctx, struct scales s, struct error *err)
{
	float below = s.in * ctx->node->options.leaky_relu.alpha / s.out;
	int r = check_ratio(ctx, s, err);
	return r < 0
		? r
		: rule_multiplier(fabs((double)below), RULE_MAX_SHIFT, "input below zero", err);
}

/* Codes are 2^7 finer inside. The output's multiplier only shifts right; the gate's unit is
 * 3 / 32768. */
static int check_hard_swish(const struct op_context *ctx, struct scales s, struct error *err)
{
	(void)ctx;
	float fine = (1.0f / 128.0f) * s.in;
	int r = rule_multiplier((double)(fine / s.out), 0, "input / 128", err);
	return r < 0
		? r
		: rule_multiplier((double)(fine / (3.0f / 32768.0f)), RULE_MAX_SHIFT, "gate", err);
}

static int check_rsqrt(const struct op_context *ctx, struct scales s, struct error *err)
{
	(void)ctx;
	double divisor = (double)(sqrtf(s.in) * s.out);
	return rule_multiplier(1 / divisor, RULE_MAX_SHIFT, "inverse square root", err);
}

/* Types as plain numbers, and types whose codes stand for real numbers. */
static const struct types {
	uint16_t op;
	uint32_t plain, codes;
	scales_fn *scales;
} types[] = {
	{OP_ABS, F32 | S16 | S32, S8 | S16, check_ratio},
	{OP_CEIL, F32, 0, NULL},
	{OP_COS, F16 | F32, 0, NULL},
	{OP_ELU, F32, S8, check_table},
	{OP_EXP, F32, S8 | S16, check_table},
	{OP_FLOOR, F16 | F32, 0, NULL},
	{OP_GELU, F16 | F32, S8 | U8 | S16, check_table},
	{OP_HARD_SWISH, F32, S8 | U8, check_hard_swish},
	{OP_LEAKY_RELU, F32, S8 | U8 | S16, check_leaky_relu},
	{OP_LOG, F32, S8 | S16, check_table},
	{OP_LOGICAL_NOT, RULE_TYPE(BOOL), 0, NULL},
	{OP_NEG, F16 | F32 | S8 | S16 | S32 | S64, 0, NULL},
	{OP_ROUND, F16 | F32, 0, NULL},
	{OP_RSQRT, F32, S8 | S16, check_rsqrt},
	{OP_SIGN, F32 | RULE_TYPE(FLOAT64) | S32, 0, NULL},
	{OP_SIN, F16 | F32, 0, NULL},
	{OP_SQRT, F32, S8 | S16, check_table},
	{OP_SQUARE, F32, 0, NULL},
	{OP_ZEROS_LIKE, F32 | S32 | S64, 0, NULL},
};

static const struct types *find(unsigned int op)
{
	size_t i = 0;
	while (types[i].op != op) {
		i++;
	}
	return &types[i];
}

/* Codes without a scale are plain numbers, where the operator takes such. */
static int check_codes(const struct op_context *ctx, const struct types *row, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	if (!(row->codes >> input->type & 1) ||
		(row->plain >> input->type & 1 && input->quant.n_scales == 0)) {
		return 0;
	}
	/* GELU is the one that takes int16 codes of any zero point. */
	int (*check)(const struct tensor *, const char *, struct error *) =
		row->op == OP_GELU ? rule_per_tensor : rule_quantised;
	int r = check(input, "input", err);
	r = r < 0 ? r : check(output, "output", err);
	struct scales s = {0};
	if (r == 0) {
		s = (struct scales){input->quant.scale[0], output->quant.scale[0]};
	}
	return r < 0 ? r : row->scales(ctx, s, err);
}

int rule_unary(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	const struct types *row = find(ctx->node->op);
	int r = rule_type_among(ctx, input, "input", row->plain | row->codes, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r < 0 ? r : check_codes(ctx, row, err);
}

int rule_complex(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", RULE_TYPE(COMPLEX64), err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
}

#define MAX_BITS 16 /* the reference keeps the zero point in a uint16 */

int rule_fake_quant(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_fake_quant *o = &ctx->node->options.fake_quant;
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", F32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	if (r < 0) {
		return r;
	}
	if (o->narrow_range) {
		return error_set(err, -EOPNOTSUPP,
			"FAKE_QUANT v%u with narrow_range is not there yet", ctx->node->version);
	}
	if (o->num_bits < 1 || o->num_bits > MAX_BITS) {
		return error_set(
			err, -EBADMSG, "%d bits, must be 1 to %d", (int)o->num_bits, MAX_BITS);
	}
	if (!(o->min < o->max) || !isfinite(o->max - o->min)) {
		return error_set(
			err, -EBADMSG, "range from %g to %g", (double)o->min, (double)o->max);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return 0;
}

int rule_prelu(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *alpha = op_context_input(ctx, 1),
			    *output = rule_output(ctx, 0);
	int r = rule_type_among(ctx, input, "input", F32 | S8 | U8 | S16, err);
	r = r < 0 ? r : rule_type_is(alpha, "alpha", input->type, err);
	r = r < 0 ? r : rule_type_is(output, "output", input->type, err);
	r = r < 0 ? r : rule_stretches(rule_shape(ctx, 1), "alpha", rule_shape(ctx, 0), err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	if (r < 0 || input->type == DTYPE_FLOAT32) {
		return r;
	}
	r = rule_quantised(input, "input", err);
	r = r < 0 ? r : rule_quantised(alpha, "alpha", err);
	r = r < 0 ? r : rule_quantised(output, "output", err);
	if (r < 0) {
		return r;
	}
	struct scales s = {input->quant.scale[0], output->quant.scale[0]};
	r = check_ratio(ctx, s, err);
	return r < 0 ? r
		     : rule_multiplier((double)(s.in * alpha->quant.scale[0] / s.out),
			       RULE_MAX_SHIFT, "input below zero", err);
}
