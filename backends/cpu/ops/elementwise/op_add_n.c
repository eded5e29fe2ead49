/* SPDX-License-Identifier: Apache-2.0 */
/* ADD_N (tflite kernels/add_n.cc): the sum of all operands, from the first to the last. */
#include <float.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/elementwise/arith.h"

/* Each float sum on the way is clamped to the finite numbers. */
union limits {
	float f32[2];
	int32_t s32[2];
};

static int add_n_run(const struct op_call *call, struct error *err)
{
	bool is_float = call->subgraph->tensors[call->node->inputs[0]].type == DTYPE_FLOAT32;
	const union limits f32 = {.f32 = {-FLT_MAX, FLT_MAX}},
			   s32 = {.s32 = {INT32_MIN, INT32_MAX}};
	ek_arith_fn *add = is_float ? ek_add_f32 : ek_add_s32;
	const void *limits = is_float ? &f32 : &s32;
	int32_t *dst = op_out(call, 0)->data; /* elements of either type have four bytes */
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		const int32_t *sum = op_in(call, 0)->data;
		sum += t.at;
		for (uint32_t i = 1; i < call->node->n_inputs; i++) {
			const int32_t *x = op_in(call, i)->data;
			add(dst + t.at, sum, x + t.at, (size_t)t.count, 1, 1, limits);
			sum = dst + t.at;
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_add_n = {
	.op = OP_ADD_N, .types = ACCEPT(FLOAT32) | ACCEPT(INT32), .run = add_n_run};
