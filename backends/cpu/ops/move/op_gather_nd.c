/* SPDX-License-Identifier: Apache-2.0 */
/* GATHER_ND. Source: tflite kernels/gather_nd.cc. */
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/rows.h"

struct gather_nd_state {
	struct rows rows;
	uint32_t depth; /* dimensions of the input that the indices name */
};

static int gather_nd_at(const struct op_call *call, uint64_t r, int64_t *ret_row, struct error *err)
{
	const struct gather_nd_state *s = call->state;
	const struct indices indices = indices_of(call, 1, "indices");
	uint64_t row = 0;
	int e = indices_read_vector(
		&indices, r * s->depth, s->depth, &op_in(call, 0)->shape, &row, err);
	*ret_row = (int64_t)row;
	return e;
}

static void gather_nd_init(struct op_setup *setup)
{
	struct gather_nd_state *s = setup->state;
	const struct shape *indices = op_shape_in(setup, 1);
	rows_init(&s->rows, setup, 0, indices->rank - 1u, gather_nd_at);
	s->depth = (uint32_t)indices->dim[indices->rank - 1];
}

static int gather_nd_run(const struct op_call *call, struct error *err)
{
	const struct gather_nd_state *s = call->state;
	return rows_run(call, &s->rows, err);
}

const struct cpu_op op_gather_nd = {.op = OP_GATHER_ND,
	.state_bytes = sizeof(struct gather_nd_state),
	.init = gather_nd_init,
	.run = gather_nd_run};
