/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/call.h"

#include <string.h>

#include "engine/plan/rule.h"

#define PLANS_OF_EACH 4 /* for other shapes, were all subgraphs called with as many */
#define PLANS_AT_LEAST 16
#define SIZE_AT_LEAST 16384

uint64_t call_budget(const struct graph *graph)
{
	uint64_t size = 0;
	for (uint32_t i = 0; i < graph->n_subgraphs; i++) {
		size += (uint64_t)graph->subgraphs[i].n_nodes + graph->subgraphs[i].n_tensors;
	}
	return SIZE_AT_LEAST + PLANS_OF_EACH * size;
}

void call_deinit(struct plan_callees *callees)
{
	for (uint32_t i = 0; i < callees->n; i++) {
		plan_unref(callees->plans[i]);
	}
	free(callees->plans);
}

/* @inputs: NULL for a plan that leaves all of them open. */
static struct plan *find(
	const struct plan_callees *callees, uint32_t subgraph, const struct shape *inputs)
{
	for (uint32_t i = 0; i < callees->n; i++) {
		const struct subgraph_plan *part = plan_entered(callees->plans[i]);
		bool same = part->index == subgraph;
		for (uint32_t k = 0; same && k < part->subgraph->n_inputs; k++) {
			const struct shape *planned = &part->shapes[part->subgraph->inputs[k]];
			same = inputs ? shape_equal(planned, &inputs[k]) : !shape_known(planned);
		}
		if (same) {
			return callees->plans[i];
		}
	}
	return NULL;
}

static int keep(struct plan_callees *callees, struct plan *plan)
{
	if (callees->n == callees->room) {
		uint32_t room = callees->room ? 2 * callees->room : 8;
		void *plans = realloc(callees->plans, room * sizeof(struct plan *));
		if (!plans) {
			return -ENOMEM;
		}
		callees->plans = plans;
		callees->room = room;
	}
	const struct subgraph *planned = plan_entered(plan)->subgraph;
	uint64_t size = (uint64_t)planned->n_nodes + planned->n_tensors;
	callees->size_left -= size < callees->size_left ? size : callees->size_left;
	callees->plans[callees->n++] = plan;
	callees->prepared_bytes += plan->prepared_bytes;
	callees->work.fold += plan->work.fold;
	callees->work.layout += plan->work.layout;
	return 0;
}

static int build(struct planning *p, uint32_t subgraph, const struct shape *inputs,
	struct plan **ret_plan, struct error *err)
{
	uint64_t taken = p->callees->prepared_bytes + p->plan->prepared_bytes;
	struct plan_request request = *p->request;
	struct plan *plan = NULL;
	if (taken > request.max_prepared_bytes) {
		return error_set(err, -EFBIG, "prepared subgraphs pass the limit");
	}
	request.subgraph = subgraph;
	request.inputs = inputs;
	request.callees = p->callees;
	request.max_prepared_bytes -= taken;
	int r = plan_build(&request, &plan, err);
	if (r < 0) {
		return r;
	}
	if (keep(p->callees, plan) < 0) {
		plan_unref(plan);
		return error_no_memory(err);
	}
	*ret_plan = plan;
	return 0;
}

/* Sets of shapes that callees are planned for apart; beyond them one plan serves all shapes. */
static bool is_crowded(const struct planning *p)
{
	uint64_t n = PLANS_AT_LEAST + PLANS_OF_EACH * (uint64_t)p->request->graph->n_subgraphs;
	return p->callees->n >= n || p->callees->size_left == 0;
}

/* A reference to the plan of @subgraph for @inputs, which may become -1 here. */
static int plan_callee(struct planning *p, uint32_t subgraph, struct shape *inputs,
	struct plan **ret_plan, struct error *err)
{
	uint32_t n = p->request->graph->subgraphs[subgraph].n_inputs;
	struct plan *plan = find(p->callees, subgraph, inputs);
	if (!plan && is_crowded(p)) {
		for (uint32_t i = 0; i < n; i++) {
			rule_set_unknown(&inputs[i], inputs[i].rank ? inputs[i].rank : 1);
		}
		plan = find(p->callees, subgraph, NULL);
	}
	int r = plan ? 0 : build(p, subgraph, inputs, &plan, err);
	if (r == 0) {
		*ret_plan = plan_ref(plan);
	}
	return r;
}

