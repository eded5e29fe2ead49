/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "engine/run/copy.h"
#include "engine/run/run.h"

/* Going into a subgraph, and from node to node there, takes about as long as so many
 * multiply-accumulates: bounds calls and loops that compute nothing. */
#define NODE_MACS 500

/* @inputs: one per input of the called subgraph. */
static int call(struct run *run, struct plan *plan, const struct value *inputs,
	struct call_frame **ret_frame, struct error *err)
{
	struct call_frame *frame = NULL;
	uint64_t nodes = (uint64_t)plan_entered(plan)->n_order + 1;
	int r = run_count(run, plan->own_macs + NODE_MACS * nodes, err);
	if (r == 0) {
		r = run_enter(run, plan, &frame, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_frame = frame;
	for (uint32_t i = 0; i < frame->subgraph->n_inputs; i++) {
		const struct shape *planned =
			&plan_entered(plan)->shapes[frame->subgraph->inputs[i]];
		if (shape_known(planned) && !shape_equal(planned, &inputs[i].shape)) {
			return error_set(err, -EINVAL, "input %u has not the planned shape", i);
		}
		frame->values[frame->subgraph->inputs[i]] = inputs[i];
	}
	return run_steps(run, frame, err);
}

static const struct value *output_of(const struct call_frame *frame, uint32_t i)
{
	return &frame->values[frame->subgraph->outputs[i]];
}

static struct plan *callee(const struct call_frame *frame, uint32_t at, uint32_t which)
{
	return plan_entered(frame->plan)->calls[PLAN_CALLS * at + which];
}

static const struct node *node_of(const struct call_frame *frame, uint32_t at)
{
	return &frame->subgraph->nodes[plan_entered(frame->plan)->order[at]];
}

static void take_operands(const struct call_frame *frame, const struct node *node, uint32_t first,
	struct value *ret_values)
{
	for (uint32_t i = first; i < node->n_inputs; i++) {
		ret_values[i - first] = frame->values[node->inputs[i]];
	}
}

/* The callee's outputs become the node's. */
static int put_outputs(struct call_frame *frame, const struct node *node,
	const struct call_frame *called, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < node->n_outputs; i++) {
		r = call_frame_put(frame, (uint32_t)node->outputs[i], output_of(called, i), err);
	}
	return r;
}

/* Calls @plan with the node's operands from @first on. */
static int call_node(struct run *run, struct call_frame *frame, const struct node *node,
	struct plan *plan, uint32_t first, struct error *err)
{
	struct call_frame *called = NULL;
	take_operands(frame, node, first, frame->passed);
	int r = call(run, plan, frame->passed, &called, err);
	if (r == 0) {
		r = put_outputs(frame, node, called, err);
	}
	if (called) {
		call_frame_clear(called);
	}
	return r;
}

static int read_condition(const struct value *value, bool *ret_true, struct error *err)
{
	if (value->bytes != 1) {
		return error_set(err, -EINVAL, "the condition has %" PRIu64 " elements, must be 1",
			value->bytes);
	}
	*ret_true = *(const uint8_t *)value->data != 0;
	return 0;
}

static int run_if(struct run *run, struct call_frame *frame, uint32_t at, struct error *err)
{
	const struct node *node = node_of(frame, at);
	bool condition = false;
	int r = read_condition(&frame->values[node->inputs[0]], &condition, err);
	return r < 0 ? r
		     : call_node(run, frame, node, callee(frame, at, condition ? 0 : 1), 1, err);
}

/* CALL_ONCE: done in the session's first run that comes here. */
static int run_once(struct run *run, struct call_frame *frame, uint32_t at, struct error *err)
{
	struct plan *plan = callee(frame, at, 0);
	uint32_t subgraph = plan_entered(plan)->index;
	struct call_frame *called = NULL;
	if (!resources_first_call(&run->resources, subgraph)) {
		return 0;
	}
	int r = call(run, plan, NULL, &called, err);
	if (called) {
		call_frame_clear(called);
	}
	return r;
}

/* What a loop carries from round to round. */
struct carried {
	struct heap *heap;
	struct value *now, *next; /* one per operand */
	bool owned; /* the memory of @now is the loop's, not the caller's */
	uint32_t n;
};

static void free_values(struct heap *heap, struct value *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		heap_free(heap, values[i].data);
		values[i] = (struct value){0};
	}
}

