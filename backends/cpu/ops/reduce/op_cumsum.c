/* SPDX-License-Identifier: Apache-2.0 */
/* CUMSUM. Source: tflite kernels/cumsum.cc. */
#include "backends/cpu/accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"
#include "kernels/scan.h"

struct cumsum_state {
	ek_scan_fn *run;
	uint64_t columns; /* elements that are not along the axis */
	uint64_t depth, inner; /* elements along the axis; of one of them that follow each other */
	uint32_t element_bytes;
	bool exclusive, reverse;
};

static int cumsum_prepare(struct op_setup *setup, struct error *err)
{
	struct cumsum_state *s = setup->state = op_alloc(setup, sizeof(*s));
	if (!s) {
		return op_alloc_failed(setup, err);
	}
	const struct tensor *t = op_tensor_in(setup, 0);
	const struct shape *in = op_shape_in(setup, 0);
	uint32_t axis = 0;
	int r = params_read_axis(setup, 1, in->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	s->run = t->type == DTYPE_FLOAT32 ? ek_scan_f32
		: t->type == DTYPE_INT32  ? ek_scan_s32
					  : ek_scan_s64;
	s->element_bytes = (uint32_t)accept_element_bytes(t);
	s->depth = (uint64_t)in->dim[axis];
	s->inner = op_product(in, axis + 1, in->rank);
	s->columns = op_product(in, 0, axis) * s->inner;
	s->exclusive = setup->node->options.cumsum.exclusive;
	s->reverse = setup->node->options.cumsum.reverse;
	return 0;
}

static int cumsum_run(const struct op_call *call, struct error *err)
{
	const struct cumsum_state *s = call->state;
	char *dst = op_out(call, 0)->data;
	const char *src = op_in(call, 0)->data;
	ptrdiff_t step = s->reverse ? -(ptrdiff_t)s->inner : (ptrdiff_t)s->inner;
	uint64_t begin = s->reverse && s->depth ? (s->depth - 1) * s->inner : 0;
	struct tiles t = {.total = s->depth ? s->columns : 0,
		.control = call->control,
		.each = tiles_rows(s->depth)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			uint64_t at = i / s->inner * s->depth * s->inner + i % s->inner + begin;
			s->run(dst + at * s->element_bytes, src + at * s->element_bytes,
				(size_t)s->depth, step, s->exclusive);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_cumsum = {
	.op = OP_CUMSUM, .params = 1u << 1, .prepare = cumsum_prepare, .run = cumsum_run};