/* Operands that a callee takes as parameters are the caller's parameters too. */
static void mark_params(struct planning *p, const struct plan *callee, const int32_t *operands)
{
	const struct subgraph_plan *part = plan_entered(callee);
	for (uint32_t i = 0; i < part->subgraph->n_inputs; i++) {
		if (part->tensors[part->subgraph->inputs[i]].is_param) {
			p->part->tensors[operands[i]].is_param = true;
		}
	}
}

static const struct shape *output_of(const struct plan *plan, uint32_t i)
{
	const struct subgraph_plan *part = plan_entered(plan);
	return &part->shapes[part->subgraph->outputs[i]];
}

/* What two branches, or two rounds of a loop, have in common. */
static void join(struct shape *shape, const struct shape *other)
{
	if (!shape_equal(shape, other)) {
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
static int plan_one(struct planning *p, const struct node *node, uint32_t subgraph,
	struct shape *shapes, struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	input_shapes(p, node->inputs, node->n_inputs, shapes);
	int r = plan_callee(p, subgraph, shapes, &ret_calls[0], err);
	if (r < 0) {
		return r;
	}
	mark_params(p, ret_calls[0], node->inputs);
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		p->outputs[i] = *output_of(ret_calls[0], i);
	}
	*macs = rule_cost_add(*macs, ret_calls[0]->macs);
	return 0;
}

static int plan_if(struct planning *p, const struct node *node, struct shape *shapes,
	struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	const uint32_t branches[PLAN_CALLS] = {
		(uint32_t)node->options.call.first, (uint32_t)node->options.call.second};
	uint64_t dearer = 0;
	for (int i = 0; i < PLAN_CALLS; i++) {
		input_shapes(p, node->inputs + 1, node->n_inputs - 1, shapes);
		int r = plan_callee(p, branches[i], shapes, &ret_calls[i], err);
		if (r < 0) {
			return r;
		}
		mark_params(p, ret_calls[i], node->inputs + 1);
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
static int plan_body(struct planning *p, const struct node *node, struct shape *shapes,
	struct plan **ret_plan, struct error *err)
{
	for (uint32_t round = 0; round <= node->n_inputs; round++) {
		bool kept = true;
		int r = plan_callee(p, (uint32_t)node->options.call.second, shapes, ret_plan, err);
		if (r < 0) {
			return r;
		}
		for (uint32_t i = 0; i < node->n_inputs; i++) {
			struct shape before = shapes[i];
			join(&shapes[i], output_of(*ret_plan, i));
			kept = kept && shape_equal(&before, &shapes[i]);
		}
		if (kept) {
			return 0;
		}
		plan_unref(*ret_plan);
		*ret_plan = NULL;
	}
	return error_set(err, -EBADMSG, "the body's shapes do not settle");
}

static int plan_while(struct planning *p, const struct node *node, struct shape *shapes,
	struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err)
{
	input_shapes(p, node->inputs, node->n_inputs, shapes);
	int r = plan_body(p, node, shapes, &ret_calls[1], err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		p->outputs[i] = shapes[i];
	}
	r = plan_callee(p, (uint32_t)node->options.call.first, shapes, &ret_calls[0], err);
	if (r < 0) {
		return r;
	}
	mark_params(p, ret_calls[0], node->inputs);
	mark_params(p, ret_calls[1], node->inputs);
	*macs = rule_cost_add(*macs, rule_cost_add(ret_calls[0]->macs, ret_calls[1]->macs));
	return 0;
}

int call_plan(struct planning *p, uint32_t index, struct plan *ret_calls[PLAN_CALLS],
	uint64_t *macs, struct error *err)
{
	const struct node *node = &p->part->subgraph->nodes[index];
	owned_mem struct shape *shapes = calloc((size_t)node->n_inputs + 1, sizeof(*shapes));
	if (!shapes) {
		return error_no_memory(err);
	}
	switch (node->op) {
	case OP_IF:
		return plan_if(p, node, shapes, ret_calls, macs, err);
	case OP_WHILE:
		return plan_while(p, node, shapes, ret_calls, macs, err);
	case OP_CALL:
	case OP_CALL_ONCE:
		return plan_one(
			p, node, (uint32_t)node->options.call.first, shapes, ret_calls, macs, err);
	case OP_STABLEHLO_COMPOSITE:
		return plan_one(p, node, (uint32_t)node->options.composite.subgraph, shapes,
			ret_calls, macs, err);
	default: /* variables and tables call nobody */
		return 0;
	}
}
