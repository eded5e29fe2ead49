/* SPDX-License-Identifier: Apache-2.0 */
/* TILE and FILL. Source: tflite kernels/tile.cc, fill.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/copies.h"
#include "backends/cpu/params.h"

/* Each dimension becomes two: how often, and the dimension itself. */
static int tile_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	struct params times;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &times, err);
	if (r < 0) {
		return r;
	}
	const struct copy once = copies_one(p, in, in, op_shape_out(setup, 0));
	struct copy copy = {.from = 0, .walk = {.rank = 2u * in->rank}};
	for (uint32_t i = 0; i < in->rank; i++) {
		uint32_t k = 2 * i;
		copy.walk.size[k] = (size_t)times.value[i];
		copy.walk.dst_step[k] = in->dim[i] * once.walk.dst_step[i];
		copy.walk.size[k + 1] = once.walk.size[i];
		copy.walk.src_step[k + 1] = once.walk.src_step[i];
		copy.walk.dst_step[k + 1] = once.walk.dst_step[i];
	}
	copies_add(p, copy);
	return 0;
}

static int fill_prepare(struct op_setup *setup, struct error *err)
{
	struct copies *p = copies_new(setup, 1, 0);
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	p->fill = COPIES_FILL_INPUT;
	p->fill_input = 1;
	return 0;
}

const struct cpu_op op_tile = {.op = OP_TILE,
	.params = 1u << 1,
	.types = ACCEPT_FIXED | ACCEPT(STRING),
	.prepare = tile_prepare,
	.run = copies_run};
const struct cpu_op op_fill = {.op = OP_FILL,
	.types_in[1] = ACCEPT_FIXED | ACCEPT(STRING),
	.prepare = fill_prepare,
	.run = copies_run};
