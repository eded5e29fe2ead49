/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_stack - PACK, UNPACK, TILE, FILL, RANK, SHAPE, MATRIX_DIAG, MATRIX_SET_DIAG (TFLite
 * kernels/pack.cc, unpack.cc, tile.cc, fill.cc, rank.cc, shape.cc, matrix_diag.cc,
 * matrix_set_diag.cc)
 */
#include <errno.h>

#include "engine/plan/rules/rule_dims.h"

/* The inputs of PACK after the first. */
static int check_packed(const struct op_context *ctx, uint32_t i, struct error *err)
{
	int r = rule_type_is(
		op_context_input(ctx, i), "input", op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_same_codes(ctx, op_context_input(ctx, i), "input", err);
	if (r == 0 && !shape_equal(rule_shape(ctx, i), rule_shape(ctx, 0))) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		r = error_set(err, -EBADMSG, "input %u is %s, input 0 is %s", i,
			shape_format(a, sizeof(a), rule_shape(ctx, i)),
			shape_format(b, sizeof(b), rule_shape(ctx, 0)));
	}
	return r;
}

#define PACKED                                                                                     \
	(RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) |              \
		RULE_TYPE(INT32) | RULE_TYPE(UINT32) | RULE_TYPE(INT64))

int rule_pack(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_axis *o = &ctx->node->options.axis;
	const struct shape *in = rule_shape(ctx, 0);
	unsigned int axis = 0;
	int r = rule_moved(ctx, 0, PACKED, err);
	if (r == 0 && (o->count < 1 || (uint32_t)o->count != ctx->node->n_inputs)) {
		r = error_set(err, -EBADMSG, "%u inputs, the options say %d", ctx->node->n_inputs,
			(int)o->count);
	}
	r = r < 0 ? r : rule_axis(o->axis, in->rank + 1u, &axis, err);
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_inputs; i++) {
		r = check_packed(ctx, i, err);
	}
	return r < 0 ? r : rule_dims_insert(in, axis, o->count, &ret->shapes[0], err);
}

int rule_unpack(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_axis *o = &ctx->node->options.axis;
	const struct shape *in = rule_shape(ctx, 0);
	unsigned int axis = 0;
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r : rule_axis(o->axis, in->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	if (o->count != in->dim[axis] || (uint32_t)o->count != ctx->node->n_outputs) {
		return error_set(err, -EBADMSG,
			"dimension %u of %d into %u outputs, %d in the options", axis,
			(int)in->dim[axis], ctx->node->n_outputs, (int)o->count);
	}
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_outputs; i++) {
		r = rule_same_scale(op_context_input(ctx, 0), "input", rule_output(ctx, i), err);
	}
	if (r < 0) {
		return r;
	}
	struct shape out = {.rank = (uint8_t)(in->rank - 1)};
	for (unsigned int i = 0; i < out.rank; i++) {
		out.dim[i] = in->dim[i < axis ? i : i + 1];
	}
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		ret->shapes[i] = out;
	}
	/* An output is looked at even when it is empty. */
	ret->macs = rule_cost_add(rule_elements(in), ctx->node->n_outputs);
	return 0;
}

int rule_tile(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES | RULE_TYPE(STRING), err);
	r = r < 0 ? r : rule_list(ctx, 1, "multipliers", in->rank, 0, err);
	rule_set_unknown(out, in->rank);
	if (r < 0 || !rule_known(ctx, 1)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		int64_t times = rule_value(ctx, 1, i);
		if (times < 0 || times > SHAPE_MAX_DIM) {
			return error_set(err, -EBADMSG, "multiplier %lld", (long long)times);
		}
		r = rule_set_dim(out, i, in->dim[i] * times, err);
	}
	return r;
}

int rule_fill(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_moved(ctx, 1, RULE_WHOLE_BYTES | RULE_TYPE(STRING), err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 1), "input 1 (value)", 0, err);
	r = r < 0 ? r : rule_same_codes(ctx, op_context_input(ctx, 1), "input 1 (value)", err);
	return r < 0 ? r : rule_dims_read(ctx, 0, "dimensions", &ret->shapes[0], err);
}

int rule_rank(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	ret->shapes[0] = (struct shape){0};
	return rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT32, err);
}

int rule_shape_of(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int32_t type = ctx->node->options.out_type.type;
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {rule_shape(ctx, 0)->rank}};
	if (type != DTYPE_INT32 && type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "a shape in %s, must be int32 or int64",
			dtype_name((unsigned int)type));
	}
	return rule_type_is(rule_output(ctx, 0), "output", (unsigned int)type, err);
}

int rule_matrix_diag(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	return r < 0 ? r
		     : rule_dims_insert(in, in->rank, in->dim[in->rank - 1], &ret->shapes[0], err);
}

int rule_matrix_set_diag(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 2, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 1), "input 1 (diagonal)",
			    op_context_input(ctx, 0)->type, err);
	if (r < 0) {
		return r;
	}
	struct shape diagonal = *in;
	int32_t rows = in->dim[in->rank - 2], columns = in->dim[in->rank - 1];
	diagonal.rank--;
	diagonal.dim[in->rank - 2] = rows < columns ? rows : columns;
	if (!shape_equal(rule_shape(ctx, 1), &diagonal)) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (diagonal) is %s, must be %s",
			shape_format(a, sizeof(a), rule_shape(ctx, 1)),
			shape_format(b, sizeof(b), &diagonal));
	}
	ret->shapes[0] = *in;
	return 0;
}
