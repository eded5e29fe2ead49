/* SPDX-License-Identifier: Apache-2.0 */
/* rule_activation - RELU and kin, LOGISTIC, TANH, SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION
 * (TFLite kernels/activations.cc, l2norm.cc) */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/rule.h"

#define BYTES (RULE_TYPE(INT8) | RULE_TYPE(UINT8))

/* One input, one output of its type and shape. */
static int check_unary(
	const struct op_context *ctx, uint32_t mask, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	int r = rule_type_among(ctx, input, "input", mask, err);
	r = r < 0 ? r : rule_type_is(output, "output", input->type, err);
	if (r == 0 && (BYTES | RULE_TYPE(INT16)) >> input->type & 1) {
		r = rule_quantised(input, "input", err);
		r = r < 0 ? r : rule_quantised(output, "output", err);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r;
}

int rule_relu(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	unsigned int op = ctx->node->op;
	uint32_t mask = RULE_TYPE(FLOAT32) | BYTES;
	if (op == OP_RELU || op == OP_RELU6) {
		mask |= RULE_TYPE(INT16);
	}
	int r = check_unary(ctx, mask, ret, err);
	if (r < 0 || op_context_input(ctx, 0)->type == DTYPE_FLOAT32) {
		return r;
	}
	float in = op_context_input(ctx, 0)->quant.scale[0],
	      out = rule_output(ctx, 0)->quant.scale[0];
	float limit = op == OP_RELU6 ? 6 : op == OP_RELU ? 0 : 1;
	r = rule_multiplier((double)(in / out), RULE_MAX_SHIFT, "input", err);
	return r < 0 ? r : rule_multiplier((double)(limit / out), RULE_MAX_SHIFT, "limit", err);
}

/* Output scale 2^-15; the input's, times 12288, is turned into an int32. */
static int check_int16_curve(const struct op_context *ctx, struct error *err)
{
	int log_out = 0;
	float in = op_context_input(ctx, 0)->quant.scale[0],
	      out = rule_output(ctx, 0)->quant.scale[0];
	if (!rule_power_of_two(out, &log_out) || log_out != -15) {
		return error_set(err, -EBADMSG, "output scale %g, must be 2^-15", (double)out);
	}
	return rule_multiplier((double)in * 12288, RULE_MAX_SHIFT, "input", err);
}

int rule_logistic(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	int r = check_unary(
		ctx, RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT16) | BYTES, ret, err);
	if (r < 0 || output->type == DTYPE_FLOAT32 || output->type == DTYPE_FLOAT16) {
		return r;
	}
	if (output->type == DTYPE_INT16) {
		return check_int16_curve(ctx, err);
	}
	int64_t lowest = output->type == DTYPE_INT8 ? -128 : 0,
		zero = quant_zero(&output->quant, 0);
	if (output->quant.scale[0] != 1.0f / 256 || zero != lowest) {
		return error_set(err, -EBADMSG,
			"output scale %g and zero point %lld, must be 1/256 and %lld",
			(double)output->quant.scale[0], (long long)zero, (long long)lowest);
	}
	return 0;
}

int rule_tanh(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	int r = check_unary(
		ctx, RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT16) | BYTES, ret, err);
	if (r < 0 || output->type == DTYPE_FLOAT32 || output->type == DTYPE_FLOAT16) {
		return r;
	}
	return output->type == DTYPE_INT16
		? check_int16_curve(ctx, err)
		: rule_multiplier((double)(1 / output->quant.scale[0]), RULE_MAX_SHIFT, "1", err);
}

/* What the probabilities of each type are coded as. */
static const struct {
	uint8_t input, output;
	int log2_scale;
	int32_t zero;
} softmax_types[] = {
	{DTYPE_INT8, DTYPE_INT8, -8, -128},
	{DTYPE_UINT8, DTYPE_UINT8, -8, 0},
	{DTYPE_INT8, DTYPE_INT16, -16, -32768},
	{DTYPE_UINT8, DTYPE_INT16, -16, -32768},
	{DTYPE_INT16, DTYPE_INT16, -15, 0},
};

