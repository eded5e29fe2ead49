/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/views.h"

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

void views_find(struct subgraph_plan *plan)
{
	for (uint32_t at = 0; at < plan->n_order; at++) {
		if (plan->kinds[at] == STEP_BACKEND) {
			look_at(plan, &plan->subgraph->nodes[plan->order[at]]);
		}
	}
	/* What is computed last holds the others, so each has a short way when its turn comes. */
	for (uint32_t at = plan->n_order; at-- > 0;) {
		const struct node *node = &plan->subgraph->nodes[plan->order[at]];
		for (uint32_t i = 0; i < node->n_outputs; i++) {
			while (shorten(plan->tensors, (uint32_t)node->outputs[i])) {}
		}
	}
}
