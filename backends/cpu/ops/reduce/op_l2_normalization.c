/* SPDX-License-Identifier: Apache-2.0 */
/* L2_NORMALIZATION over the last dimension. Source: tflite kernels/l2norm.cc. */
#include "backends/cpu/accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/l2norm.h"

struct l2norm_state {
	ek_l2norm_fn *run;
	uint64_t depth, row_bytes;
	int32_t zero;
};

static int l2norm_accept(const struct op_setup *setup, struct error *err)
{
	return accept_same(setup, ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(UINT8), err);
}

static int l2norm_prepare(struct op_setup *setup, struct error *err)
{
	struct l2norm_state *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	const struct tensor *in = op_tensor_in(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	state->run = in->type == DTYPE_FLOAT32 ? ek_l2norm_f32
		: in->type == DTYPE_INT8       ? ek_l2norm_s8
					       : ek_l2norm_u8;
	state->depth = (uint64_t)shape->dim[shape->rank - 1];
	state->row_bytes = state->depth * accept_element_bytes(in);
	state->zero = (int32_t)quant_zero(&in->quant, 0);
	setup->detail = "l2norm__c";
	return 0;
}

static int l2norm_run(const struct op_call *call, struct error *err)
{
	const struct l2norm_state *s = call->state;
	const char *src = op_in(call, 0)->data;
	char *dst = op_out(call, 0)->data;
	uint64_t n = op_elements(&op_out(call, 0)->shape);
	struct tiles t = {.total = n ? n / s->depth : 0,
		.control = call->control,
		.each = tiles_rows(s->depth)};
	while (tiles_next(&t)) {
		for (uint64_t row = t.at; row < t.at + t.count; row++) {
			s->run(dst + row * s->row_bytes, src + row * s->row_bytes, (size_t)s->depth,
				s->zero);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_l2_normalization = {.op = OP_L2_NORMALIZATION,
	.accept = l2norm_accept,
	.prepare = l2norm_prepare,
	.run = l2norm_run};
