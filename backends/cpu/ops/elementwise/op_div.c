/* SPDX-License-Identifier: Apache-2.0 */
/* DIV. Source of the scale: tflite kernels/div.cc, Prepare. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/check_values.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/op_arith.h"

static int prepare_quantised(struct op_setup *setup, struct arith *state, struct error *err)
{
	const struct tensor *a = op_tensor_in(setup, 0), *b = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	struct ek_arith_q *p = &state->params;
	p->a_zero = (int32_t)quant_zero(&a->quant, 0);
	p->b_zero = (int32_t)quant_zero(&b->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	/* product and quotient are float in the reference */
	float product = quant_params_scale(b, 0) * quant_params_scale(out, 0);
	float scale = quant_params_scale(a, 0) / product;
	p->scale = quant_params_split((double)scale);
	state->run_q = out->type == DTYPE_INT8 ? ek_div_s8
		: out->type == DTYPE_UINT8     ? ek_div_u8
					       : ek_div_s16;
	return quant_params_activation_range(
		setup->node->options.arithmetic.activation, out, &p->lo, &p->hi, err);
}

static int div_prepare(struct op_setup *setup, struct error *err)
{
	static const struct arith_rows rows = {.f32 = ek_div_f32, .s32 = ek_div_s32};
	struct arith *state = setup->state;
	unsigned int type = op_tensor_out(setup, 0)->type;
	broadcast_plan(setup, 2, &state->shape);
	if (ACCEPT_QUANTISED >> type & 1) {
		return prepare_quantised(setup, state, err);
	}
	return arith_prepare(setup, &rows, err);
}

static int div_run(const struct op_call *call, struct error *err)
{
	const struct arith *state = call->state;
	int r = state->run == ek_div_f32 ? 0
					 : check_values_nonzero(call, state->params.b_zero, err);
	return r < 0 ? r : arith_run(call, err);
}

const struct cpu_op op_div = {.op = OP_DIV,
	.types = ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32),
	.state_bytes = sizeof(struct arith),
	.prepare = div_prepare,
	.run = div_run};
