/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_slice - SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE, REVERSE_V2, REVERSE_SEQUENCE (TFLite
 * kernels/slice.cc, strided_slice.cc, dynamic_update_slice.cc, reverse.cc, reverse_sequence.cc)
 */
#include <errno.h>

#include "base/slicing.h"
#include "engine/plan/rules/rule.h"

/* One dimension of SLICE: a size of -1 is the rest. */
static int slice_dim(
	const struct op_context *ctx, unsigned int i, struct shape *out, struct error *err)
{
	int32_t dim = rule_shape(ctx, 0)->dim[i];
	int64_t begin = rule_value(ctx, 1, i), size = rule_value(ctx, 2, i);
	if (begin < 0 || begin > dim || size < -1 || size > dim - begin) {
		return error_set(err, -EBADMSG, "begin %lld and size %lld of dimension %u of %d",
			(long long)begin, (long long)size, i, (int)dim);
	}
	out->dim[i] = (int32_t)(size == -1 ? dim - begin : size);
	return 0;
}

/* LiteRT holds SLICE, unlike all others, to the shape that the model declares for the output. Not
 * here where an input of another shape than the declared one explains the difference. */
static int check_declared(const struct op_context *ctx, const struct shape *out, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
	bool binding = output->shape.rank > 0 && shape_known(&output->shape) &&
		shape_equal(&input->shape, rule_shape(ctx, 0));
	if (!binding || shape_equal(&output->shape, out)) {
		return 0;
	}
	return error_set(err, -EBADMSG, "output 0: declared %s, begin and size give %s",
		shape_format(must, sizeof(must), &output->shape),
		shape_format(is, sizeof(is), out));
}

int rule_slice(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES | RULE_TYPE(STRING), err);
	r = r < 0 ? r : rule_list(ctx, 1, "begin", in->rank, 0, err);
	r = r < 0 ? r : rule_list(ctx, 2, "size", in->rank, 0, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 2), "input 2 (size)",
			    op_context_input(ctx, 1)->type, err);
	rule_set_unknown(out, in->rank);
	if (r < 0 || !rule_known(ctx, 1) || !rule_known(ctx, 2)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		r = slice_dim(ctx, i, out, err);
	}
	return r < 0 ? r : check_declared(ctx, out, err);
}

static void read_slicing(const struct op_context *ctx, bool values, struct slicing *ret)
{
	*ret = op_options_slicing(
		&ctx->node->options.strided_slice, (uint32_t)rule_shape(ctx, 1)->dim[0]);
	for (uint32_t i = 0; values && i < ret->count; i++) {
		ret->begin[i] = rule_value(ctx, 1, i);
		ret->end[i] = rule_value(ctx, 2, i);
		ret->stride[i] = rule_value(ctx, 3, i);
	}
}

/* Begin, end and strides: three lists of one length. */
static int check_indices(const struct op_context *ctx, struct error *err)
{
	const struct shape *shape = rule_shape(ctx, 1);
	if (shape->rank != 1 || shape->dim[0] > SLICING_MAX_ENTRIES) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (begin): %s, must be a list of at most %d",
			shape_format(text, sizeof(text), shape), SLICING_MAX_ENTRIES);
	}
	int r = rule_list(ctx, 1, "begin", shape->dim[0], 0, err);
	r = r < 0 ? r : rule_list(ctx, 2, "end", shape->dim[0], 0, err);
	r = r < 0 ? r : rule_list(ctx, 3, "strides", shape->dim[0], 0, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1 (begin)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 2), "input 2 (end)", DTYPE_INT32, err);
	return r < 0
		? r
		: rule_type_is(op_context_input(ctx, 3), "input 3 (strides)", DTYPE_INT32, err);
}

int rule_strided_slice(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct slicing slicing;
	struct slicing_range ranges[SHAPE_MAX_RANK];
	uint32_t rank = 0;
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES | RULE_TYPE(STRING), err);
	r = r < 0 ? r : check_indices(ctx, err);
	if (r < 0) {
		return r;
	}
	bool known = rule_known(ctx, 1) && rule_known(ctx, 2) && rule_known(ctx, 3);
	read_slicing(ctx, known, &slicing);
	if (known) {
		return slicing_resolve(&slicing, rule_shape(ctx, 0), ranges, &ret->shapes[0], err);
	}
	r = slicing_rank(&slicing, rule_shape(ctx, 0)->rank, &rank, err);
	rule_set_unknown(&ret->shapes[0], rank);
	return r;
}

int rule_dynamic_update_slice(
	const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *update = rule_shape(ctx, 1);
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 1), "input 1 (update)",
			    op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_rank_is(update, "input 1 (update)", in->rank, err);
	r = r < 0 ? r : rule_list(ctx, 2, "start", in->rank, 0, err);
	for (unsigned int i = 0; r == 0 && i < in->rank; i++) {
		if (update->dim[i] > in->dim[i]) {
			r = error_set(err, -EBADMSG, "dimension %u of the update is %d, of %d", i,
				(int)update->dim[i], (int)in->dim[i]);
		}
	}
	ret->shapes[0] = *in;
	return r;
}

/* Each axis is there, none twice, no gap between them. */
static int check_axes(const struct op_context *ctx, uint32_t count, struct error *err)
{
	uint32_t seen = 0;
	for (uint32_t i = 0; i < count; i++) {
		unsigned int axis = 0;
		int r = rule_axis(rule_value(ctx, 1, i), rule_shape(ctx, 0)->rank, &axis, err);
		if (r < 0) {
			return r;
		}
		if (seen >> axis & 1) {
			return error_set(err, -EBADMSG, "axis %u twice", axis);
		}
		seen |= 1u << axis;
	}
	while (seen && !(seen & 1)) {
		seen >>= 1;
	}
	return seen & (seen + 1) ? error_set(err, -EBADMSG, "a gap between the axes") : 0;
}

/* What REVERSE_SEQUENCE takes, too. */
#define REVERSED                                                                                   \
	(RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) | RULE_TYPE(INT32) |             \
		RULE_TYPE(INT64))

int rule_reverse(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *axes = rule_shape(ctx, 1);
	int r = rule_moved(
		ctx, 0, REVERSED | RULE_TYPE(FLOAT16) | RULE_TYPE(INT8) | RULE_TYPE(BOOL), err);
	if (r == 0 && (axes->rank != 1 || axes->dim[0] > in->rank)) {
		char text[SHAPE_TEXT_SIZE];
		r = error_set(err, -EBADMSG, "input 1 (axes) is %s for a tensor of rank %u",
			shape_format(text, sizeof(text), axes), in->rank);
	}
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1 (axes)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_list(ctx, 1, "axes", axes->dim[0], 0, err);
	ret->shapes[0] = *in;
	if (r < 0 || !rule_known(ctx, 1)) {
		return r;
	}
	return check_axes(ctx, (uint32_t)axes->dim[0], err);
}

int rule_reverse_sequence(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_reverse_sequence *o = &ctx->node->options.reverse_sequence;
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_moved(ctx, 0, REVERSED, err);
	if (r < 0) {
		return r;
	}
	if (o->seq_dim < 0 || o->batch_dim < 0 || o->seq_dim >= in->rank ||
		o->batch_dim >= in->rank || o->seq_dim == o->batch_dim) {
		return error_set(err, -EBADMSG,
			"dimension %d reversed along %d of a tensor of rank %u", (int)o->seq_dim,
			(int)o->batch_dim, in->rank);
	}
	ret->shapes[0] = *in;
	return rule_list(ctx, 1, "lengths", in->dim[o->batch_dim], 0, err);
}
