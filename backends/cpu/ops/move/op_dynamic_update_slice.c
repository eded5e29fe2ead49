/* SPDX-License-Identifier: Apache-2.0 */
/* DYNAMIC_UPDATE_SLICE: where the update goes is data, moved so far that it fits. Source: tflite
 * kernels/dynamic_update_slice.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"

struct update_state {
	struct ek_strided_copy all, update;
	ptrdiff_t steps[SHAPE_MAX_RANK]; /* of the result, in bytes */
	int64_t most[SHAPE_MAX_RANK]; /* the last place at which the update fits */
	uint32_t rank, element_bytes;
	bool empty; /* there is no element to be updated */
};

static void update_init(struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *update = op_shape_in(setup, 1);
	struct update_state *s = setup->state;
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_in(setup, 0));
	s->rank = in->rank;
	s->empty = op_elements(update) == 0;
	strided_steps(in, s->element_bytes, s->steps);
	strided_steps(in, s->element_bytes, s->all.src_step);
	strided_steps(in, s->element_bytes, s->all.dst_step);
	strided_steps(update, s->element_bytes, s->update.src_step);
	strided_steps(in, s->element_bytes, s->update.dst_step);
	s->all.rank = s->update.rank = in->rank;
	for (uint32_t i = 0; i < in->rank; i++) {
		s->all.size[i] = (size_t)in->dim[i];
		s->update.size[i] = (size_t)update->dim[i];
		s->most[i] = in->dim[i] - update->dim[i];
	}
	ek_strided_copy_simplify(&s->update);
}

static int update_run(const struct op_call *call, struct error *err)
{
	const struct update_state *s = call->state;
	const struct value *in = op_in(call, 0);
	char *out = op_out(call, 0)->data;
	if (op_elements(&in->shape) == 0) {
		return 0;
	}
	int r = strided_copy(out, in->data, s->element_bytes, &s->all, call->control, err);
	if (r < 0 || s->empty) {
		return r;
	}
	const struct indices starts = indices_of(call, 2, "start");
	for (uint32_t i = 0; i < s->rank; i++) {
		int64_t start = indices_get(&starts, i);
		start = start < 0 ? 0 : start < s->most[i] ? start : s->most[i];
		out += (ptrdiff_t)start * s->steps[i];
	}
	return strided_copy(
		out, op_in(call, 1)->data, s->element_bytes, &s->update, call->control, err);
}

const struct cpu_op op_dynamic_update_slice = {.op = OP_DYNAMIC_UPDATE_SLICE,
	.types = ACCEPT_FIXED,
	.state_bytes = sizeof(struct update_state),
	.init = update_init,
	.run = update_run};
