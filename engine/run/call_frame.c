/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/call_frame.h"

#include <assert.h>
#include <string.h>

#include "engine/run/copy.h"

static uint64_t block_bytes(const struct call_frame *frame)
{
	return (uint64_t)frame->arena.bytes + frame->variables.bytes + frame->saved.bytes;
}

static void free_tables(struct call_frame *frame)
{
	free(frame->values);
	free(frame->shapes);
	free(frame->constants);
	free(frame->results);
	free(frame->passed);
	free(frame->scratch);
	free(frame->state);
	frame->values = frame->passed = NULL;
	frame->shapes = frame->results = NULL;
	frame->constants = NULL;
	frame->scratch = frame->state = NULL;
}

void call_frame_deinit(struct call_frame *frame)
{
	if (frame->plan) {
		call_frame_clear(frame);
		heap_discharge(frame->heap, block_bytes(frame));
	}
	block_deinit(&frame->arena);
	block_deinit(&frame->variables);
	block_deinit(&frame->saved);
	plan_unref(frame->plan);
	frame->plan = NULL;
	free_tables(frame);
}

/* int8 variables start at their zero point, all others at 0 (as TensorFlow Lite resets them), but
 * for those that the plan gives a start of their own. */
static int start_variable(
	struct call_frame *frame, uint32_t t, const struct run_control *control, struct error *err)
{
	const struct tensor *tensor = &frame->subgraph->tensors[t];
	const struct tensor_plan *planned = &plan_entered(frame->plan)->tensors[t];
	uint8_t *data = frame->variables.data + planned->offset;
	if (planned->initial) {
		return copy_bytes(data, planned->initial, planned->bytes, control, err);
	}
	return tensor->type == DTYPE_INT8
		? copy_fill(data, (int)quant_zero(&tensor->quant, 0), planned->bytes, control, err)
		: 0;
}

/* Where all bytes of the variables are 0. */
static int start_variables(
	struct call_frame *frame, const struct run_control *control, struct error *err)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	int r = 0;
	for (uint32_t t = 0; r == 0 && t < frame->subgraph->n_tensors; t++) {
		if (part->tensors[t].place == PLACE_VARIABLE) {
			r = start_variable(frame, t, control, err);
		}
	}
	return r;
}

int call_frame_reset(struct call_frame *frame, const struct run_control *control, struct error *err)
{
	if (!frame->plan) {
		return 0;
	}
	/* the nodes' own state as well */
	int r = copy_fill(frame->variables.data, 0, frame->variables.bytes, control, err);
	return r < 0 ? r : start_variables(frame, control, err);
}

static void *address_of(
	const struct call_frame *frame, const struct subgraph_plan *part, uint32_t t)
{
	const struct tensor_plan *tensor = &part->tensors[t];
	switch (tensor->place) {
	case PLACE_CONSTANT:
	case PLACE_FOLDED:
		return (void *)part->constants[t];
	case PLACE_ARENA:
		return frame->arena.data + tensor->offset;
	case PLACE_VARIABLE:
		return frame->variables.data + tensor->offset;
	default: /* inputs and run-time tensors: set in each run */
		return NULL;
	}
}

/* True for tensors whose address only a run knows, and those that have none. */
static bool is_set_by_run(const struct tensor_plan *tensor)
{
	return tensor->place != PLACE_CONSTANT && tensor->place != PLACE_FOLDED &&
		tensor->place != PLACE_ARENA && tensor->place != PLACE_VARIABLE;
}

static void point_at_state(struct call_frame *frame, const struct subgraph_plan *part)
{
	for (uint32_t i = 0; i < part->n_order; i++) {
		frame->state[i] = frame->variables.data
			? frame->variables.data + part->state_offset[i]
			: NULL;
		assert((uintptr_t)frame->state[i] % 64 == 0);
	}
}

static void fill_tables(struct call_frame *frame)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	for (uint32_t t = 0; t < frame->subgraph->n_tensors; t++) {
		frame->values[t] = (struct value){.data = address_of(frame, part, t),
			.bytes = part->tensors[t].bytes,
			.shape = part->shapes[t]};
		frame->shapes[t] = part->shapes[t];
		frame->constants[t] = part->constants[t];
		assert(frame->values[t].data || frame->values[t].bytes == 0 ||
			is_set_by_run(&part->tensors[t]));
	}
	for (uint32_t i = 0; i < part->n_order; i++) {
		frame->scratch[i] = frame->arena.data + part->scratch_offset[i];
		assert((uintptr_t)frame->scratch[i] % 64 == 0);
	}
	point_at_state(frame, part);
}

