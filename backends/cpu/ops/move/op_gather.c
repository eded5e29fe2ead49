/* SPDX-License-Identifier: Apache-2.0 */
/* GATHER. Source: tflite kernels/gather.cc. */
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/rows.h"

struct gather_state {
	struct rows rows;
	uint64_t outer; /* rows of one batch that stand before the axis */
	uint64_t picks; /* indices of one batch */
	int64_t size; /* of the axis */
};

/* The output's rows go over batches, what stands before the axis, and the batch's indices. */
static int gather_at(const struct op_call *call, uint64_t r, int64_t *ret_row, struct error *err)
{
	const struct gather_state *s = call->state;
	const struct indices indices = indices_of(call, 1, "indices");
	uint64_t slab = r / s->picks; /* batch * outer + place in the batch */
	int64_t index = 0;
	int e = indices_read(
		&indices, slab / s->outer * s->picks + r % s->picks, s->size, &index, err);
	*ret_row = (int64_t)slab * s->size + index;
	return e;
}

static void gather_init(struct op_setup *setup)
{
	struct gather_state *s = setup->state;
	const struct options_axis *o = &setup->node->options.axis;
	const struct shape *in = op_shape_in(setup, 0), *indices = op_shape_in(setup, 1);
	uint32_t axis = (uint32_t)(o->axis + (o->axis < 0 ? in->rank : 0));
	uint32_t batch = (uint32_t)(o->count + (o->count < 0 ? indices->rank : 0));
	rows_init(&s->rows, setup, 0, axis + indices->rank - batch, gather_at);
	s->outer = op_gemm(in, batch, axis);
	s->picks = op_gemm(indices, batch, indices->rank);
	s->size = in->dim[axis];
}

static int gather_run(const struct op_call *call, struct error *err)
{
	const struct gather_state *s = call->state;
	return rows_run(call, &s->rows, err);
}

const struct cpu_op op_gather = {.op = OP_GATHER,
	.state_bytes = sizeof(struct gather_state),
	.init = gather_init,
	.run = gather_run};
