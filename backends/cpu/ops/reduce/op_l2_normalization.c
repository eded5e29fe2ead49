/* SPDX-License-Identifier: Apache-2.0 */
/* L2_NORMALIZATION over the last dimension. Source: tflite kernels/l2norm.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/l2norm.h"

struct l2norm_state {
	ek_l2norm_fn *run;
	const struct ek_l2norm_parts *parts; /* of long rows */
	uint64_t depth, row_bytes;
	int32_t zero;
};

static void l2norm_init(struct op_setup *setup)
{
	struct l2norm_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	state->run = in->type == DTYPE_FLOAT32 ? ek_l2norm_f32
		: in->type == DTYPE_INT8       ? ek_l2norm_s8
					       : ek_l2norm_u8;
	state->parts = in->type == DTYPE_FLOAT32 ? &ek_l2norm_parts_f32
		: in->type == DTYPE_INT8         ? &ek_l2norm_parts_s8
						 : &ek_l2norm_parts_u8;
	state->depth = (uint64_t)shape->dim[shape->rank - 1];
	state->row_bytes = state->depth * op_accept_element_bytes(in);
	state->zero = (int32_t)quant_zero(&in->quant, 0);
	setup->detail = "l2norm__c";
}

static int run_parts(
	const struct l2norm_state *s, char *dst, const char *src, const struct run_control *control)
{
	const uint64_t width = s->row_bytes / s->depth;
	struct tiles t = {.total = s->depth, .control = control};
	struct ek_l2norm_sum sum = {0};
	while (tiles_next(&t)) {
		s->parts->add(&sum, src + t.at * width, (size_t)t.count, s->zero);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		s->parts->finish(
			dst + t.at * width, src + t.at * width, (size_t)t.count, s->zero, &sum);
	}
	return t.result;
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
			char *y = dst + row * s->row_bytes;
			const char *x = src + row * s->row_bytes;
			if (s->depth <= TILE_ROW) {
				s->run(y, x, (size_t)s->depth, s->zero);
			} else {
				t.result = run_parts(s, y, x, call->control);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_l2_normalization = {.op = OP_L2_NORMALIZATION,
	.types = ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(UINT8),
	.state_bytes = sizeof(struct l2norm_state),
	.init = l2norm_init,
	.run = l2norm_run};
