/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/elementwise/op_arith.h"

#include <float.h>
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"

/* The largest finite number of half precision. */
#define F16_MAX 65504.0f

/* What a fused activation leaves of an integer type that reaches from @lo to @hi. The -1 of
 * RELU_N1_TO_1 wraps in uint32, where it makes every result 1, as in the reference. */
static int integer_limits(
	unsigned int activation, int64_t lo, int64_t hi, int64_t ret[2], struct error *err)
{
	float real_lo, real_hi;
	int r = quant_params_activation_range_float(activation, &real_lo, &real_hi, err);
	if (r < 0) {
		return r;
	}
	ret[0] = real_lo == -FLT_MAX ? lo : (int64_t)real_lo;
	ret[1] = (float)hi < real_hi ? hi : (int64_t)real_hi;
	return 0;
}

int arith_prepare(struct op_setup *setup, const struct arith_rows *rows, struct error *err)
{
	struct arith *ret = setup->state;
	unsigned int activation = setup->node->options.arithmetic.activation;
	int64_t limits[2] = {0};
	int r;
	switch (op_tensor_out(setup, 0)->type) {
	case DTYPE_FLOAT32:
		ret->run = rows->f32;
		return quant_params_activation_range_float(
			activation, &ret->limits.f32[0], &ret->limits.f32[1], err);
	case DTYPE_FLOAT16:
		ret->run = rows->f16;
		r = quant_params_activation_range_float(
			activation, &ret->limits.f32[0], &ret->limits.f32[1], err);
		ret->limits.f32[0] = fmaxf(ret->limits.f32[0], -F16_MAX);
		ret->limits.f32[1] = fminf(ret->limits.f32[1], F16_MAX);
		return r;
	case DTYPE_INT32:
		ret->run = rows->s32;
		r = integer_limits(activation, INT32_MIN, INT32_MAX, limits, err);
		ret->limits.s32[0] = (int32_t)limits[0];
		ret->limits.s32[1] = (int32_t)limits[1];
		return r;
	case DTYPE_UINT32:
		ret->run = rows->u32;
		r = integer_limits(activation, 0, UINT32_MAX, limits, err);
		ret->limits.u32[0] = (uint32_t)limits[0];
		ret->limits.u32[1] = (uint32_t)limits[1];
		return r;
	case DTYPE_INT64:
		ret->run = rows->s64;
		return integer_limits(activation, INT64_MIN, INT64_MAX, ret->limits.s64, err);
	default:
		ret->run = rows->c64;
		return activation == ACTIVATION_NONE
			? 0
			: op_accept_missing("activation of complex numbers", err);
	}
}

/* What was proven at an earlier load is kept beside the packed weights. */
static void prove(struct op_setup *setup, ek_arith_q_prove_fn *run, struct ek_arith_q *p)
{
	bool filled = false;
	struct ek_float_requant *kept = op_alloc_pack(setup, sizeof(*kept), &filled);
	if (filled) {
		p->line = *kept;
		return;
	}
	run(p);
	if (kept) {
		*kept = p->line;
	}
}

int arith_prepare_q(struct op_setup *setup, const struct ek_arith_q_row *kernel, struct error *err)
{
	struct arith *state = setup->state;
	struct ek_arith_q *p = &state->params;
	state->run_q = kernel->run;
	setup->detail = kernel->variant.name;
	int r = quant_params_activation_range(setup->node->options.arithmetic.activation,
		op_tensor_out(setup, 0), &p->lo, &p->hi, err);
	if (r == 0 && kernel->prove && !setup->for_one_run &&
		op_elements(op_shape_out(setup, 0)) >= 1024) {
		prove(setup, kernel->prove, p);
	}
	return r;
}

void arith_row(const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct arith *s = state;
	if (s->run) {
		s->run(dst, src[0], src[1], n, step[0], step[1], &s->limits);
	} else {
		s->run_q(dst, src[0], src[1], n, step[0], step[1], &s->params);
	}
}

int arith_run(const struct op_call *call, struct error *err)
{
	const struct arith *state = call->state;
	return broadcast_run(&state->shape, call, arith_row, state, err);
}
