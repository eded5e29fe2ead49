/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/steps.h"

#include "base/array.h"
#include "engine/plan/cost.h"

/* The position of @node among the @n ascending ones, or @n. */
static uint32_t find_node(const uint32_t *nodes, uint32_t n, uint32_t node)
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (nodes[middle] < node) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < n && nodes[low] == node ? low : n;
}

static const char *detail_in_step(const struct plan_step *step, uint32_t index)
{
	if (step->kind == STEP_SESSION) {
		return "session";
	}
	const char *detail = step->backend->node_detail(step->program, index);
	return detail ? detail : step->backend->name;
}

const char *steps_detail(const struct subgraph_plan *part, uint32_t node)
{
	uint32_t at = find_node(part->order, part->n_order, node);
	for (uint32_t i = 0; i < part->n_steps; i++) {
		const struct plan_step *step = &part->steps[i];
		if (at >= step->first_node && at - step->first_node < step->n_nodes) {
			return detail_in_step(step, at - step->first_node);
		}
	}
	return "folded";
}

static enum edge_place place_of(const struct subgraph_plan *part, uint32_t t)
{
	static const uint8_t places[] = {
		[PLACE_NONE] = EDGE_PLACE_NONE,
		[PLACE_CONSTANT] = EDGE_PLACE_CONSTANT,
		[PLACE_FOLDED] = EDGE_PLACE_CONSTANT,
		[PLACE_INPUT] = EDGE_PLACE_INPUT,
		[PLACE_ARENA] = EDGE_PLACE_ARENA,
		[PLACE_VARIABLE] = EDGE_PLACE_VARIABLE,
		[PLACE_INNER] = EDGE_PLACE_INNER,
		[PLACE_RUN_TIME] = EDGE_PLACE_RUN_TIME,
	};
	return places[part->tensors[t].place];
}

static struct edge_step describe(const struct subgraph_plan *part, uint32_t node)
{
	const struct node *n = &part->subgraph->nodes[node];
	struct cost cost = cost_of_node(part, node, steps_detail(part, node));
	struct edge_step step = {
		.subgraph = part->index,
		.node = node,
		.op = operators_name(n->op),
		.detail = steps_detail(part, node),
		.macs = cost.macs,
		.moved_bytes = cost.bytes,
		.microseconds = cost.microseconds,
	};
	if (n->op == OP_CUSTOM) {
		step.op = "CUSTOM";
	}
	if (n->n_outputs > 0) {
		uint32_t t = (uint32_t)n->outputs[0];
		step.output = part->shapes[t];
		step.type = part->subgraph->tensors[t].type;
		step.place = place_of(part, t);
		step.offset = step.place == EDGE_PLACE_ARENA ? part->tensors[t].offset : 0;
		step.bytes = part->tensors[t].bytes;
	}
	return step;
}

struct walk {
	edge_step_function *each;
	void *context;
	const struct plan **told; /* each plan is told once, however often it is called */
	uint32_t n_told;
};

/* 1 when @plan has been told before, 0 when it is new, -ENOMEM. */
static int tell_once(struct walk *walk, const struct plan *plan)
{
	for (uint32_t i = 0; i < walk->n_told; i++) {
		if (walk->told[i] == plan) {
			return 1;
		}
	}
	if (!array_room(&walk->told, walk->n_told, sizeof(*walk->told))) {
		return -ENOMEM;
	}
	walk->told[walk->n_told++] = plan;
	return 0;
}

static int tell(struct walk *walk, const struct plan *plan, uint32_t depth);

static int tell_calls(
	struct walk *walk, const struct subgraph_plan *part, uint32_t at, uint32_t depth)
{
	int r = 0;
	for (uint32_t k = 0; r == 0 && k < PLAN_CALLS; k++) {
		const struct plan *called = part->calls[PLAN_CALLS * at + k];
		r = called ? tell(walk, called, depth + 1) : 0;
	}
	return r;
}

/* Calls do not recurse, and their depth is bounded (engine/model/verify_calls.c). */
static int tell(struct walk *walk, const struct plan *plan, uint32_t depth)
{
	const struct subgraph_plan *part = plan_entered(plan);
	int r = tell_once(walk, plan);
	if (r != 0) {
		return r == 1 ? 0 : r;
	}
	for (uint32_t i = 0; r == 0 && i < part->subgraph->n_nodes; i++) {
		struct edge_step step = describe(part, i);
		uint32_t at = find_node(part->order, part->n_order, i);
		step.depth = depth;
		r = walk->each(walk->context, &step);
		if (r == 0 && at < part->n_order) {
			r = tell_calls(walk, part, at, depth);
		}
	}
	return r;
}

int steps_walk(const struct plan *plan, edge_step_function *each, void *context)
{
	struct walk walk = {.each = each, .context = context};
	int r = tell(&walk, plan, 0);
	free(walk.told);
	return r;
}
