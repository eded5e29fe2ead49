/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT and SELECT_V2: moves by width, whatever the type. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "kernels/elementwise/select.h"

struct select_state {
	struct broadcast shape;
	ek_select_fn *run;
};

static ek_select_fn *pick(size_t element_bytes)
{
	switch (element_bytes) {
	case 1:
		return ek_select_1;
	case 2:
		return ek_select_2;
	case 4:
		return ek_select_4;
	default:
		return ek_select_8;
	}
}

/* The condition's shape as it stretches: SELECT aligns one of rank 1 at the front. */
static struct shape condition_shape(const struct op_setup *setup)
{
	struct shape shape = *op_shape_in(setup, 0);
	uint8_t rank = op_shape_out(setup, 0)->rank;
	if (setup->node->op != OP_SELECT || shape.rank != 1) {
		return shape;
	}
	for (shape.rank = 1; shape.rank < rank; shape.rank++) {
		shape.dim[shape.rank] = 1;
	}
	return shape;
}

static void select_init(struct op_setup *setup)
{
	static const struct shape scalar;
	struct select_state *state = setup->state;
	size_t bytes = op_accept_element_bytes(op_tensor_in(setup, 1));
	const struct shape condition = condition_shape(setup), *out = op_shape_out(setup, 0);
	const struct shape *in[] = {&condition, op_shape_in(setup, 1), op_shape_in(setup, 2)};
	if (op_elements(out) == 1) { /* its rank may be below that of its operands */
		in[0] = in[1] = in[2] = out = &scalar;
	}
	broadcast_plan_shapes(out, in, 3, &state->shape);
	state->shape.bytes[0] = 1;
	state->shape.bytes[1] = state->shape.bytes[2] = state->shape.dst_bytes = (uint8_t)bytes;
	state->run = pick(bytes);
}

static void select_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct select_state *s = state;
	struct ek_select row = {src[0], src[1], src[2], step[0], step[1], step[2]};
	s->run(dst, &row, n);
}

static int select_run(const struct op_call *call, struct error *err)
{
	const struct select_state *state = call->state;
	return broadcast_run(&state->shape, call, select_row, state, err);
}

const struct cpu_op op_select = {.op = OP_SELECT,
	.also = OP_ALSO(OP_SELECT_V2),
	.types_in[1] = ACCEPT_FIXED & ~ACCEPT(COMPLEX128),
	.state_bytes = sizeof(struct select_state),
	.init = select_init,
	.run = select_run};
