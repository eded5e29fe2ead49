/* SPDX-License-Identifier: Apache-2.0 */
/* BUCKETIZE. Source: tflite kernels/bucketize.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/search/bucketize.h"

struct bucketize_state {
	ek_bucketize_fn *run;
	uint32_t element_bytes, count;
	float boundaries[];
};

static ek_bucketize_fn *pick(unsigned int type)
{
	return type == DTYPE_FLOAT32    ? ek_bucketize_f32
		: type == DTYPE_FLOAT64 ? ek_bucketize_f64
		: type == DTYPE_INT32   ? ek_bucketize_s32
					: ek_bucketize_s64;
}

/* The file's floats stand at any alignment: a copy does not. */
static int bucketize_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_list *list = &setup->node->options.bucketize.boundaries;
	struct bucketize_state *s = setup->state =
		op_alloc(setup, sizeof(*s) + list->count * UINT64_C(4));
	if (!s) {
		return op_alloc_failed(setup, err);
	}
	const struct tensor *in = op_tensor_in(setup, 0);
	s->run = pick(in->type);
	s->element_bytes = (uint32_t)op_accept_element_bytes(in);
	s->count = list->count;
	for (uint32_t i = 0; i < list->count; i++) {
		s->boundaries[i] = options_list_get_f32(list, i);
	}
	return 0;
}

static int bucketize_run(const struct op_call *call, struct error *err)
{
	const struct bucketize_state *s = call->state;
	const struct value *in = op_in(call, 0);
	struct tiles t = {.total = op_elements(&in->shape), .control = call->control};
	while (tiles_next(&t)) {
		s->run((int32_t *)op_out(call, 0)->data + t.at,
			(const char *)in->data + t.at * s->element_bytes, (size_t)t.count,
			s->boundaries, s->count);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_bucketize = {
	.op = OP_BUCKETIZE, .prepare = bucketize_prepare, .run = bucketize_run};
