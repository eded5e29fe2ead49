/* SPDX-License-Identifier: Apache-2.0 */
/* SQUARED_DIFFERENCE. Source of the scales: tflite kernels/squared_difference.cc, Prepare. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/operand/quant_params.h"
#include "kernels/elementwise/arith_q.h"
#include "kernels/elementwise/binary.h"

struct squared_state {
	struct broadcast shape;
	ek_binary_fn *plain; /* NULL for int8 */
	ek_arith_q_fn *run;
	struct ek_arith_q params;
};

static void prepare_scales(const struct op_setup *setup, struct ek_arith_q *p)
{
	const struct tensor *out = op_tensor_out(setup, 0);
	double twice = quant_params_common_scale(setup, p);
	p->left_shift = 7;
	/* The output's scale times 2^14, exact in float, as the reference has it. */
	p->scale = quant_params_split(
		twice * twice / ((1 << 14) * (double)quant_params_scale(out, 0)));
	quant_params_type_range(DTYPE_INT8, &p->lo, &p->hi);
}

static void squared_init(struct op_setup *setup)
{
	struct squared_state *state = setup->state;
	unsigned int type = op_tensor_in(setup, 0)->type;
	broadcast_plan(setup, 2, &state->shape);
	if (type == DTYPE_INT8) {
		const struct ek_arith_q_row *kernel =
			OP_PICK(ek_squared_difference_s8, setup->cpu_features);
		prepare_scales(setup, &state->params);
		state->run = kernel->run;
		setup->detail = kernel->variant.name;
		return;
	}
	state->plain = type == DTYPE_INT32 ? ek_squared_difference_s32 : ek_squared_difference_f32;
}

static void squared_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct squared_state *s = state;
	if (s->plain) {
		s->plain(dst, src[0], src[1], n, step[0], step[1]);
	} else {
		s->run(dst, src[0], src[1], n, step[0], step[1], &s->params);
	}
}

static int squared_run(const struct op_call *call, struct error *err)
{
	const struct squared_state *state = call->state;
	return broadcast_run(&state->shape, call, squared_row, state, err);
}

const struct cpu_op op_squared_difference = {.op = OP_SQUARED_DIFFERENCE,
	.types = ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT8),
	.state_bytes = sizeof(struct squared_state),
	.init = squared_init,
	.run = squared_run};
