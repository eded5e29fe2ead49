/* SPDX-License-Identifier: Apache-2.0 */
/* rule_broadcast - shapes that stretch, BROADCAST_ARGS and BROADCAST_TO (TFLite
 * kernels/broadcast_args.cc, broadcast_to.cc, kernel_util.cc CalculateShapeForBroadcast) */
#include "engine/plan/rules/rule_broadcast.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/plan/rules/rule_dims.h"

#define SHAPES_TEXT_SIZE (3 * SHAPE_TEXT_SIZE)

/* "2x3 and 4x3", "2, 2x3 and 4x3". */
static const char *format_shapes(
	char *out, size_t size, const struct op_context *ctx, uint32_t first, uint32_t n)
{
	size_t length = 0;
	for (uint32_t i = 0; i < n; i++) {
		char text[SHAPE_TEXT_SIZE];
		const char *joint = i == 0 ? "" : i + 1 < n ? ", " : " and ";
		shape_format(text, sizeof(text), rule_shape(ctx, first + i));
		length += (size_t)snprintf(
			out + length, length < size ? size - length : 0, "%s%s", joint, text);
		length = length < size ? length : size;
	}
	return out;
}

static int stretch(struct shape *out, const struct shape *in)
{
	unsigned int missing = out->rank - in->rank;
	for (unsigned int i = 0; i < in->rank; i++) {
		int32_t *dim = &out->dim[missing + i];
		if (*dim != in->dim[i] && *dim != 1 && in->dim[i] != 1) {
			return -EBADMSG;
		}
		*dim = *dim == 1 ? in->dim[i] : *dim;
	}
	return 0;
}

int rule_broadcast(const struct op_context *ctx, uint32_t first, uint32_t n, struct shape *ret,
	struct error *err)
{
	struct shape out = {0};
	for (uint32_t i = 0; i < n; i++) {
		uint8_t rank = rule_shape(ctx, first + i)->rank;
		out.rank = rank > out.rank ? rank : out.rank;
	}
	for (unsigned int i = 0; i < out.rank; i++) {
		out.dim[i] = 1;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (stretch(&out, rule_shape(ctx, first + i)) < 0) {
			char text[SHAPES_TEXT_SIZE];
			return error_set(err, -EBADMSG, "%s do not broadcast",
				format_shapes(text, sizeof(text), ctx, first, n));
		}
	}
	*ret = out;
	return 0;
}

int rule_broadcast_one_shape(const struct op_context *ctx, uint32_t first, uint32_t n,
	struct shape *ret, struct error *err)
{
	for (uint32_t i = 1; i < n; i++) {
		if (!shape_equal(rule_shape(ctx, first), rule_shape(ctx, first + i))) {
			char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
			return error_set(err, -EBADMSG, "input %u is %s, must be %s as input %u is",
				first + i, shape_format(b, sizeof(b), rule_shape(ctx, first + i)),
				shape_format(a, sizeof(a), rule_shape(ctx, first)), first);
		}
	}
	*ret = *rule_shape(ctx, first);
	return 0;
}

int rule_broadcast_one_type(
	const struct op_context *ctx, uint32_t first, uint32_t n, uint32_t mask, struct error *err)
{
	unsigned int type = op_context_input(ctx, first)->type;
	int r = rule_type_among(ctx, op_context_input(ctx, first), "input", mask, err);
	for (uint32_t i = first + 1; i < first + n && r == 0; i++) {
		char name[24];
		snprintf(name, sizeof(name), "input %u", i);
		r = rule_type_is(op_context_input(ctx, i), name, type, err);
	}
	return r;
}

/* Two shapes as vectors give a third; what is in them only a run looks at. */
int rule_broadcast_args(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_broadcast_one_type(ctx, 0, 2, RULE_INDICES, err);
	r = r < 0
		? r
		: rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 0), "input 0", 1, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 1), "input 1", 1, err);
	if (r == 0) {
		int32_t a = rule_shape(ctx, 0)->dim[0], b = rule_shape(ctx, 1)->dim[0];
		ret->shapes[0] = (struct shape){.rank = 1, .dim = {a > b ? a : b}};
	}
	return r;
}

int rule_broadcast_to(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *in = op_context_input(ctx, 0);
	const struct shape *shape = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	if (ctx->node->version < 2) {
		return error_set(err, -EOPNOTSUPP, "BROADCAST_TO v1 is not there yet, v2 is");
	}
	int r = dtype_bits(in->type) >= 8
		? rule_type_is(rule_output(ctx, 0), "output", in->type, err)
		: rule_type_among(ctx, in, "input", 0, err);
	r = r < 0 ? r : rule_dims_read(ctx, 1, "shape", out, err);
	if (r == 0 && out->rank < shape->rank) {
		return error_set(err, -EBADMSG, "rank %u does not stretch to rank %u", shape->rank,
			out->rank);
	}
	return r < 0 || !rule_known(ctx, 1) ? r : rule_stretches(shape, "input", out, err);
}
