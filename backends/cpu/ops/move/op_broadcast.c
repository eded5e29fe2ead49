/* SPDX-License-Identifier: Apache-2.0 */
/* BROADCAST_TO and BROADCAST_ARGS (tflite reference/broadcast_to.h, broadcast_args.h) */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/tiles.h"
#include "kernels/move/strided_copy.h"

static void broadcast_to_init(struct op_setup *setup)
{
	struct broadcast *state = setup->state;
	broadcast_plan(setup, 1, state);
}

static void copy_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct broadcast *s = state;
	if (step[0]) {
		memcpy(dst, src[0], n * s->dst_bytes);
	} else {
		ek_strided_copy_fill(dst, src[0], s->dst_bytes, n);
	}
}

static int broadcast_to_run(const struct op_call *call, struct error *err)
{
	return broadcast_run(call->state, call, copy_row, call->state, err);
}

static int64_t read_number(const struct value *v, unsigned int type, uint64_t i)
{
	return type == DTYPE_INT64 ? ((const int64_t *)v->data)[i] : ((const int32_t *)v->data)[i];
}

/* Dimension @i from the end; there are as many ones in front as are asked for. */
static int64_t dim_from_end(const struct op_call *call, uint32_t operand, uint64_t i)
{
	const struct value *v = op_in(call, operand);
	uint64_t rank = op_elements(&v->shape);
	unsigned int type = call->subgraph->tensors[call->node->inputs[operand]].type;
	return i < rank ? read_number(v, type, rank - 1 - i) : 1;
}

static void write_number(const struct op_call *call, uint64_t i, int64_t x)
{
	const struct value *v = op_out(call, 0);
	if (call->subgraph->tensors[call->node->outputs[0]].type == DTYPE_INT64) {
		((int64_t *)v->data)[i] = x;
	} else {
		((int32_t *)v->data)[i] = (int32_t)x;
	}
}

static int broadcast_args_run(const struct op_call *call, struct error *err)
{
	uint64_t rank = op_elements(&op_out(call, 0)->shape);
	for (uint64_t i = 0; i < rank; i++) {
		int r = i % TILE_ELEMENTS ? 0 : run_control_check(call->control);
		if (r < 0) {
			return error_set(err, r, "given up in the middle of the operator");
		}
		int64_t a = dim_from_end(call, 0, i), b = dim_from_end(call, 1, i);
		if (a != b && a != 1 && b != 1) {
			return error_set(err, -EINVAL,
				"dimensions %lld and %lld, %llu from the end, do not broadcast",
				(long long)a, (long long)b, (unsigned long long)i);
		}
		write_number(call, rank - 1 - i, a == 1 ? b : a);
	}
	return 0;
}

const struct cpu_op op_broadcast_args = {
	.op = OP_BROADCAST_ARGS, .types = ACCEPT(INT32) | ACCEPT(INT64), .run = broadcast_args_run};
const struct cpu_op op_broadcast_to = {.op = OP_BROADCAST_TO,
	.params = 1 << 1,
	.types = ACCEPT_FIXED,
	.state_bytes = sizeof(struct broadcast),
	.init = broadcast_to_init,
	.run = broadcast_to_run};
