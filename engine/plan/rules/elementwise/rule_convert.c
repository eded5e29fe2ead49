/* SPDX-License-Identifier: Apache-2.0 */
/* rule_convert - CAST and BITCAST (TFLite kernels/cast.cc, bitcast.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define NUMBERS                                                                                    \
	(RULE_TYPE(BOOL) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) |                 \
		RULE_TYPE(UINT16) | RULE_TYPE(INT32) | RULE_TYPE(UINT32) | RULE_TYPE(INT64) |      \
		RULE_TYPE(FLOAT16) | RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT64) |                     \
		RULE_TYPE(COMPLEX64))

/* int4 goes to and from float32 only. */
int rule_cast(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0), *output = rule_output(ctx, 0);
	uint32_t real = RULE_TYPE(FLOAT32), four = RULE_TYPE(INT4);
	uint32_t inputs = NUMBERS | four,
		 outputs = input->type == DTYPE_INT4 ? real
		: input->type == DTYPE_FLOAT32       ? NUMBERS | four
						     : NUMBERS;
	int r = rule_type_among(ctx, input, "input", inputs, err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r < 0 ? r : rule_type_among(ctx, output, "output", outputs, err);
}

/* Smaller elements make a dimension of the bytes of a larger one, larger ones take it away. */
int rule_bitcast(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	uint32_t types = NUMBERS | RULE_TYPE(UINT64) | RULE_TYPE(BFLOAT16) | RULE_TYPE(COMPLEX128);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", types, err);
	r = r < 0 ? r : rule_type_among(ctx, rule_output(ctx, 0), "output", types, err);
	if (r < 0) {
		return r;
	}
	unsigned int from = dtype_bits(op_context_input(ctx, 0)->type),
		     to = dtype_bits(rule_output(ctx, 0)->type);
	struct shape *out = &ret->shapes[0];
	*out = *in;
	if (from > to) {
		if (in->rank == SHAPE_MAX_RANK) {
			return error_set(
				err, -EOPNOTSUPP, "a dimension more than %d", SHAPE_MAX_RANK);
		}
		out->dim[out->rank++] = (int32_t)(from / to);
	} else if (from < to) {
		int32_t last = in->rank ? in->dim[in->rank - 1] : 1;
		if (last != (int32_t)(to / from)) {
			return error_set(err, -EBADMSG, "last dimension is %d, must be %u",
				(int)last, to / from);
		}
		out->rank--;
	}
	return 0;
}
