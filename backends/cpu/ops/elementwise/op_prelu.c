/* SPDX-License-Identifier: Apache-2.0 */
/* PRELU. Source: tflite kernels/activations.cc (PreluPrepare). */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/operand/quant_params.h"
#include "kernels/elementwise/prelu.h"

struct prelu_state {
	struct broadcast shape;
	ek_prelu_fn *run;
	struct ek_prelu params;
};

static ek_prelu_fn *pick(unsigned int dtype)
{
	switch (dtype) {
	case DTYPE_FLOAT32:
		return ek_prelu_f32;
	case DTYPE_INT8:
		return ek_prelu_s8;
	case DTYPE_UINT8:
		return ek_prelu_u8;
	default:
		return ek_prelu_s16;
	}
}

/* Products and quotients of scales are floats in the reference. */
static void prepare_quantised(const struct op_setup *setup, struct ek_prelu *p)
{
	const struct tensor *in = op_tensor_in(setup, 0), *alpha = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	float scale = quant_params_scale(in, 0) / quant_params_scale(out, 0);
	float below = quant_params_scale(in, 0) * quant_params_scale(alpha, 0) /
		quant_params_scale(out, 0);
	p->scale = quant_params_split((double)scale);
	p->below = quant_params_split((double)below);
	p->x_zero = (int32_t)quant_zero(&in->quant, 0);
	p->alpha_zero = (int32_t)quant_zero(&alpha->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	quant_params_type_range(out->type, &p->lo, &p->hi);
}

static void prelu_init(struct op_setup *setup)
{
	struct prelu_state *state = setup->state;
	unsigned int type = op_tensor_in(setup, 0)->type;
	broadcast_plan(setup, 2, &state->shape);
	state->run = pick(type);
	setup->detail = "prelu__c";
	if (type != DTYPE_FLOAT32) {
		prepare_quantised(setup, &state->params);
	}
}

static void prelu_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct prelu_state *s = state;
	s->run(dst, src[0], src[1], n, step[0], step[1], &s->params);
}

static int prelu_run(const struct op_call *call, struct error *err)
{
	const struct prelu_state *state = call->state;
	return broadcast_run(&state->shape, call, prelu_row, state, err);
}

const struct cpu_op op_prelu = {.op = OP_PRELU,
	.types = ACCEPT_QUANTISED | ACCEPT(FLOAT32),
	.state_bytes = sizeof(struct prelu_state),
	.init = prelu_init,
	.run = prelu_run};
