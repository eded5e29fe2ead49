/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/call.h"

#include <string.h>

#include "base/array.h"
#include "engine/plan/arena.h"
#include "engine/plan/rules/rule.h"

/* Sets of shapes that one subgraph is planned for apart; beyond them one plan serves all shapes. */
#define MOST_SHAPES 8
/* Likewise when all callees of a root have so many tensors and nodes: a fraction of a second. */
#define MOST_ENTRIES (UINT64_C(1) << 18)

void call_deinit(struct plan_callees *callees)
{
	for (uint32_t i = 0; i < callees->n; i++) {
		plan_unref(callees->items[i].plan);
	}
	free(callees->items);
	free(callees->of);
}

/* What is known of @a is known of @b, or nothing is known of either. */
static bool same_shape(const struct shape *a, const struct shape *b)
{
	return shape_known(a) ? shape_equal(a, b) : !shape_known(b);
}

static bool is_for(const struct subgraph_plan *part, const struct shape *inputs)
{
	bool same = true;
	for (uint32_t i = 0; same && i < part->subgraph->n_inputs; i++) {
		same = same_shape(&part->shapes[part->subgraph->inputs[i]], &inputs[i]);
	}
	return same;
}

/* NULL when there is none; *ret_others: how many there are for other shapes. */
static struct plan *find(const struct plan_callees *callees, uint32_t subgraph,
	const struct shape *inputs, uint32_t *ret_others)
{
	*ret_others = 0;
	for (uint32_t i = callees->of ? callees->of[subgraph] : 0; i;
		i = callees->items[i - 1].next) {
		if (is_for(plan_entered(callees->items[i - 1].plan), inputs)) {
			return callees->items[i - 1].plan;
		}
		(*ret_others)++;
	}
	return NULL;
}

static int make_room(struct plan_callees *callees, uint32_t n_subgraphs)
{
	if (!callees->of) {
		callees->of = calloc(n_subgraphs, sizeof(*callees->of));
	}
	return callees->of && array_room(&callees->items, callees->n, sizeof(struct callee))
		? 0
		: -ENOMEM;
}

/* Takes over @plan, even on an error. */
static int keep(struct plan_callees *callees, struct plan *plan)
{
	const struct subgraph_plan *part = plan_entered(plan);
	if (make_room(callees, plan->graph->n_subgraphs) < 0) {
		plan_unref(plan);
		return -ENOMEM;
	}
	callees->items[callees->n++] = (struct callee){plan, callees->of[part->index]};
	callees->of[part->index] = callees->n;
	callees->entries += (uint64_t)part->subgraph->n_tensors + part->subgraph->n_nodes + 1;
	callees->prepared_bytes += plan->prepared_bytes;
	return 0;
}

/* The budgets of @p are those of what is made for it too. */
static void spend(struct planning *p, const struct plan *plan, uint64_t bytes)
{
	p->fold.work_left -= plan->work.fold;
	p->layout_left -= plan->work.layout;
	p->fold.bytes_left -= bytes;
	p->callees_bytes += bytes;
}

static int build_callee(struct planning *p, call_build_fn build, uint32_t subgraph,
	const struct shape *inputs, struct plan **ret_plan, struct error *err)
{
	struct plan_request request = *p->request;
	uint64_t before = p->callees->prepared_bytes;
	struct plan *plan = NULL;
	request.subgraph = subgraph;
	request.inputs = inputs;
	request.callees = p->callees;
	request.max_prepared_bytes = p->fold.bytes_left;
	request.work_done =
		(struct plan_work){FOLD_WORK - p->fold.work_left, ARENA_WORK - p->layout_left};
	int r = build(&request, &plan, err);
	if (r < 0) {
		return r;
	}
	if (keep(p->callees, plan) < 0) {
		return error_no_memory(err);
	}
	spend(p, plan, p->callees->prepared_bytes - before);
	*ret_plan = plan;
	return 0;
}

/* A reference to the plan of @subgraph for @inputs, which may become -1 here. */
static int plan_callee(struct planning *p, call_build_fn build, uint32_t subgraph,
	struct shape *inputs, struct plan **ret_plan, struct error *err)
{
	uint32_t n = p->request->graph->subgraphs[subgraph].n_inputs, others = 0;
	struct plan *plan = find(p->callees, subgraph, inputs, &others);
	if (!plan && (others >= MOST_SHAPES || p->callees->entries >= MOST_ENTRIES)) {
		for (uint32_t i = 0; i < n; i++) {
			rule_set_unknown(&inputs[i], inputs[i].rank ? inputs[i].rank : 1);
		}
		plan = find(p->callees, subgraph, inputs, &others);
	}
	int r = plan ? 0 : build_callee(p, build, subgraph, inputs, &plan, err);
	if (r == 0) {
		*ret_plan = plan_ref(plan);
	}
	return r;
}

