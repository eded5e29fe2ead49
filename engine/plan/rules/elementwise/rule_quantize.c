/* SPDX-License-Identifier: Apache-2.0 */
/* rule_quantize - QUANTIZE, DEQUANTIZE, NumericVerify (TFLite kernels/quantize.cc, dequantize.cc,
 * numeric_verify.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

static const struct {
	uint8_t input;
	uint32_t outputs;
} types[] = {
	{DTYPE_FLOAT32, RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) | RULE_TYPE(INT4)},
	{DTYPE_INT8, RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16)},
	{DTYPE_UINT8, RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16)},
	{DTYPE_INT16, RULE_TYPE(INT8) | RULE_TYPE(INT16) | RULE_TYPE(INT32)},
	{DTYPE_INT32, RULE_TYPE(INT8) | RULE_TYPE(INT16)},
};

static int check_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].input == input->type && types[i].outputs >> output->type & 1) {
			return 0;
		}
	}
	return error_set(err, -EOPNOTSUPP, "QUANTIZE v%u from %s to %s is not there yet",
		ctx->node->version, dtype_name(input->type), dtype_name(output->type));
}

/* One scale, or one for each element of the tensor's own dimension. */
static int check_channels(
	const struct tensor *t, const char *name, const struct shape *shape, struct error *err)
{
	return t->quant.n_scales == 0 ? rule_per_tensor(t, name, err)
				      : rule_per_channel(t, name, shape, t->quant.dimension, err);
}

/* The same of what becomes floats: int16 has one scale, and zero point 0. */
static int check_scales(
	const struct tensor *t, const char *name, const struct shape *shape, struct error *err)
{
	if (t->type == DTYPE_INT16 || t->type == DTYPE_INT32) {
		return rule_quantised(t, name, err);
	}
	return check_channels(t, name, shape, err);
}

/* int32 has zero point 0, and int16 where both sides are int16. */
static int check_requantised_zeros(
	const struct tensor *input, const struct tensor *output, struct error *err)
{
	bool both = input->type == DTYPE_INT16 && output->type == DTYPE_INT16;
	int r = both || input->type == DTYPE_INT32 ? rule_zero_points_zero(input, "input", err) : 0;
	if (r < 0) {
		return r;
	}
	return both || output->type == DTYPE_INT32 ? rule_zero_points_zero(output, "output", err)
						   : 0;
}

int rule_quantize(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	const struct shape *shape = rule_shape(ctx, 0);
	ret->shapes[0] = *shape;
	int r = check_types(ctx, err);
	if (r < 0 || input->type == DTYPE_FLOAT32) {
		return r < 0 ? r : check_channels(output, "output", shape, err);
	}
	r = rule_per_tensor(input, "input", err);
	r = r < 0 ? r : rule_per_tensor(output, "output", err);
	r = r < 0 ? r : check_requantised_zeros(input, output, err);
	if (r < 0) {
		return r;
	}
	return rule_multiplier((double)input->quant.scale[0] / (double)output->quant.scale[0],
		RULE_MAX_SHIFT, "input", err);
}

int rule_dequantize(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT16) | RULE_TYPE(INT16) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) |
			RULE_TYPE(INT4),
		err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	if (r == 0 && input->type != DTYPE_FLOAT16) {
		r = check_scales(input, "input", rule_shape(ctx, 0), err);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r;
}

/* What DEQUANTIZE gives, less input 1. */
int rule_numeric_verify(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT16) | RULE_TYPE(INT16) | RULE_TYPE(INT8) | RULE_TYPE(UINT8), err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "reference", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	if (r == 0 && input->type != DTYPE_FLOAT16) {
		r = check_scales(input, "input", rule_shape(ctx, 0), err);
	}
	uint64_t n = rule_elements(rule_shape(ctx, 0)),
		 reference = rule_elements(rule_shape(ctx, 1));
	if (r == 0 && n != reference) {
		r = error_set(err, -EBADMSG, "reference of %llu elements for %llu",
			(unsigned long long)reference, (unsigned long long)n);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r;
}
