/* SPDX-License-Identifier: Apache-2.0 */
/* rule_reduce - MEAN, SUM, REDUCE_*, ARG_MAX, ARG_MIN (TFLite kernels/reduce.cc, arg_min_max.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define PRODUCT_MAX_SHIFT 13

static uint32_t types_of(unsigned int op)
{
	const uint32_t numbers = RULE_TYPE(FLOAT32) | RULE_TYPE(INT32) | RULE_TYPE(INT64);
	switch (op) {
	case OP_MEAN:
		return numbers | RULE_CODES;
	case OP_REDUCE_ANY:
	case OP_REDUCE_ALL:
		return RULE_TYPE(BOOL);
	case OP_REDUCE_PROD:
		return numbers | RULE_TYPE(BOOL) | RULE_TYPE(INT8) | RULE_TYPE(INT16);
	default:
		return numbers | RULE_TYPE(BOOL) | RULE_CODES;
	}
}

/* Extremes are codes of the input: both sides mean the same by them. */
static int check_same_codes(const struct op_context *ctx, struct error *err)
{
	const struct quant *in = &op_context_input(ctx, 0)->quant,
			   *out = &rule_output(ctx, 0)->quant;
	if (in->n_scales == 0 && out->n_scales == 0) {
		return 0;
	}
	int r = rule_quantised(op_context_input(ctx, 0), "input", err);
	r = r < 0 ? r : rule_quantised(rule_output(ctx, 0), "output", err);
	if (r == 0 && (in->scale[0] != out->scale[0] || quant_zero(in, 0) != quant_zero(out, 0))) {
		return error_set(err, -EBADMSG, "scale or zero point of input and output differ");
	}
	return r;
}

/* A multiplier for int32 or, of products, for 48 bits: MultiplyByQuantizedMultiplier of those
 * shifts right by 15 - shift, which must be at least 1. */
static int check_rescaled(const struct op_context *ctx, int max_shift, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	int r = rule_quantised(input, "input", err);
	r = r < 0 ? r : rule_quantised(output, "output", err);
	if (r < 0) {
		return r;
	}
	double in = (double)input->quant.scale[0], out = (double)output->quant.scale[0];
	r = rule_multiplier(in / out, max_shift, "input", err);
	/* Of a product the divisor is between the output's scale and 1. */
	return r < 0 || ctx->node->op != OP_REDUCE_PROD
		? r
		: rule_multiplier(in, max_shift, "input", err);
}

static int check_codes(const struct op_context *ctx, struct error *err)
{
	switch (ctx->node->op) {
	case OP_REDUCE_MAX:
	case OP_REDUCE_MIN:
		return check_same_codes(ctx, err);
	case OP_REDUCE_PROD:
		return check_rescaled(ctx, PRODUCT_MAX_SHIFT, err);
	default:
		return check_rescaled(ctx, RULE_MAX_SHIFT, err);
	}
}

static int check_reduce_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, input, "input", types_of(ctx->node->op), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1 (axes)", DTYPE_INT32, err);
	return r < 0 || !(RULE_CODES >> input->type & 1) ? r : check_codes(ctx, err);
}

/* As many are read by backends/cpu/params.h; with negative ones, every axis twice. */
#define MAX_AXES (2 * SHAPE_MAX_RANK)

/* Bit d of *ret: dimension d is reduced. An axis that is there twice counts once; those of a scalar
 * are not looked at (LiteRT kernels/internal/reference/reduce.h, ResolveAxis). */
static int read_axes(const struct op_context *ctx, uint64_t n, uint32_t *ret, struct error *err)
{
	*ret = 0;
	for (uint64_t k = 0; rule_shape(ctx, 0)->rank > 0 && k < n; k++) {
		unsigned int axis = 0;
		int r = rule_axis(rule_value(ctx, 1, k), rule_shape(ctx, 0)->rank, &axis, err);
		if (r < 0) {
			return r;
		}
		*ret |= 1u << axis;
	}
	return 0;
}

static void set_reduced(const struct shape *in, uint32_t axes, bool keep, struct shape *ret_out)
{
	*ret_out = (struct shape){0};
	for (unsigned int i = 0; i < in->rank; i++) {
		bool reduced = axes >> i & 1;
		if (!reduced || keep) {
			ret_out->dim[ret_out->rank++] = reduced ? 1 : in->dim[i];
		}
	}
}

/* The file tells the rank at best; a scalar may also be its way to say that it does not know. */
static void set_open(const struct op_context *ctx, bool keep, struct shape *ret_out)
{
	unsigned int rank = keep ? rule_shape(ctx, 0)->rank : rule_output(ctx, 0)->shape.rank;
	bool is_scalar = rule_shape(ctx, 0)->rank == 0;
	rule_set_unknown(ret_out, rank == 0 && !is_scalar ? 1 : rank);
}

int rule_reduce(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *axes_shape = rule_shape(ctx, 1);
	bool keep = ctx->node->options.reduce.keep_dims;
	uint64_t n = rule_elements(axes_shape);
	int r = check_reduce_types(ctx, err);
	if (r < 0) {
		return r;
	}
	if (n > MAX_AXES) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (axes): %s for a tensor of rank %u",
			shape_format(text, sizeof(text), axes_shape), in->rank);
	}
	ret->macs = rule_elements(in);
	if (!rule_known(ctx, 1)) {
		set_open(ctx, keep, &ret->shapes[0]);
		return 0;
	}
	uint32_t axes = 0;
	r = read_axes(ctx, n, &axes, err);
	if (r < 0) {
		return r;
	}
	set_reduced(in, axes, keep, &ret->shapes[0]);
	return 0;
}

static int check_arg_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *output = rule_output(ctx, 0);
	int32_t type = ctx->node->options.arg.output_type;
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT32) |
			RULE_TYPE(BOOL),
		err);
	if (r < 0) {
		return r;
	}
	if (type != DTYPE_INT32 && type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "output type %s, must be int32 or int64",
			dtype_name((unsigned int)type));
	}
	return rule_type_is(output, "output", (unsigned int)type, err);
}

int rule_arg(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_arg_types(ctx, err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "axis", true, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	if (r < 0) {
		return r;
	}
	ret->macs = rule_elements(in);
	if (!rule_known(ctx, 1)) {
		rule_set_unknown(&ret->shapes[0], in->rank - 1u);
		return 0;
	}
	unsigned int axis = 0;
	r = rule_axis(rule_value(ctx, 1, 0), in->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	if (in->dim[axis] < 1) {
		return error_set(err, -EBADMSG, "dimension %u is empty", axis);
	}
	set_reduced(in, 1u << axis, false, &ret->shapes[0]);
	return 0;
}
