/* SPDX-License-Identifier: Apache-2.0 */
/* CUMSUM. Source: tflite kernels/cumsum.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/cumsum.h"

struct cumsum_state {
	ek_scan_fn *run;
	uint64_t columns; /* elements that are not along the axis */
	uint64_t depth, inner; /* elements along the axis; of one of them that follow each other */
	uint32_t element_bytes;
	bool exclusive, reverse;
};

static int cumsum_prepare(struct op_setup *setup, struct error *err)
{
	struct cumsum_state *s = setup->state;
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
	s->element_bytes = (uint32_t)op_accept_element_bytes(t);
	s->depth = (uint64_t)in->dim[axis];
	s->inner = op_gemm(in, axis + 1, in->rank);
	s->columns = op_gemm(in, 0, axis) * s->inner;
	s->exclusive = setup->node->options.cumsum.exclusive;
	s->reverse = setup->node->options.cumsum.reverse;
	return 0;
}

/* Elements far apart take as long as many that lie together. */
#define FAR_BYTES 64
#define FAR_COSTS 16

static int scan(const struct cumsum_state *s, char *dst, const char *src, ptrdiff_t step,
	uint64_t each, const struct run_control *control)
{
	struct tiles t = {.total = s->depth, .control = control, .each = each};
	int64_t sum = 0; /* of each type's own */
	while (tiles_next(&t)) {
		const ptrdiff_t at = (ptrdiff_t)t.at * step * (ptrdiff_t)s->element_bytes;
		s->run(dst + at, src + at, (size_t)t.count, step, s->exclusive, &sum);
	}
	return t.result;
}

static int cumsum_run(const struct op_call *call, struct error *err)
{
	const struct cumsum_state *s = call->state;
	char *dst = op_out(call, 0)->data;
	const char *src = op_in(call, 0)->data;
	ptrdiff_t step = s->reverse ? -(ptrdiff_t)s->inner : (ptrdiff_t)s->inner;
	uint64_t begin = s->reverse && s->depth ? (s->depth - 1) * s->inner : 0;
	const uint64_t costs = s->inner * s->element_bytes > FAR_BYTES ? FAR_COSTS : 1;
	struct tiles t = {.total = s->depth ? s->columns : 0,
		.control = call->control,
		.each = tiles_rows(s->depth * costs)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; t.result == 0 && i < t.at + t.count; i++) {
			uint64_t at = i / s->inner * s->depth * s->inner + i % s->inner + begin;
			t.result = scan(s, dst + at * s->element_bytes, src + at * s->element_bytes,
				step, TILE_ELEMENTS / costs, call->control);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_cumsum = {.op = OP_CUMSUM,
	.params = 1u << 1,
	.state_bytes = sizeof(struct cumsum_state),
	.prepare = cumsum_prepare,
	.run = cumsum_run};
