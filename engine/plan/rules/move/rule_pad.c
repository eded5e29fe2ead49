/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_pad - PAD, PADV2, MIRROR_PAD, DILATE, STABLEHLO_PAD (TFLite kernels/pad.cc, mirror_pad.cc,
 * dilate.cc, stablehlo_pad.cc; StableHLO specification, "pad")
 */
#include <errno.h>
#include <string.h>

#include "engine/plan/rules/rule.h"

#define MAX_PAD_RANK 5

/* PADV2: one element of the input's type, coded as the output is. */
static int check_pad_value(const struct op_context *ctx, struct error *err)
{
	const struct tensor *value = op_context_input(ctx, 2), *output = rule_output(ctx, 0);
	if (ctx->node->op != OP_PADV2) {
		return 0;
	}
	int r = rule_one_element(ctx, 2, "value", err);
	r = r < 0 ? r : rule_type_is(value, "input 2 (value)", output->type, err);
	if (r < 0 || output->quant.n_scales != 1 || value->quant.n_scales != 1) {
		return r;
	}
	if (value->quant.scale[0] != output->quant.scale[0] ||
		quant_zero(&value->quant, 0) != quant_zero(&output->quant, 0)) {
		return error_set(
			err, -EBADMSG, "input 2 (value) has another scale than the output");
	}
	return 0;
}

#define PADDING_TYPES (RULE_TYPE(INT8) | RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64))

/* A pair for each dimension. */
static int check_paddings(const struct op_context *ctx, struct error *err)
{
	const struct tensor *paddings = op_context_input(ctx, 1);
	const struct shape *in = rule_shape(ctx, 0), *shape = rule_shape(ctx, 1);
	if (!(PADDING_TYPES >> paddings->type & 1)) {
		return error_set(err, -EBADMSG,
			"input 1 (paddings) is %s, must be a signed integer",
			dtype_name(paddings->type));
	}
	if (shape->rank != 2 || shape->dim[0] != in->rank || shape->dim[1] != 2) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (paddings) is %s, must be %ux2",
			shape_format(text, sizeof(text), shape), in->rank);
	}
	return 0;
}

static int check_pad(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_moved(ctx, 0,
		RULE_CODES | RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) |
			RULE_TYPE(BOOL),
		err);
	if (r == 0 && in->rank > MAX_PAD_RANK) {
		return error_set(err, -EOPNOTSUPP, "%s v%u of rank %u (above %d) is not there yet",
			operators_name(ctx->node->op), ctx->node->version, in->rank, MAX_PAD_RANK);
	}
	r = r < 0 ? r : check_paddings(ctx, err);
	return r < 0 ? r : check_pad_value(ctx, err);
}

/* Elements before and after those of dimension @i: neither negative nor beyond every size. */
static int pad_dim(
	const struct op_context *ctx, unsigned int i, struct shape *out, struct error *err)
{
	int64_t before = rule_value(ctx, 1, 2 * i), after = rule_value(ctx, 1, 2 * i + 1);
	if (before < 0 || after < 0 || before > SHAPE_MAX_DIM || after > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "padding %lld and %lld of dimension %u",
			(long long)before, (long long)after, i);
	}
	return rule_set_dim(out, i, rule_shape(ctx, 0)->dim[i] + before + after, err);
}

int rule_pad(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_pad(ctx, err);
	rule_set_unknown(&ret->shapes[0], in->rank);
	for (unsigned int i = 0; r == 0 && rule_known(ctx, 1) && i < in->rank; i++) {
		r = pad_dim(ctx, i, &ret->shapes[0], err);
	}
	return r;
}

