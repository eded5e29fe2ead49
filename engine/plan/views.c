/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/views.h"

#include <errno.h>

#include "base/own.h"

/* What inputs that a client binds are aligned to, which kernels read everywhere. */
#define VIEW_ALIGNMENT 16

/* Tensor @t lies a step nearer to its root, if it is not in it directly. */
static bool shorten(struct tensor_plan *tensors, uint32_t t)
{
	const struct tensor_plan *above = &tensors[tensors[t].root];
	if (above->root == tensors[t].root) {
		return false;
	}
	tensors[t].shift += above->shift;
	tensors[t].root = above->root;
	return true;
}

/* Shortens the way as it goes: a hostile file may have it long. */
static uint32_t root_of(struct tensor_plan *tensors, uint32_t t)
{
	while (tensors[t].root != t) {
		shorten(tensors, t);
		t = tensors[t].root;
	}
	return t;
}

/* Tensor @t becomes the bytes from @shift on of @of, where it can be. */
static void lie_in(struct subgraph_plan *plan, uint32_t t, uint32_t of, uint64_t shift)
{
	struct tensor_plan *tensor = &plan->tensors[t];
	if (tensor->place == PLACE_ARENA && plan->tensors[of].place == PLACE_ARENA &&
		tensor->root == t && root_of(plan->tensors, of) != t &&
		shift % VIEW_ALIGNMENT == 0 && tensor->bytes > 0 &&
		shift + tensor->bytes <= plan->tensors[of].bytes) {
		tensor->root = of;
		tensor->shift = shift;
	}
}

/* True where the dimensions of @whole in which @part may be shorter have only ones before them. */
static bool is_outer(const struct shape *whole, const struct shape *part)
{
	unsigned int i = 0;
	if (whole->rank != part->rank) {
		return false;
	}
	while (i < whole->rank && whole->dim[i] == 1 && part->dim[i] == 1) {
		i++;
	}
	for (i++; i < whole->rank; i++) {
		if (whole->dim[i] != part->dim[i]) {
			return false;
		}
	}
	return true;
}

/* The same for PACK and UNPACK, whose parts do without the axis. */
static bool is_outer_axis(const struct shape *whole, int32_t axis)
{
	axis = axis < 0 ? axis + whole->rank : axis;
	for (int32_t i = 0; i < axis; i++) {
		if (whole->dim[i] != 1) {
			return false;
		}
	}
	return axis >= 0;
}

static bool same_codes(const struct tensor *a, const struct tensor *b)
{
	const struct quant *x = &a->quant, *y = &b->quant;
	return x->n_scales == y->n_scales && x->n_scales <= 1 &&
		(x->n_scales == 0 || x->scale[0] == y->scale[0]) &&
		quant_zero(x, 0) == quant_zero(y, 0);
}

/* @parts stand one behind the other in @whole. */
static void place_parts(struct subgraph_plan *plan, const struct node *node, uint32_t whole,
	const int32_t *parts, uint32_t n)
{
	const struct tensor *tensors = plan->subgraph->tensors;
	const bool has_axis = node->op == OP_PACK || node->op == OP_UNPACK;
	uint64_t shift = 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t part = (uint32_t)parts[i];
		if (parts[i] < 0 || !shape_known(&plan->shapes[whole]) ||
			!shape_known(&plan->shapes[part]) ||
			!(has_axis ? is_outer_axis(&plan->shapes[whole], node->options.axis.axis)
				   : is_outer(&plan->shapes[whole], &plan->shapes[part]))) {
			return;
		}
		if (same_codes(&tensors[part], &tensors[whole])) {
			lie_in(plan, part, whole, shift);
		}
		shift += plan->tensors[part].bytes;
	}
}

static void look_at(struct subgraph_plan *plan, const struct node *node)
{
	switch (node->op) {
	case OP_RESHAPE:
	case OP_SQUEEZE:
	case OP_EXPAND_DIMS:
		if (plan->tensors[node->inputs[0]].bytes == plan->tensors[node->outputs[0]].bytes) {
			lie_in(plan, (uint32_t)node->outputs[0], (uint32_t)node->inputs[0], 0);
		}
		break;
	case OP_SPLIT:
		place_parts(plan, node, (uint32_t)node->inputs[1], node->outputs, node->n_outputs);
		break;
	case OP_SPLIT_V:
	case OP_UNPACK:
		place_parts(plan, node, (uint32_t)node->inputs[0], node->outputs, node->n_outputs);
		break;
	case OP_CONCATENATION:
	case OP_PACK:
		place_parts(plan, node, (uint32_t)node->outputs[0], node->inputs, node->n_inputs);
		break;
	default:
		break;
	}
}