static void carried_deinit(struct carried *c)
{
	if (c->owned) {
		free_values(c->heap, c->now, c->n);
	}
	free_values(c->heap, c->next, c->n);
}

/* A copy of @from in @to, in the memory that @to has if that is enough. */
static int copy_value(struct heap *heap, struct value *to, const struct value *from,
	const struct run_control *control, struct error *err)
{
	if (!to->data || heap_room(to->data) < from->bytes) {
		heap_free(heap, to->data);
		*to = (struct value){0};
		int r = heap_alloc(heap, from->bytes, &to->data, err);
		if (r < 0) {
			return r;
		}
	}
	to->bytes = from->bytes;
	to->shape = from->shape;
	return copy_bytes(to->data, from->data, from->bytes, control, err);
}

static int carry(struct carried *c, const struct call_frame *body, struct error *err)
{
	for (uint32_t i = 0; i < c->n; i++) {
		int r = copy_value(c->heap, &c->next[i], output_of(body, i), body->control, err);
		if (r < 0) {
			return r;
		}
	}
	struct value *was = c->now;
	c->now = c->next;
	c->next = was;
	if (!c->owned) {
		memset(c->next, 0, c->n * sizeof(*c->next));
	}
	c->owned = true;
	return 0;
}

static int count_round(struct run *run, struct error *err)
{
	if (run->loops++ >= run->max_loops) {
		return error_set(err, -ETIMEDOUT,
			"loops have gone round %" PRIu64 " times in this run, the limit",
			run->max_loops);
	}
	return run_control_check(run->control);
}

static int go_round(struct run *run, struct call_frame *frame, uint32_t at, struct carried *c,
	bool *ret_again, struct error *err)
{
	struct call_frame *called = NULL;
	int r = count_round(run, err);
	if (r == 0) {
		r = call(run, callee(frame, at, 0), c->now, &called, err);
	}
	if (r == 0) {
		r = read_condition(output_of(called, 0), ret_again, err);
	}
	if (called) {
		call_frame_clear(called);
	}
	if (r < 0 || !*ret_again) {
		return r;
	}
	called = NULL;
	r = call(run, callee(frame, at, 1), c->now, &called, err);
	if (r == 0) {
		r = carry(c, called, err);
	}
	if (called) {
		call_frame_clear(called);
	}
	return r;
}

static int run_while(struct run *run, struct call_frame *frame, uint32_t at, struct error *err)
{
	const struct node *node = node_of(frame, at);
	struct carried c = {
		.heap = &run->heap,
		.now = frame->passed,
		.next = frame->passed + node->n_inputs,
		.n = node->n_inputs,
	};
	bool again = true;
	int r = 0;
	take_operands(frame, node, 0, c.now);
	memset(c.next, 0, c.n * sizeof(*c.next));
	while (r == 0 && again) {
		r = go_round(run, frame, at, &c, &again, err);
	}
	for (uint32_t i = 0; r == 0 && i < node->n_outputs; i++) {
		r = call_frame_put(frame, (uint32_t)node->outputs[i], &c.now[i], err);
	}
	carried_deinit(&c);
	return r;
}

static int run_by_kind(struct run *run, struct call_frame *frame, uint32_t at, struct error *err)
{
	const struct node *node = node_of(frame, at);
	switch (node->op) {
	case OP_IF:
		return run_if(run, frame, at, err);
	case OP_WHILE:
		return run_while(run, frame, at, err);
	case OP_CALL_ONCE:
		return run_once(run, frame, at, err);
	case OP_CALL:
	case OP_STABLEHLO_COMPOSITE:
		return call_node(run, frame, node, callee(frame, at, 0), 0, err);
	case OP_FLEX_SAVE:
		return checkpoint_save(&run->checkpoints, frame, node, err);
	case OP_FLEX_RESTORE:
		return checkpoint_restore(&run->checkpoints, frame, node, err);
	default:
		return resources_run(&run->resources, frame, node, run->control, err);
	}
}

int control_run(struct run *run, struct call_frame *frame, uint32_t at, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	int r = run_control_check(run->control);
	if (r < 0) {
		return r;
	}
	r = run_by_kind(run, frame, at, err);
	return r < 0 ? plan_node_error(part, part->order[at], r, err) : 0;
}
