/* SPDX-License-Identifier: Apache-2.0 */
/* ONE_HOT: an index that is out of range leaves all off. Source: tflite kernels/one_hot.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/tiles.h"

struct one_hot_state {
	uint64_t count, elements; /* of the indices; of the output */
	uint64_t inner; /* indices behind the axis */
	int32_t depth;
	uint32_t element_bytes;
};

static void one_hot_init(struct op_setup *setup)
{
	struct one_hot_state *s = setup->state;
	const struct shape *indices = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	int32_t option = setup->node->options.axis.axis;
	uint32_t axis = option < 0 ? indices->rank : (uint32_t)option;
	s->count = op_elements(indices);
	s->elements = op_elements(out);
	s->inner = op_gemm(indices, axis, indices->rank);
	s->depth = out->dim[axis];
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_out(setup, 0));
}

static int one_hot_run(const struct op_call *call, struct error *err)
{
	const struct one_hot_state *s = call->state;
	const struct indices indices = indices_of(call, 0, "indices");
	const void *on = op_in(call, 2)->data;
	char *out = op_out(call, 0)->data;
	struct tiles t = {.total = s->count, .control = call->control};
	int r = strided_fill(
		out, op_in(call, 3)->data, s->element_bytes, s->elements, call->control, err);
	while (r == 0 && tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			/* The reference compares the lower half of an int64. */
			int32_t hot = (int32_t)indices_get(&indices, i);
			if (hot < 0 || hot >= s->depth) {
				continue;
			}
			uint64_t at =
				(i / s->inner * (uint64_t)s->depth + (uint64_t)hot) * s->inner +
				i % s->inner;
			memcpy(out + at * s->element_bytes, on, s->element_bytes);
		}
	}
	return r < 0 ? r : tiles_end(&t, err);
}

const struct cpu_op op_one_hot = {.op = OP_ONE_HOT,
	.state_bytes = sizeof(struct one_hot_state),
	.init = one_hot_init,
	.run = one_hot_run};