/* What is mirrored is there: the dimension, in mode reflect without the element at the edge. */
static int mirror_dim(
	const struct op_context *ctx, unsigned int i, struct shape *out, struct error *err)
{
	int32_t dim = rule_shape(ctx, 0)->dim[i];
	int64_t before = rule_value(ctx, 1, 2 * i), after = rule_value(ctx, 1, 2 * i + 1);
	int64_t most = ctx->node->options.mirror_pad.mode == 0 ? (int64_t)dim - 1 : dim;
	if (before < 0 || after < 0 || (before && before > most) || (after && after > most)) {
		return error_set(err, -EBADMSG, "dimension %u of %d mirrored by %lld and %lld", i,
			(int)dim, (long long)before, (long long)after);
	}
	return rule_set_dim(out, i, dim + before + after, err);
}

int rule_mirror_pad(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	unsigned int mode = ctx->node->options.mirror_pad.mode;
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r : rule_same_codes(ctx, op_context_input(ctx, 0), "input", err);
	r = r < 0 ? r : rule_list(ctx, 1, "paddings", in->rank, 2, err);
	if (r == 0 && mode > 1) {
		r = error_set(err, -EBADMSG, "mode %u", mode);
	}
	rule_set_unknown(&ret->shapes[0], in->rank);
	if (r < 0 || !rule_known(ctx, 1)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		r = mirror_dim(ctx, i, &ret->shapes[0], err);
	}
	return r;
}

/* What is put between elements: one of their type. */
static int check_fill(const struct op_context *ctx, uint32_t i, struct error *err)
{
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, i), "padding value",
			    op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_rank_from(rule_shape(ctx, 0), "input", 1, err);
	return r < 0 ? r : rule_one_element(ctx, i, "padding value", err);
}

/* @dim elements, @step apart: nothing stays nothing. */
static int64_t dilated(int64_t dim, int64_t step)
{
	return dim ? (dim - 1) * step + 1 : 0;
}

int rule_dilate(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_fill(ctx, 2, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 1), "input 1 (dilations)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_list(ctx, 1, "dilations", in->rank, 0, err);
	rule_set_unknown(&ret->shapes[0], in->rank);
	if (r < 0 || !rule_known(ctx, 1)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		int64_t step = rule_value(ctx, 1, i);
		if (step < 1 || step > INT32_MAX) {
			return error_set(err, -EBADMSG, "dilation %lld", (long long)step);
		}
		r = rule_set_dim(&ret->shapes[0], i, dilated(in->dim[i], step), err);
	}
	return r;
}

static int hlo_pad_dim(const struct op_context *ctx, unsigned int i, struct shape *out,
	bool *ret_empty, struct error *err)
{
	const struct options_hlo_pad *o = &ctx->node->options.hlo_pad;
	int64_t low = options_list_get(&o->low, i), high = options_list_get(&o->high, i);
	int64_t interior = options_list_get(&o->interior, i);
	bool bounded = interior >= 0 && interior < INT32_MAX && low > INT32_MIN &&
		low < INT32_MAX && high > INT32_MIN && high < INT32_MAX;
	if (!bounded) {
		return error_set(err, -EBADMSG, "dimension %u padded by %lld, %lld and %lld", i,
			(long long)low, (long long)high, (long long)interior);
	}
	int64_t dim = dilated(rule_shape(ctx, 0)->dim[i], interior + 1) + low + high;
	*ret_empty |= dim <= 0;
	return rule_set_dim(out, i, dim < 0 ? 0 : dim, err);
}

int rule_hlo_pad(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_hlo_pad *o = &ctx->node->options.hlo_pad;
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = check_fill(ctx, 1, err);
	if (r == 0 &&
		(o->low.count != in->rank || o->high.count != in->rank ||
			o->interior.count != in->rank)) {
		r = error_set(err, -EBADMSG, "%u, %u and %u paddings for a tensor of rank %u",
			o->low.count, o->high.count, o->interior.count, in->rank);
	}
	bool empty = false;
	*out = *in;
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		r = hlo_pad_dim(ctx, i, out, &empty, err);
	}
	if (r == 0 && empty) { /* LiteRT makes every dimension 0 where one is cropped away */
		memset(out->dim, 0, sizeof(out->dim));
	}
	return r;
}