/* What is computed last holds the others, so each has a short way when its turn comes. */
static void shorten_all(struct subgraph_plan *plan)
{
	for (uint32_t at = plan->n_order; at-- > 0;) {
		const struct node *node = &plan->subgraph->nodes[plan->order[at]];
		for (uint32_t i = 0; i < node->n_outputs; i++) {
			while (shorten(plan->tensors, (uint32_t)node->outputs[i])) {}
		}
	}
}

void views_find(struct subgraph_plan *plan)
{
	for (uint32_t at = 0; at < plan->n_order; at++) {
		if (plan->kinds[at] == STEP_BACKEND) {
			look_at(plan, &plan->subgraph->nodes[plan->order[at]]);
		}
	}
	shorten_all(plan);
}

/* For each root the last position at which a tensor in it is read or written. */
static void find_last_uses(
	struct subgraph_plan *plan, const struct node_memory *memory, uint32_t *last)
{
	const struct subgraph *subgraph = plan->subgraph;
	for (uint32_t at = 0; at < plan->n_order; at++) {
		const struct node *node = &subgraph->nodes[plan->order[at]];
		const uint32_t until = at + memory[at].later;
		for (uint32_t i = 0; i < node->n_inputs; i++) {
			uint32_t *of = node->inputs[i] < 0
				? NULL
				: &last[root_of(plan->tensors, (uint32_t)node->inputs[i])];
			if (of && *of < until) {
				*of = until;
			}
		}
		for (uint32_t i = 0; i < node->n_outputs; i++) {
			uint32_t *of = &last[root_of(plan->tensors, (uint32_t)node->outputs[i])];
			*of = *of < until ? until : *of;
		}
	}
	for (uint32_t i = 0; i < subgraph->n_outputs; i++) {
		last[root_of(plan->tensors, (uint32_t)subgraph->outputs[i])] = plan->n_order;
	}
}

/* True where @node sees the memory of operand @i by no other operand, but for the very same tensor. */
static bool is_seen_once(struct subgraph_plan *plan, const struct node *node, uint32_t i)
{
	const uint32_t root = root_of(plan->tensors, (uint32_t)node->inputs[i]);
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (node->inputs[k] >= 0 && node->inputs[k] != node->inputs[i] &&
			root_of(plan->tensors, (uint32_t)node->inputs[k]) == root) {
			return false;
		}
	}
	return true;
}

/* The result of the node at @at is computed in operand @i's memory, where nobody wants that any more. */
static void compute_in(struct subgraph_plan *plan, uint32_t at, uint32_t i, uint32_t *last)
{
	const struct node *node = &plan->subgraph->nodes[plan->order[at]];
	const uint32_t out = (uint32_t)node->outputs[0];
	if (node->inputs[i] < 0) {
		return;
	}
	const uint32_t in = (uint32_t)node->inputs[i], root = root_of(plan->tensors, in);
	if (last[root] != at || plan->tensors[in].bytes != plan->tensors[out].bytes ||
		!shape_equal(&plan->shapes[in], &plan->shapes[out]) ||
		!is_seen_once(plan, node, i)) {
		return;
	}
	lie_in(plan, out, in, 0);
	if (plan->tensors[out].root != out) {
		last[root] = last[out];
	}
}

int views_find_in_place(struct subgraph_plan *plan, const struct node_memory *memory)
{
	owned_mem uint32_t *last = calloc((size_t)plan->subgraph->n_tensors + 1, sizeof(*last));
	if (!last) {
		return -ENOMEM;
	}
	find_last_uses(plan, memory, last);
	for (uint32_t at = 0; at < plan->n_order; at++) {
		const struct node *node = &plan->subgraph->nodes[plan->order[at]];
		const bool may = plan->kinds[at] == STEP_BACKEND && node->n_outputs == 1;
		for (uint32_t i = 0; may && i < node->n_inputs && i < 32; i++) {
			if (memory[at].in_place >> i & 1 &&
				plan->tensors[node->outputs[0]].root ==
					(uint32_t)node->outputs[0]) {
				compute_in(plan, at, i, last);
			}
		}
	}
	shorten_all(plan);
	return 0;
}
