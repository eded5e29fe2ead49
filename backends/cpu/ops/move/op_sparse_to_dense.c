/* SPDX-License-Identifier: Apache-2.0 */
/* SPARSE_TO_DENSE: the last of two values in one place stays. Source: tflite
 * kernels/sparse_to_dense.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/tiles.h"

struct dense_state {
	uint64_t count; /* indices */
	uint64_t elements; /* of the output */
	uint32_t depth, element_bytes;
	uint32_t value_step; /* bytes from one value to the next; 0: one for all */
};

static void dense_init(struct op_setup *setup)
{
	struct dense_state *s = setup->state;
	const struct shape *indices = op_shape_in(setup, 0);
	s->count = indices->rank ? (uint64_t)indices->dim[0] : 1;
	s->depth = indices->rank == 2 ? (uint32_t)indices->dim[1] : 1;
	s->elements = op_elements(op_shape_out(setup, 0));
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_out(setup, 0));
	s->value_step = op_shape_in(setup, 2)->rank ? s->element_bytes : 0;
}

static int dense_run(const struct op_call *call, struct error *err)
{
	const struct dense_state *s = call->state;
	const struct value *out = op_out(call, 0);
	const struct indices indices = indices_of(call, 0, "indices");
	const char *values = op_in(call, 2)->data;
	struct tiles t = {.total = s->count, .control = call->control};
	int r = strided_fill(
		out->data, op_in(call, 3)->data, s->element_bytes, s->elements, call->control, err);
	while (r == 0 && tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			uint64_t at = 0;
			r = indices_read_vector(
				&indices, i * s->depth, s->depth, &out->shape, &at, err);
			if (r < 0) {
				return r;
			}
			memcpy((char *)out->data + at * s->element_bytes,
				values + i * s->value_step, s->element_bytes);
		}
	}
	return r < 0 ? r : tiles_end(&t, err);
}

const struct cpu_op op_sparse_to_dense = {.op = OP_SPARSE_TO_DENSE,
	.state_bytes = sizeof(struct dense_state),
	.init = dense_init,
	.run = dense_run};