static int check_softmax_output(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	for (size_t i = 0; i < sizeof(softmax_types) / sizeof(softmax_types[0]); i++) {
		if (softmax_types[i].input != input->type ||
			softmax_types[i].output != output->type) {
			continue;
		}
		double want = ldexp(1, softmax_types[i].log2_scale);
		int64_t zero = quant_zero(&output->quant, 0);
		if (fabs((double)output->quant.scale[0] - want) <= 0.001 * want &&
			zero == softmax_types[i].zero) {
			return 0;
		}
		return error_set(err, -EBADMSG,
			"output scale %g and zero point %lld, must be 2^%d and %d",
			(double)output->quant.scale[0], (long long)zero,
			softmax_types[i].log2_scale, (int)softmax_types[i].zero);
	}
	return error_set(err, -EOPNOTSUPP, "SOFTMAX v%u from %s to %s is not there yet",
		ctx->node->version, dtype_name(input->type), dtype_name(output->type));
}

/*
 * int16: the input is rescaled by beta * scale / (10 / 65535). 8 bits: by beta * scale * 2^26, at
 * most 2^31 - 1, which must exceed 1, else QuantizeMultiplierGreaterThanOne aborts.
 */
static int check_beta(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	float beta = ctx->node->options.softmax.beta;
	double scaled = (double)beta * (double)input->quant.scale[0];
	if (input->type == DTYPE_INT16) {
		return rule_multiplier(scaled * 65535 / 10, RULE_MAX_SHIFT, "input", err);
	}
	if (!isfinite(scaled) || scaled * ldexp(1, 26) <= 1) {
		return error_set(err, -EBADMSG, "beta %g with input scale %g is out of range",
			(double)beta, (double)input->quant.scale[0]);
	}
	return 0;
}

int rule_softmax(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	const struct shape *in = rule_shape(ctx, 0);
	bool real = input->type == DTYPE_FLOAT32 || input->type == DTYPE_FLOAT16;
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT16) | BYTES, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	if (r == 0 && real) {
		r = rule_type_is(output, "output", input->type, err);
	} else if (r == 0) {
		r = rule_per_tensor(input, "input", err);
		r = r < 0 ? r : rule_per_tensor(output, "output", err);
		r = r < 0 ? r : check_softmax_output(ctx, err);
		r = r < 0 ? r : check_beta(ctx, err);
	}
	ret->shapes[0] = *in;
	return r;
}

/* The scale and zero point that the reference demands of an output of 8 bits. */
static int check_code(const struct tensor *output, float scale, int64_t zero_s8, int64_t zero_u8,
	struct error *err)
{
	int64_t want = output->type == DTYPE_INT8 ? zero_s8 : zero_u8,
		zero = quant_zero(&output->quant, 0);
	if (output->quant.scale[0] == scale && zero == want) {
		return 0;
	}
	return error_set(err, -EBADMSG, "output scale %g and zero point %lld, must be %g and %lld",
		(double)output->quant.scale[0], (long long)zero, (double)scale, (long long)want);
}

int rule_log_softmax(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_unary(ctx, RULE_TYPE(FLOAT32) | BYTES, ret, err);
	if (r < 0 || op_context_input(ctx, 0)->type == DTYPE_FLOAT32) {
		return r;
	}
	double scaled = (double)op_context_input(ctx, 0)->quant.scale[0] * ldexp(1, 26);
	if (!(scaled > 1)) {
		return error_set(err, -EBADMSG, "input scale %g is out of range",
			(double)op_context_input(ctx, 0)->quant.scale[0]);
	}
	return check_code(rule_output(ctx, 0), 16.0f / 256, 127, 255, err);
}

int rule_l2_normalization(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_unary(ctx, RULE_TYPE(FLOAT32) | BYTES, ret, err);
	if (r < 0) {
		return r;
	}
	if (ctx->node->options.arithmetic.activation != ACTIVATION_NONE) {
		return error_set(err, -EOPNOTSUPP,
			"L2_NORMALIZATION v%u with fused activation %u is not there yet",
			ctx->node->version, ctx->node->options.arithmetic.activation);
	}
	r = rule_rank_from(&ret->shapes[0], "input", 1, err);
	return r < 0 || op_context_input(ctx, 0)->type == DTYPE_FLOAT32
		? r
		: check_code(rule_output(ctx, 0), 1.0f / 128, 0, 128, err);
}