uint64_t call_session_bytes(const struct plan_callees *callees, uint32_t n_subgraphs)
{
	uint64_t sum = 0;
	for (uint32_t s = 0; callees->of && s < n_subgraphs; s++) {
		uint64_t most = 0;
		for (uint32_t i = callees->of[s]; i; i = callees->items[i - 1].next) {
			uint64_t bytes = callees->items[i - 1].plan->session_bytes;
			most = bytes > most ? bytes : most;
		}
		sum = rule_cost_add(sum, most);
	}
	return sum;
}

static const struct shape *output_of(const struct plan *plan, uint32_t i)
{
	const struct subgraph_plan *part = plan_entered(plan);
	return &part->shapes[part->subgraph->outputs[i]];
}

/* What two branches, or two rounds of a loop, have in common. */
static void join(struct shape *shape, const struct shape *other)
{
	if (!same_shape(shape, other)) {
		unsigned int rank = shape->rank > other->rank ? shape->rank : other->rank;
		rule_set_unknown(shape, rank ? rank : 1);
	}
}

static void input_shapes(
	const struct planning *p, const int32_t *operands, uint32_t n, struct shape *ret_shapes)
{
	for (uint32_t i = 0; i < n; i++) {
		ret_shapes[i] = p->part->shapes[operands[i]];
	}
}

/* CALL, CALL_ONCE, STABLEHLO_COMPOSITE: one subgraph takes all operands. */
static int plan_one(struct planning *p, call_build_fn build, const struct node *node,
	uint32_t subgraph, struct shape *shapes, struct plan *ret_calls[PLAN_CALLS], uint64_t *macs,
	struct error *err)
{
	input_shapes(p, node->inputs, node->n_inputs, shapes);
	int r = plan_callee(p, build, subgraph, shapes, &ret_calls[0], err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		p->outputs[i] = *output_of(ret_calls[0], i);
	}
	*macs = rule_cost_add(*macs, ret_calls[0]->macs);
	return 0;
}

static int plan_if(struct planning *p, call_build_fn build, const struct node *node,
	struct shape *shapes, struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	const uint32_t branches[PLAN_CALLS] = {
		(uint32_t)node->options.call.first, (uint32_t)node->options.call.second};
	uint64_t dearer = 0;
	for (int i = 0; i < PLAN_CALLS; i++) {
		input_shapes(p, node->inputs + 1, node->n_inputs - 1, shapes);
		int r = plan_callee(p, build, branches[i], shapes, &ret_calls[i], err);
		if (r < 0) {
			return r;
		}
		dearer = ret_calls[i]->macs > dearer ? ret_calls[i]->macs : dearer;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		p->outputs[i] = *output_of(ret_calls[0], i);
		join(&p->outputs[i], output_of(ret_calls[1], i));
	}
	*macs = rule_cost_add(*macs, dearer);
	return 0;
}

/* The plan of a loop's body for shapes that it keeps: what it changes becomes -1 in @shapes. */
static int plan_body(struct planning *p, call_build_fn build, const struct node *node,
	struct shape *shapes, struct plan **ret_plan, struct error *err)
{
	for (uint32_t round = 0; round <= node->n_inputs; round++) {
		bool kept = true;
		int r = plan_callee(
			p, build, (uint32_t)node->options.call.second, shapes, ret_plan, err);
		if (r < 0) {
			return r;
		}
		for (uint32_t i = 0; i < node->n_inputs; i++) {
			struct shape before = shapes[i];
			join(&shapes[i], output_of(*ret_plan, i));
			kept = kept && same_shape(&before, &shapes[i]);
		}
		if (kept) {
			return 0;
		}
		plan_unref(*ret_plan);
		*ret_plan = NULL;
	}
	return error_set(err, -EBADMSG, "the body's shapes do not settle");
}

static int plan_while(struct planning *p, call_build_fn build, const struct node *node,
	struct shape *shapes, struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	input_shapes(p, node->inputs, node->n_inputs, shapes);
	int r = plan_body(p, build, node, shapes, &ret_calls[1], err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		p->outputs[i] = shapes[i];
	}
	r = plan_callee(p, build, (uint32_t)node->options.call.first, shapes, &ret_calls[0], err);
	if (r < 0) {
		return r;
	}
	*macs = rule_cost_add(*macs, rule_cost_add(ret_calls[0]->macs, ret_calls[1]->macs));
	return 0;
}

int call_plan(struct planning *p, uint32_t index, call_build_fn build,
	struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	const struct node *node = &p->part->subgraph->nodes[index];
	owned_mem struct shape *shapes = calloc((size_t)node->n_inputs + 1, sizeof(*shapes));
	if (!shapes) {
		return error_no_memory(err);
	}
	switch (node->op) {
	case OP_IF:
		return plan_if(p, build, node, shapes, ret_calls, macs, err);
	case OP_WHILE:
		return plan_while(p, build, node, shapes, ret_calls, macs, err);
	case OP_CALL:
	case OP_CALL_ONCE:
		return plan_one(p, build, node, (uint32_t)node->options.call.first, shapes,
			ret_calls, macs, err);
	case OP_STABLEHLO_COMPOSITE:
		return plan_one(p, build, node, (uint32_t)node->options.composite.subgraph, shapes,
			ret_calls, macs, err);
	default: /* variables and tables call nobody */
		return 0;
	}
}
