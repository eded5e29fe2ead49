/* SPDX-License-Identifier: Apache-2.0 */
/* MUL. Source of the scale: tflite kernels/mul.cc, Prepare. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/op_arith.h"

static int mul_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	if (in->type == DTYPE_INT16 && (out->type == DTYPE_INT8 || out->type == DTYPE_UINT8)) {
		return 0;
	}
	return op_accept_same(setup,
		ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(FLOAT16) | ACCEPT(INT32) |
			ACCEPT(INT64) | ACCEPT(UINT32) | ACCEPT(COMPLEX64),
		err);
}

static const struct ek_arith_q_row *pick(const struct op_setup *setup)
{
	uint64_t mask = setup->cpu_features;
	bool from16 = op_tensor_in(setup, 0)->type == DTYPE_INT16;
	switch (op_tensor_out(setup, 0)->type) {
	case DTYPE_INT8:
		return from16 ? OP_PICK(ek_mul_s16s8, mask) : OP_PICK(ek_mul_s8, mask);
	case DTYPE_UINT8:
		return from16 ? OP_PICK(ek_mul_s16u8, mask) : OP_PICK(ek_mul_u8, mask);
	default:
		return OP_PICK(ek_mul_s16, mask);
	}
}

static int prepare_quantised(struct op_setup *setup, struct ek_arith_q *p, struct error *err)
{
	const struct tensor *a = op_tensor_in(setup, 0), *b = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	p->a_zero = (int32_t)quant_zero(&a->quant, 0);
	p->b_zero = (int32_t)quant_zero(&b->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	/* product and quotient are float in the reference */
	float product = quant_params_scale(a, 0) * quant_params_scale(b, 0);
	float scale = product / quant_params_scale(out, 0);
	p->scale = quant_params_split((double)scale);
	return arith_prepare_q(setup, pick(setup), err);
}

static int mul_prepare(struct op_setup *setup, struct error *err)
{
	static const struct arith_rows rows = {.f32 = ek_mul_f32,
		.f16 = ek_mul_f16,
		.s32 = ek_mul_s32,
		.s64 = ek_mul_s64,
		.u32 = ek_mul_u32,
		.c64 = ek_mul_c64};
	struct arith *state = setup->state;
	broadcast_plan(setup, 2, &state->shape);
	if (ACCEPT_QUANTISED >> op_tensor_out(setup, 0)->type & 1) {
		return prepare_quantised(setup, &state->params, err);
	}
	return arith_prepare(setup, &rows, err);
}

const struct cpu_op op_mul = {
	.op = OP_MUL,
	.accept = mul_accept,
	.state_bytes = sizeof(struct arith),
	.prepare = mul_prepare,
	.run = arith_run,
	.in_place = 3,
};
