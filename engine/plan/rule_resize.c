/* SPDX-License-Identifier: Apache-2.0 */
/* rule_resize - RESIZE_BILINEAR (TFLite kernels/resize_bilinear.cc) */
#include <errno.h>

#include "engine/plan/rule.h"

#define MAX_OUTPUT 16384
/* Positions are int32 with 10 fractional bits: 1024 * height must not wrap. */
#define MAX_INPUT (1 << 20)

static int check_operands(const struct op_context *ctx, struct error *err)
{
	const struct tensor *input = op_input(ctx, 0), *size = op_input(ctx, 1);
	const struct shape *in = rule_shape(ctx, 0), *size_shape = rule_shape(ctx, 1);
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) | RULE_TYPE(INT16), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
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
	if (in->dim[1] > MAX_INPUT || in->dim[2] > MAX_INPUT) {
		return error_set(err, -EBADMSG, "input %dx%d, at most %d are understood",
			(int)in->dim[1], (int)in->dim[2], MAX_INPUT);
	}
	return 0;
}

int rule_resize(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_resize *o = &ctx->node->options.resize;
	int r = check_operands(ctx, err);
	if (r < 0) {
		return r;
	}
	if (o->align_corners && o->half_pixel_centers) {
		return error_set(
			err, -EBADMSG, "align_corners and half_pixel_centers at the same time");
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	for (unsigned int i = 0; i < 2; i++) {
		int64_t size = rule_known(ctx, 1) ? rule_value(ctx, 1, i) : -1;
		if (rule_known(ctx, 1) && (size < 1 || size > MAX_OUTPUT)) {
			return error_set(err, -EBADMSG, "size %lld, must be 1 to %d",
				(long long)size, MAX_OUTPUT);
		}
		ret->shapes[0].dim[1 + i] = (int32_t)size;
	}
	return 0;
}
