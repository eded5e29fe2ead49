/* SPDX-License-Identifier: Apache-2.0 */
/* POW (tflite kernels/pow.cc; optimized_ops.h, BroadcastPow4D) */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/operand/check_values.h"
#include "kernels/elementwise/binary.h"

struct pow_state {
	struct broadcast shape;
	bool is_float;
	/* One exponent stretches over the other operand: where it is a whole number from 1 on, powers
	 * are products. */
	bool has_one_exponent;
};

static void pow_init(struct op_setup *setup)
{
	struct pow_state *state = setup->state;
	const struct shape *base = op_shape_in(setup, 0), *exponent = op_shape_in(setup, 1);
	broadcast_plan(setup, 2, &state->shape);
	state->is_float = op_tensor_in(setup, 0)->type == DTYPE_FLOAT32;
	state->has_one_exponent = !shape_equal(base, exponent) && op_elements(exponent) == 1;
}

/* The exponent as a whole number, when it is one to within 1e-5, or 0. */
static int32_t whole_exponent(const struct pow_state *state, const void *exponent)
{
	if (!state->is_float) {
		return *(const int32_t *)exponent;
	}
	float x = *(const float *)exponent, whole = roundf(x);
	bool fits = whole >= 1 && whole < 2147483648.0f && fabsf(x - whole) < 1e-5f;
	return fits ? (int32_t)whole : 0;
}

struct power_row {
	bool is_float;
	int32_t exponent;
};

static void power_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct power_row *s = state;
	if (s->is_float) {
		ek_power_f32(dst, src[0], n, step[0], s->exponent);
	} else {
		ek_power_s32(dst, src[0], n, step[0], s->exponent);
	}
}

static void pow_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct pow_state *s = state;
	ek_binary_fn *run = s->is_float ? ek_pow_f32 : ek_pow_s32;
	run(dst, src[0], src[1], n, step[0], step[1]);
}

static int pow_run(const struct op_call *call, struct error *err)
{
	const struct pow_state *state = call->state;
	int r = state->is_float ? 0 : check_values_not_negative(call, err);
	if (r < 0) {
		return r;
	}
	if (state->has_one_exponent) {
		struct power_row row = {
			state->is_float, whole_exponent(state, op_in(call, 1)->data)};
		if (row.exponent >= 1) {
			return broadcast_run(&state->shape, call, power_row, &row, err);
		}
	}
	return broadcast_run(&state->shape, call, pow_row, state, err);
}

const struct cpu_op op_pow = {.op = OP_POW,
	.types = ACCEPT(FLOAT32) | ACCEPT(INT32),
	.state_bytes = sizeof(struct pow_state),
	.init = pow_init,
	.run = pow_run};
