/* SPDX-License-Identifier: Apache-2.0 */
/* RANGE: the rule has counted its elements. Source: tflite kernels/range.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/cumsum.h"

static ek_range_fn *pick(unsigned int type)
{
	return type == DTYPE_FLOAT32  ? ek_range_f32
		: type == DTYPE_INT32 ? ek_range_s32
				      : ek_range_s64;
}

static int range_run(const struct op_call *call, struct error *err)
{
	const struct tensor *t = &call->subgraph->tensors[call->node->outputs[0]];
	const struct value *out = op_out(call, 0);
	size_t bytes = op_accept_element_bytes(t);
	ek_range_fn *run = pick(t->type);
	int64_t next = 0; /* of any of the types */
	memcpy(&next, op_in(call, 0)->data, bytes);
	struct tiles tiles = {.total = op_elements(&out->shape), .control = call->control};
	while (tiles_next(&tiles)) {
		run((char *)out->data + tiles.at * bytes, (size_t)tiles.count, &next,
			op_in(call, 2)->data);
	}
	return tiles_end(&tiles, err);
}

const struct cpu_op op_range = {.op = OP_RANGE, .run = range_run};
