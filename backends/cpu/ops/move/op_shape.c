/* SPDX-License-Identifier: Apache-2.0 */
/* RANK and SHAPE: the operand's shape, never its elements. Source: tflite kernels/rank.cc, shape.cc.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"

static int rank_run(const struct op_call *call, struct error *err)
{
	int32_t rank = op_in(call, 0)->shape.rank;
	(void)err;
	memcpy(op_out(call, 0)->data, &rank, sizeof(rank));
	return 0;
}

static int shape_run(const struct op_call *call, struct error *err)
{
	const struct shape *shape = &op_in(call, 0)->shape;
	bool wide = call->subgraph->tensors[call->node->outputs[0]].type == DTYPE_INT64;
	char *out = op_out(call, 0)->data;
	(void)err;
	for (uint32_t i = 0; i < shape->rank; i++) {
		int64_t dim = shape->dim[i];
		if (wide) {
			memcpy(out + 8 * i, &dim, 8);
		} else {
			memcpy(out + 4 * i, &shape->dim[i], 4);
		}
	}
	return 0;
}

const struct cpu_op op_rank = {
	.op = OP_RANK, .types_out = ACCEPT(INT32) | ACCEPT(INT64), .run = rank_run};
const struct cpu_op op_shape = {
	.op = OP_SHAPE, .types_out = ACCEPT(INT32) | ACCEPT(INT64), .run = shape_run};
