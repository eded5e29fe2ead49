/* SPDX-License-Identifier: Apache-2.0 */
/* PAD and PADV2 of every fixed-width type. Source: tflite kernels/pad.cc. */
#include <string.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/move.h"
#include "backends/cpu/params.h"
#include "backends/cpu/quant.h"

struct pad_state {
	struct ek_walk walk; /* the input, inside the result */
	ptrdiff_t start; /* byte of the result where the input begins */
	uint32_t element_bytes;
	bool empty; /* there is no input to be copied */
	uint8_t fill[16]; /* PAD: one element */
};

static int pad_accept(const struct op_setup *setup, struct error *err)
{
	return accept_same(setup, ACCEPT_FIXED, err);
}

static int pad_plan(const struct op_setup *setup, struct pad_state *state, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_walk *walk = &state->walk;
	struct params p;
	int r = params_read(setup, 1, &p, err);
	if (r < 0) {
		return r;
	}
	if (p.count != 2u * in->rank) {
		return error_set(err, -EINVAL, "%u paddings for %u dimensions", p.count, in->rank);
	}
	move_steps(in, state->element_bytes, walk->src_step);
	move_steps(out, state->element_bytes, walk->dst_step);
	walk->rank = in->rank;
	for (uint32_t i = 0; i < in->rank; i++) {
		int64_t before = p.value[2 * i], after = p.value[2 * i + 1];
		if (before < 0 || after < 0 || before > SHAPE_MAX_DIM || after > SHAPE_MAX_DIM ||
			in->dim[i] + before + after != out->dim[i]) {
			return error_set(err, -EINVAL, "dimension %u: padding %lld, %lld", i,
				(long long)before, (long long)after);
		}
		walk->size[i] = (size_t)in->dim[i];
		state->start += (ptrdiff_t)before * walk->dst_step[i];
	}
	ek_walk_simplify(walk);
	return 0;
}

static int pad_prepare(struct op_setup *setup, struct error *err)
{
	struct pad_state *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	const struct tensor *out = op_tensor_out(setup, 0);
	state->element_bytes = (uint32_t)accept_element_bytes(out);
	state->empty = params_elements(op_shape_in(setup, 0)) == 0;
	if (ACCEPT_QUANTISED >> out->type & 1) { /* the zero point of the result */
		int64_t zero = quant_zero(&out->quant, 0);
		memcpy(state->fill, &zero, state->element_bytes);
	}
	return pad_plan(setup, state, err);
}

static int pad_run(const struct op_call *call, struct error *err)
{
	const struct pad_state *s = call->state;
	const struct value *out = op_out(call, 0), *in = op_in(call, 0);
	const struct value *value = op_in(call, 2);
	uint64_t n = params_elements(&out->shape);
	int r = n ? move_fill(out->data, value ? value->data : s->fill, s->element_bytes, n,
			    call->control, err)
		  : 0;
	if (r < 0 || s->empty) {
		return r;
	}
	return move_run((char *)out->data + s->start, in->data, s->element_bytes, &s->walk,
		call->control, err);
}

const struct cpu_op op_pad = {.op = OP_PAD,
	.params = 1u << 1,
	.accept = pad_accept,
	.prepare = pad_prepare,
	.run = pad_run};
const struct cpu_op op_padv2 = {.op = OP_PADV2,
	.params = 1u << 1,
	.accept = pad_accept,
	.prepare = pad_prepare,
	.run = pad_run};