/* Variables keep their contents when another plan lays them out alike. */
static bool same_variables(const struct subgraph_plan *a, const struct subgraph_plan *b)
{
	bool same = a->variable_bytes == b->variable_bytes;
	for (uint32_t t = 0; same && t < a->subgraph->n_tensors; t++) {
		same = a->tensors[t].place != PLACE_VARIABLE ||
			(a->tensors[t].offset == b->tensors[t].offset &&
				a->tensors[t].bytes == b->tensors[t].bytes);
	}
	return same;
}

/* The most inputs that a node of the session has, and outputs that any has; at least 1. */
static void most_operands(const struct subgraph *subgraph, size_t *ret_inputs, size_t *ret_outputs)
{
	*ret_inputs = *ret_outputs = 1;
	for (uint32_t i = 0; i < subgraph->n_nodes; i++) {
		const struct node *node = &subgraph->nodes[i];
		const struct op_row *row = opinfo_find(node);
		bool calls = row && row->flags & OPINFO_SESSION;
		*ret_inputs = calls && node->n_inputs > *ret_inputs ? node->n_inputs : *ret_inputs;
		*ret_outputs = node->n_outputs > *ret_outputs ? node->n_outputs : *ret_outputs;
	}
}

static int new_tables(struct call_frame *frame)
{
	size_t n = (size_t)frame->subgraph->n_tensors + 1;
	size_t n_nodes = (size_t)frame->subgraph->n_nodes + 1, inputs, outputs;
	if (frame->values) {
		return 0;
	}
	most_operands(frame->subgraph, &inputs, &outputs);
	frame->values = calloc(n, sizeof(*frame->values));
	frame->shapes = calloc(n, sizeof(*frame->shapes));
	frame->constants = calloc(n, sizeof(*frame->constants));
	frame->results = calloc(outputs, sizeof(*frame->results));
	frame->passed = calloc(2 * inputs, sizeof(*frame->passed));
	frame->scratch = calloc(n_nodes, sizeof(void *));
	frame->state = calloc(n_nodes, sizeof(void *));
	if (!frame->values || !frame->shapes || !frame->constants || !frame->results ||
		!frame->passed || !frame->scratch || !frame->state) {
		free_tables(frame);
		return -ENOMEM;
	}
	return 0;
}

/* The blocks that change when @frame takes on @part. */
struct blocks {
	struct block arena, variables, saved;
	bool keep; /* of the frame: its variables */
};

static void blocks_deinit(struct blocks *blocks)
{
	block_deinit(&blocks->arena);
	block_deinit(&blocks->variables);
	block_deinit(&blocks->saved);
}

/* Charges them in place of those that @frame has. */
static int charge_blocks(
	const struct call_frame *frame, const struct blocks *blocks, struct error *err)
{
	uint64_t before = frame->plan ? block_bytes(frame) : 0;
	uint64_t variables = blocks->keep ? (uint64_t)frame->variables.bytes + frame->saved.bytes
					  : (uint64_t)blocks->variables.bytes + blocks->saved.bytes;
	return heap_charge(frame->heap, before, blocks->arena.bytes + variables, err);
}

uint64_t call_frame_table_bytes(const struct subgraph *subgraph)
{
	const uint64_t per_tensor = sizeof(struct value) + sizeof(struct shape) + sizeof(void *);
	size_t inputs, outputs;
	most_operands(subgraph, &inputs, &outputs);
	return sizeof(struct call_frame) + subgraph->n_tensors * per_tensor +
		subgraph->n_nodes * (uint64_t)(2 * sizeof(void *)) +
		2 * inputs * (uint64_t)sizeof(struct value) +
		outputs * (uint64_t)sizeof(struct shape);
}

/* Nothing is touched yet, so old and new ones take no memory together. */
static int new_blocks(struct call_frame *frame, const struct subgraph_plan *part,
	struct blocks *blocks, struct error *err)
{
	blocks->keep = frame->plan && same_variables(plan_entered(frame->plan), part);
	/* Never empty, so that tensors without elements have an address too. */
	int r = block_init(&blocks->arena, part->arena_bytes ? part->arena_bytes : 1);
	if (r == 0 && !blocks->keep) {
		r = block_init(&blocks->variables, part->variable_bytes);
	}
	if (r == 0 && !blocks->keep) {
		r = block_init(&blocks->saved, part->variable_bytes);
	}
	return r < 0 ? error_no_memory(err) : charge_blocks(frame, blocks, err);
}

static void take_blocks(struct call_frame *frame, struct blocks *blocks, struct plan *plan)
{
	block_deinit(&frame->arena);
	frame->arena = blocks->arena;
	plan_unref(frame->plan);
	frame->plan = plan;
	if (!blocks->keep) {
		block_deinit(&frame->variables);
		block_deinit(&frame->saved);
		frame->variables = blocks->variables;
		frame->saved = blocks->saved;
		frame->is_saved = false;
		(void)!start_variables(frame, NULL, NULL); /* new blocks are 0; never given up */
	}
	fill_tables(frame);
}

