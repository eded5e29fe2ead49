/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STABLEHLO_SCATTER: updates go into a copy of the operand, element by element in their own order;
 * one that falls outside is dropped. Source: the StableHLO specification, scatter; tflite
 * kernels/stablehlo_scatter.cc.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/hlo_index.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/ops/reduce/reduce_kernel.h"
#include "backends/cpu/tiles.h"

struct hlo_scatter_state {
	struct hlo_index index;
	ek_sum_fn *combine; /* NULL: the update takes the place */
	uint64_t elements; /* of the operand */
	uint32_t element_bytes;
	uint32_t in_window; /* bit d: dimension d of the updates is one of the window */
	struct shape operand, updates;
	uint8_t window_of[SHAPE_MAX_RANK]; /* dimension of the operand that one of the window is */
};

static ek_sum_fn *pick(const struct op_setup *setup)
{
	const struct subgraph *body =
		&setup->graph->subgraphs[setup->node->options.hlo_scatter.body];
	unsigned int type = op_tensor_out(setup, 0)->type;
	switch (body->n_nodes ? body->nodes[0].op : OP_CUSTOM) {
	case OP_STABLEHLO_ADD:
		return reduce_kernel_find(type, EK_REDUCE_ADD);
	case OP_STABLEHLO_MULTIPLY:
		return reduce_kernel_find(type, EK_REDUCE_MULTIPLY);
	case OP_STABLEHLO_MAXIMUM:
		return reduce_kernel_find(type, EK_REDUCE_GREATEST);
	case OP_STABLEHLO_MINIMUM:
		return reduce_kernel_find(type, EK_REDUCE_LEAST);
	default:
		return NULL;
	}
}

static void hlo_scatter_init(struct op_setup *setup)
{
	struct hlo_scatter_state *s = setup->state;
	const struct options_hlo_scatter *o = &setup->node->options.hlo_scatter;
	uint32_t inserted = hlo_index_mask(&o->inserted_window_dims), n = 0;
	s->combine = pick(setup);
	s->operand = *op_shape_in(setup, 0);
	s->updates = *op_shape_in(setup, 2);
	s->elements = op_elements(&s->operand);
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_out(setup, 0));
	s->in_window = hlo_index_mask(&o->update_window_dims);
	hlo_index_init(&s->index, op_shape_in(setup, 1), o->index_vector_dim, &o->scatter_dims);
	for (uint32_t d = 0; d < s->operand.rank; d++) {
		if (!(inserted >> d & 1)) {
			s->window_of[n++] = (uint8_t)d;
		}
	}
}

/* Where element @i of the updates goes: its place in the window, of each of the operand's
 * dimensions, and the batch that it is of. */
static uint64_t split_place(const struct hlo_scatter_state *s, uint64_t i, int64_t *ret_window)
{
	uint32_t window = 0, batch = 0;
	uint64_t coordinates[SHAPE_MAX_RANK], first = 0;
	for (uint32_t d = s->updates.rank; d-- > 0;) {
		coordinates[d] = i % (uint64_t)s->updates.dim[d];
		i /= (uint64_t)s->updates.dim[d];
	}
	memset(ret_window, 0, SHAPE_MAX_RANK * sizeof(*ret_window));
	for (uint32_t d = 0; d < s->updates.rank; d++) {
		if (s->in_window >> d & 1) {
			ret_window[s->window_of[window++]] = (int64_t)coordinates[d];
		} else {
			first += coordinates[d] * s->index.step[batch++];
		}
	}
	return first;
}

/* False when element @i of the updates falls outside of the operand. */
static bool find_place(
	const struct hlo_scatter_state *s, const struct indices *starts, uint64_t i, uint64_t *ret)
{
	int64_t place[SHAPE_MAX_RANK];
	uint64_t first = split_place(s, i, place), at = 0;
	for (uint32_t k = 0; k < s->index.map_count; k++) {
		int64_t start = indices_get(starts, first + k * s->index.vector_step);
		if (__builtin_add_overflow(
			    place[s->index.map[k]], start, &place[s->index.map[k]])) {
			return false;
		}
	}
	for (uint32_t d = 0; d < s->operand.rank; d++) {
		if (place[d] < 0 || place[d] >= s->operand.dim[d]) {
			return false;
		}
		at = at * (uint64_t)s->operand.dim[d] + (uint64_t)place[d];
	}
	*ret = at;
	return true;
}

static int hlo_scatter_run(const struct op_call *call, struct error *err)
{
	const struct hlo_scatter_state *s = call->state;
	const struct indices starts = indices_of(call, 1, "scatter_indices");
	char *out = op_out(call, 0)->data;
	const char *updates = op_in(call, 2)->data;
	struct tiles t = {.total = op_elements(&s->updates), .control = call->control};
	int r = tiles_result(tiles_copy(out, op_in(call, 0)->data, s->elements * s->element_bytes,
				     call->control),
		err);
	if (r < 0) {
		return r;
	}
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			uint64_t at = 0;
			if (!find_place(s, &starts, i, &at)) {
				continue;
			}
			char *dst = out + at * s->element_bytes;
			const char *src = updates + i * s->element_bytes;
			if (s->combine) {
				s->combine(dst, src, 1, 1);
			} else {
				memcpy(dst, src, s->element_bytes);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_stablehlo_scatter = {.op = OP_STABLEHLO_SCATTER,
	.state_bytes = sizeof(struct hlo_scatter_state),
	.init = hlo_scatter_init,
	.run = hlo_scatter_run};
