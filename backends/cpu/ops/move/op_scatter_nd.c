/* SPDX-License-Identifier: Apache-2.0 */
/* SCATTER_ND: what meets in one place is added. Source: tflite kernels/scatter_nd.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/ops/reduce/reduce_kernel.h"
#include "backends/cpu/tiles.h"

struct scatter_state {
	uint64_t updates, row; /* rows of updates; elements of one */
	uint64_t out_bytes;
	uint32_t depth; /* dimensions of the output that the indices name */
	uint32_t element_bytes;
	ek_sum_fn *add;
};

static void scatter_init(struct op_setup *setup)
{
	struct scatter_state *s = setup->state;
	const struct shape *indices = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	const struct tensor *t = op_tensor_out(setup, 0);
	s->depth = (uint32_t)indices->dim[indices->rank - 1];
	s->updates = op_gemm(indices, 0, indices->rank - 1u);
	s->row = op_gemm(out, s->depth, out->rank);
	s->element_bytes = (uint32_t)op_accept_element_bytes(t);
	s->out_bytes = op_elements(out) * s->element_bytes;
	s->add = reduce_kernel_find(t->type, EK_REDUCE_ADD);
}

static int scatter_row(const struct op_call *call, uint64_t i, struct error *err)
{
	const struct scatter_state *s = call->state;
	const struct indices indices = indices_of(call, 0, "indices");
	const struct value *out = op_out(call, 0);
	size_t bytes = (size_t)s->row * s->element_bytes;
	uint64_t row = 0;
	int r = indices_read_vector(&indices, i * s->depth, s->depth, &out->shape, &row, err);
	if (r < 0) {
		return r;
	}
	s->add((char *)out->data + row * bytes, (const char *)op_in(call, 1)->data + i * bytes,
		(size_t)s->row, 1);
	return 0;
}

static int scatter_run(const struct op_call *call, struct error *err)
{
	const struct scatter_state *s = call->state;
	struct tiles t = {
		.total = s->updates, .control = call->control, .each = tiles_rows(s->row)};
	int r = tiles_result(tiles_clear(op_out(call, 0)->data, s->out_bytes, call->control), err);
	if (r < 0) {
		return r;
	}
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			r = scatter_row(call, i, err);
			if (r < 0) {
				return r;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_scatter_nd = {.op = OP_SCATTER_ND,
	.state_bytes = sizeof(struct scatter_state),
	.init = scatter_init,
	.run = scatter_run};