int call_frame_attach(struct call_frame *frame, struct plan *plan, struct error *err)
{
	struct blocks blocks = {0};
	if (frame->plan) {
		call_frame_clear(frame);
	}
	int r = new_tables(frame) < 0 ? error_no_memory(err)
				      : new_blocks(frame, plan_entered(plan), &blocks, err);
	if (r < 0) {
		blocks_deinit(&blocks);
		plan_unref(plan);
		return r;
	}
	take_blocks(frame, &blocks, plan);
	return 0;
}

void call_frame_rest(struct call_frame *frame)
{
	if (frame->plan) {
		call_frame_clear(frame);
		heap_discharge(frame->heap, frame->arena.bytes);
		block_deinit(&frame->arena);
	}
}

int call_frame_save(struct call_frame *frame, const struct run_control *control, struct error *err)
{
	frame->control = control;
	if (frame->is_saved) {
		return 0;
	}
	int r = copy_bytes(
		frame->saved.data, frame->variables.data, frame->variables.bytes, control, err);
	frame->is_saved = r == 0;
	return r;
}

/* Where the variables and the nodes' state are changes with their block. */
static void set_variables(struct call_frame *frame, struct block block)
{
	const struct subgraph_plan *part = plan_entered(frame->plan);
	frame->variables = block;
	for (uint32_t t = 0; t < frame->subgraph->n_tensors; t++) {
		if (part->tensors[t].place == PLACE_VARIABLE) {
			frame->values[t].data = address_of(frame, part, t);
		}
	}
	point_at_state(frame, part);
}

void call_frame_settle(struct call_frame *frame, bool commit)
{
	frame->control = NULL;
	if (!frame->plan || !frame->is_saved) {
		return;
	}
	if (!commit && frame->variables.bytes > 0) {
		const struct block left = frame->variables;
		set_variables(frame, frame->saved);
		frame->saved = left;
	}
	frame->is_saved = false;
}

static void release(struct call_frame *frame, uint32_t t)
{
	heap_free(frame->heap, frame->values[t].data);
	frame->values[t].data = NULL;
}

int call_frame_give(struct call_frame *frame, uint32_t tensor, const struct shape *shape,
	uint64_t bytes, struct error *err)
{
	void *data = NULL;
	release(frame, tensor);
	int r = heap_alloc(frame->heap, bytes, &data, err);
	if (r == 0) {
		frame->values[tensor] = (struct value){data, bytes, *shape};
	}
	return r;
}

int call_frame_put(
	struct call_frame *frame, uint32_t tensor, const struct value *value, struct error *err)
{
	const struct tensor_plan *planned = &plan_entered(frame->plan)->tensors[tensor];
	if (planned->place == PLACE_RUN_TIME) {
		int r = call_frame_give(frame, tensor, &value->shape, value->bytes, err);
		if (r < 0) {
			return r;
		}
	} else if (planned->bytes != value->bytes) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EINVAL, "tensor %u: came out in the shape %s", tensor,
			shape_format(text, sizeof(text), &value->shape));
	}
	return copy_bytes(
		frame->values[tensor].data, value->data, value->bytes, frame->control, err);
}

static void release_after(struct call_frame *frame, int32_t t, uint32_t at)
{
	const struct tensor_plan *planned = t < 0 ? NULL : &plan_entered(frame->plan)->tensors[t];
	if (planned && planned->place == PLACE_RUN_TIME && planned->last_use <= at) {
		release(frame, (uint32_t)t);
	}
}

void call_frame_release(struct call_frame *frame, uint32_t at)
{
	const struct node *node = &frame->subgraph->nodes[plan_entered(frame->plan)->order[at]];
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		release_after(frame, node->inputs[i], at);
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		release_after(frame, node->outputs[i], at);
	}
}

void call_frame_clear(struct call_frame *frame)
{
	bool any = plan_entered(frame->plan)->has_run_time;
	for (uint32_t t = 0; any && t < frame->subgraph->n_tensors; t++) {
		if (plan_entered(frame->plan)->tensors[t].place == PLACE_RUN_TIME) {
			release(frame, t);
		}
	}
}

void call_frame_fill(struct call_frame *frame, uint8_t value)
{
	if (!frame->plan) {
		return;
	}
	call_frame_clear(frame);
	if (frame->arena.data) {
		memset(frame->arena.data, value, frame->arena.bytes);
	}
	if (frame->saved.data && !frame->is_saved) {
		memset(frame->saved.data, value, frame->saved.bytes);
	}
}
