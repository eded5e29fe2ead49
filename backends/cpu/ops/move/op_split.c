/* SPDX-License-Identifier: Apache-2.0 */
/* SPLIT, SPLIT_V and UNPACK of every fixed-width type. Source: tflite kernels/split.cc, split_v.cc,
 * unpack.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"

struct split_state {
	uint32_t value; /* which operand is split */
	uint64_t rows, row_bytes; /* of the operand, up to the axis and from it on */
	uint64_t part_bytes[]; /* of each result, from the axis on */
};

static uint32_t value_of(const struct node *node)
{
	return node->op == OP_SPLIT ? 1 : 0;
}

static int split_accept(const struct op_setup *setup, struct error *err)
{
	return op_accept_type(op_tensor_in(setup, value_of(setup->node)), ACCEPT_FIXED, err);
}

static int axis_of(
	const struct op_setup *setup, uint32_t rank, uint32_t *ret_axis, struct error *err)
{
	if (setup->node->op == OP_UNPACK) {
		return params_axis(setup->node->options.axis.axis, rank, ret_axis, err);
	}
	return params_read_axis(setup, setup->node->op == OP_SPLIT ? 0 : 2, rank, ret_axis, err);
}

static int split_prepare(struct op_setup *setup, struct error *err)
{
	uint32_t n = setup->node->n_outputs, value = value_of(setup->node), axis = 0;
	struct split_state *state =
		op_alloc(setup, sizeof(*state) + n * sizeof(state->part_bytes[0]));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	const struct shape *shape = op_shape_in(setup, value);
	size_t element = op_accept_element_bytes(op_tensor_in(setup, value));
	int r = axis_of(setup, shape->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	state->value = value;
	state->rows = op_gemm(shape, 0, axis);
	state->row_bytes = op_gemm(shape, axis, shape->rank) * element;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct shape *part = op_shape_out(setup, i);
		state->part_bytes[i] = op_gemm(part, axis, part->rank) * element;
		sum += state->part_bytes[i];
	}
	return sum == state->row_bytes
		? 0
		: error_set(err, -EINVAL, "the parts do not add up to dimension %u", axis);
}

static int split_run(const struct op_call *call, struct error *err)
{
	const struct split_state *s = call->state;
	const char *src = op_in(call, s->value)->data;
	/* Every result is visited in every row, be its part ever so small. */
	uint64_t n = call->node->n_outputs, work = s->row_bytes > n ? s->row_bytes : n;
	struct tiles t = {.total = s->row_bytes ? s->rows : 0,
		.control = call->control,
		.each = tiles_rows(work)};
	while (tiles_next(&t)) {
		const char *from = src + t.at * s->row_bytes;
		for (uint64_t row = t.at; t.result == 0 && row < t.at + t.count; row++) {
			for (uint32_t i = 0; t.result == 0 && i < call->node->n_outputs; i++) {
				uint64_t bytes = s->part_bytes[i];
				char *to = (char *)op_out(call, i)->data + row * bytes;
				if (to != from) { /* they may lie there */
					t.result = tiles_copy(to, from, bytes, call->control);
				}
				from += bytes;
			}
		}
		if (t.result < 0) {
			break;
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_split = {.op = OP_SPLIT,
	.params = 1u << 0,
	.accept = split_accept,
	.prepare = split_prepare,
	.run = split_run};
const struct cpu_op op_split_v = {.op = OP_SPLIT_V,
	.params = 1u << 2,
	.accept = split_accept,
	.prepare = split_prepare,
	.run = split_run};
/* Parts of one index along the axis, which their shapes do without. */
const struct cpu_op op_unpack = {
	.op = OP_UNPACK, .accept = split_accept, .prepare = split_prepare, .run = split_run};
