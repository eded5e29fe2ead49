/* SPDX-License-Identifier: Apache-2.0 */
/* rule_resize - RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR (TFLite kernels/resize_bilinear.cc,
 * resize_nearest_neighbor.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define MAX_OUTPUT 16384
/* Positions are int32 with 10 fractional bits: 1024 * height must not wrap. */
#define MAX_INPUT (1 << 20)

static int check_operands(const struct op_context *ctx, uint32_t types, struct error *err)
{
	const struct tensor *size = op_context_input(ctx, 1);
	const struct options_resize *o = &ctx->node->options.resize;
	const struct shape *in = rule_shape(ctx, 0), *size_shape = rule_shape(ctx, 1);
	int r = rule_moved(ctx, 0, types, err);
	r = r < 0 ? r : rule_type_is(size, "input 1 (size)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_rank_is(in, "input", 4, err);
	r = r < 0 ? r : rule_rank_is(size_shape, "input 1 (size)", 1, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	if (r < 0) {
		return r;
	}
	if (size_shape->dim[0] != 2) {
		return error_set(err, -EBADMSG, "input 1 (size) has %d elements, must have 2",
			(int)size_shape->dim[0]);
	}
	if (o->align_corners && o->half_pixel_centers) {
		return error_set(
			err, -EBADMSG, "align_corners and half_pixel_centers at the same time");
	}
	return 0;
}

static int set_size(
	const struct op_context *ctx, int32_t most, struct shape *out, struct error *err)
{
	*out = *rule_shape(ctx, 0);
	for (unsigned int i = 0; i < 2; i++) {
		int64_t size = rule_known(ctx, 1) ? rule_value(ctx, 1, i) : -1;
		if (rule_known(ctx, 1) && (size < 1 || size > most)) {
			return error_set(err, -EBADMSG, "size %lld, must be 1 to %d",
				(long long)size, (int)most);
		}
		out->dim[1 + i] = (int32_t)size;
	}
	return 0;
}

int rule_resize(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_operands(ctx,
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT16), err);
	if (r == 0 && (in->dim[1] > MAX_INPUT || in->dim[2] > MAX_INPUT)) {
		r = error_set(err, -EBADMSG, "input %dx%d, at most %d are understood",
			(int)in->dim[1], (int)in->dim[2], MAX_INPUT);
	}
	return r < 0 ? r : set_size(ctx, MAX_OUTPUT, &ret->shapes[0], err);
}

/* Elements are copied by their width: 1, 2 or 4 bytes. */
int rule_resize_nearest(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_operands(ctx,
		RULE_TYPE(BOOL) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) |
			RULE_TYPE(UINT16) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT32) |
			RULE_TYPE(UINT32) | RULE_TYPE(FLOAT32),
		err);
	return r < 0 ? r : set_size(ctx, SHAPE_MAX_DIM, &ret->shapes[0], err);
}
