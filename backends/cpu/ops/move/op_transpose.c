/* SPDX-License-Identifier: Apache-2.0 */
/* TRANSPOSE of every fixed-width type. Source: tflite kernels/transpose.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/params.h"
#include "kernels/requant/requant.h"

struct transpose_state {
	struct ek_strided_copy walk;
	uint32_t element_bytes;
	bool is_s4; /* unpacked into scratch, moved, packed */
	bool empty;
};

static int read_permutation(
	const struct op_setup *setup, uint32_t rank, uint32_t *ret_perm, struct error *err)
{
	struct params p;
	uint32_t seen = 0;
	int r = params_read(setup, 1, &p, err);
	if (r < 0) {
		return r;
	}
	if (p.count != rank) {
		return error_set(err, -EINVAL, "%u axes for %u dimensions", p.count, rank);
	}
	for (uint32_t i = 0; i < rank; i++) {
		r = params_axis(p.value[i], rank, &ret_perm[i], err);
		if (r < 0) {
			return r;
		}
		seen |= 1u << ret_perm[i];
	}
	return seen == (1u << rank) - 1 ? 0 : error_set(err, -EINVAL, "an axis is there twice");
}

static int transpose_prepare(struct op_setup *setup, struct error *err)
{
	struct transpose_state *state = setup->state;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	uint32_t perm[SHAPE_MAX_RANK];
	int r = read_permutation(setup, in->rank, perm, err);
	if (r < 0) {
		return r;
	}
	state->is_s4 = op_tensor_in(setup, 0)->type == DTYPE_INT4;
	state->element_bytes =
		state->is_s4 ? 1 : (uint32_t)op_accept_element_bytes(op_tensor_in(setup, 0));
	state->empty = op_elements(in) == 0;
	ptrdiff_t in_steps[SHAPE_MAX_RANK];
	struct ek_strided_copy *walk = &state->walk;
	strided_steps(in, state->element_bytes, in_steps);
	strided_steps(out, state->element_bytes, walk->dst_step);
	walk->rank = in->rank;
	for (uint32_t i = 0; i < in->rank; i++) {
		walk->size[i] = (size_t)in->dim[perm[i]];
		walk->src_step[i] = in_steps[perm[i]];
	}
	ek_strided_copy_simplify(walk);
	setup->scratch_bytes = state->is_s4 ? 2 * op_elements(in) : 0;
	return 0;
}

static int run_s4(const struct op_call *call, struct error *err)
{
	const struct transpose_state *s = call->state;
	uint64_t n = op_elements(&op_out(call, 0)->shape);
	int8_t *before = call->scratch, *after = before + n;
	ek_unpack_s4(before, op_in(call, 0)->data, n);
	int r = strided_copy(after, before, 1, &s->walk, call->control, err);
	if (r == 0) {
		ek_pack_s4(op_out(call, 0)->data, after, n);
	}
	return r;
}

static int transpose_run(const struct op_call *call, struct error *err)
{
	const struct transpose_state *s = call->state;
	if (s->empty) {
		return 0;
	}
	if (s->is_s4) {
		return run_s4(call, err);
	}
	return strided_copy(op_out(call, 0)->data, op_in(call, 0)->data, s->element_bytes, &s->walk,
		call->control, err);
}

const struct cpu_op op_transpose = {.op = OP_TRANSPOSE,
	.params = 1u << 1,
	.types = ACCEPT_FIXED | ACCEPT(INT4),
	.state_bytes = sizeof(struct transpose_state),
	.prepare = transpose_prepare,
	.run = transpose_run};
