/* SPDX-License-Identifier: Apache-2.0 */
/* rule_rfft2d - RFFT2D (TFLite kernels/rfft2d.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

/* Some 50 ms of plain C for one transform. */
#define MAX_LENGTH (1 << 20)

static int check_operands(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *lengths = rule_shape(ctx, 1);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input", RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_COMPLEX64, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 1), "input 1 (lengths)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_rank_is(lengths, "input 1 (lengths)", 1, err);
	if (r < 0) {
		return r;
	}
	if (lengths->dim[0] != 2) {
		return error_set(err, -EBADMSG, "input 1 (lengths) has %d elements, must have 2",
			(int)lengths->dim[0]);
	}
	return rule_rank_from(in, "input", 2, err);
}

static bool is_power_of_two(int64_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

int rule_rfft2d(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = check_operands(ctx, err);
	if (r < 0) {
		return r;
	}
	*out = *in;
	if (!rule_known(ctx, 1)) {
		out->dim[in->rank - 2] = out->dim[in->rank - 1] = -1;
		return 0;
	}
	uint64_t rounds = 1; /* of each output element: one for each doubling of a length */
	for (uint64_t i = 0; i < 2; i++) {
		int64_t length = rule_value(ctx, 1, i);
		if (!is_power_of_two(length) || length > MAX_LENGTH) {
			return error_set(err, -EBADMSG,
				"length %lld, must be a power of two, at most %d",
				(long long)length, MAX_LENGTH);
		}
		out->dim[in->rank - 2u + i] = (int32_t)(i == 0 ? length : length / 2 + 1);
		rounds += (uint64_t)__builtin_ctzll((uint64_t)length);
	}
	ret->macs = rule_cost_mul(rule_elements(out), rounds);
	return 0;
}
