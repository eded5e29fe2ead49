/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEGMENT_SUM, UNSORTED_SEGMENT_SUM, _PROD, _MAX, _MIN: rows of the data, combined by segment.
 * Source: tflite kernels/segment_sum.cc, unsorted_segment.cc.
 */
#include <float.h>
#include <string.h>

#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/ops/reduce/reduce_kernel.h"
#include "backends/cpu/tiles.h"

#define ELEMENT_BYTES 4 /* float32 and int32 */

struct segment_state {
	uint64_t count, row; /* rows of the data; elements of one */
	ek_sum_fn *combine;
	uint8_t empty[ELEMENT_BYTES]; /* what an element of an empty segment is */
};

/* What changes nothing when it is combined: 0, 1, the lowest and the highest number. */
static void set_empty(struct segment_state *s, unsigned int op, unsigned int type)
{
	enum ek_reduce fold = EK_REDUCE_ADD;
	float f = 0;
	int32_t i = 0;
	if (op == OP_UNSORTED_SEGMENT_PROD) {
		fold = EK_REDUCE_MULTIPLY;
		f = 1;
		i = 1;
	} else if (op == OP_UNSORTED_SEGMENT_MAX) {
		fold = EK_REDUCE_GREATEST;
		f = -FLT_MAX;
		i = INT32_MIN;
	} else if (op == OP_UNSORTED_SEGMENT_MIN) {
		fold = EK_REDUCE_LEAST;
		f = FLT_MAX;
		i = INT32_MAX;
	}
	s->combine = reduce_kernel_find(type, fold);
	memcpy(s->empty, type == DTYPE_FLOAT32 ? (void *)&f : (void *)&i, ELEMENT_BYTES);
}

static void segment_init(struct op_setup *setup)
{
	struct segment_state *s = setup->state;
	const struct shape *data = op_shape_in(setup, 0), *ids = op_shape_in(setup, 1);
	s->count = op_elements(ids);
	s->row = op_gemm(data, ids->rank, data->rank);
	set_empty(s, setup->node->op, op_tensor_in(setup, 0)->type);
}

/* Rows of segments below 0 are dropped; others are below @segments. */
static int combine_rows(const struct op_call *call, int64_t segments, struct error *err)
{
	const struct segment_state *s = call->state;
	const struct indices ids = indices_of(call, 1, "segment_ids");
	const struct value *out = op_out(call, 0);
	const char *data = op_in(call, 0)->data;
	size_t bytes = (size_t)s->row * ELEMENT_BYTES;
	struct tiles t = {.total = s->count, .control = call->control, .each = tiles_rows(s->row)};
	int r = strided_fill(
		out->data, s->empty, ELEMENT_BYTES, op_elements(&out->shape), call->control, err);
	while (r == 0 && tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int64_t segment = indices_get(&ids, i);
			if (segment >= segments) {
				return indices_refuse(&ids, i, segment, segments, err);
			}
			if (segment >= 0) {
				s->combine((char *)out->data + (size_t)segment * bytes,
					data + i * bytes, (size_t)s->row, 1);
			}
		}
	}
	return r < 0 ? r : tiles_end(&t, err);
}

static int unsorted_run(const struct op_call *call, struct error *err)
{
	return combine_rows(call, op_out(call, 0)->shape.dim[0], err);
}

/* Ids begin at 0 and go up by 0 or 1. */
static int count_segments(const struct op_call *call, int64_t *ret, struct error *err)
{
	const struct segment_state *s = call->state;
	const struct indices ids = indices_of(call, 1, "segment_ids");
	struct tiles t = {.total = s->count, .control = call->control};
	int64_t last = -1;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int64_t id = indices_get(&ids, i);
			if (id != last + 1 && (id != last || i == 0)) {
				return error_set(err, -EINVAL,
					"segment_ids[%llu] is %lld after %lld",
					(unsigned long long)i, (long long)id, (long long)last);
			}
			last = id;
		}
	}
	*ret = last + 1;
	return tiles_end(&t, err);
}

static int sorted_run(const struct op_call *call, struct error *err)
{
	int64_t segments = 0;
	struct shape shape = op_in(call, 0)->shape;
	int r = count_segments(call, &segments, err);
	if (r < 0) {
		return r;
	}
	shape.dim[0] = (int32_t)segments;
	r = op_give_output(call, 0, &shape, op_elements(&shape) * ELEMENT_BYTES, err);
	return r < 0 ? r : combine_rows(call, segments, err);
}

const struct cpu_op op_unsorted_segment = {.op = OP_UNSORTED_SEGMENT_SUM,
	.also = OP_ALSO(OP_UNSORTED_SEGMENT_PROD, OP_UNSORTED_SEGMENT_MAX, OP_UNSORTED_SEGMENT_MIN),
	.state_bytes = sizeof(struct segment_state),
	.init = segment_init,
	.run = unsorted_run};
const struct cpu_op op_segment_sum = {.op = OP_SEGMENT_SUM,
	.state_bytes = sizeof(struct segment_state),
	.init = segment_init,
	.run = sorted_run};
