/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/place.h"

#include "base/bytes.h"
#include "engine/plan/arena.h"
#include "engine/plan/read_in_place.h"

/* What an empty constant points to. */
static const uint8_t nothing[1];

/* 0 bytes where only the run knows: an open shape, or strings. A resource is a number of 4 bytes. */
static int set_bytes(struct subgraph_plan *plan, uint32_t t, struct error *err)
{
	const struct shape *shape = &plan->shapes[t];
	unsigned int type = plan->subgraph->tensors[t].type;
	char text[SHAPE_TEXT_SIZE];
	if (type == DTYPE_STRING || !shape_known(shape)) {
		plan->tensors[t].bytes = 0;
		return 0;
	}
	int r = shape_bytes(
		shape, type == DTYPE_RESOURCE ? DTYPE_INT32 : type, &plan->tensors[t].bytes);
	if (r == -EINVAL) {
		return error_set(err, -EOPNOTSUPP, "tensor %u: type %s is not there yet", t,
			dtype_name(type));
	}
	if (r < 0) {
		return error_set(err, -EFBIG, "tensor %u: shape %s has too many elements", t,
			shape_format(text, sizeof(text), shape));
	}
	return 0;
}

static int place_subgraph_inputs(struct subgraph_plan *plan, struct error *err)
{
	const struct subgraph *subgraph = plan->subgraph;
	for (uint32_t i = 0; i < subgraph->n_inputs; i++) {
		int32_t t = subgraph->inputs[i];
		if (t < 0 || subgraph->tensors[t].data || subgraph->tensors[t].is_variable ||
			plan->tensors[t].place != PLACE_NONE) {
			return error_set(err, -EBADMSG,
				"subgraph %u, input %u: is a constant, a variable, another input "
				"or no tensor",
				plan->index, i);
		}
		plan->tensors[t].place = PLACE_INPUT;
		int r = set_bytes(plan, (uint32_t)t, err);
		if (r < 0) {
			error_prefix(err, "subgraph %u, input %u", plan->index, i);
			return r;
		}
	}
	return 0;
}

static int place_variable(struct subgraph_plan *plan, uint32_t t, struct error *err)
{
	if (plan->subgraph->tensors[t].data) {
		return error_set(err, -EBADMSG,
			"subgraph %u, tensor %u: a variable with constant bytes", plan->index, t);
	}
	int r = set_bytes(plan, t, err);
	if (r < 0) {
		error_prefix(err, "subgraph %u", plan->index);
		return r;
	}
	plan->tensors[t].place = PLACE_VARIABLE;
	return 0;
}

int place_known(struct subgraph_plan *plan, struct error *err)
{
	for (uint32_t t = 0; t < plan->subgraph->n_tensors; t++) {
		const struct tensor *tensor = &plan->subgraph->tensors[t];
		plan->tensors[t].root = t;
		if (tensor->is_variable) {
			int r = place_variable(plan, t, err);
			if (r < 0) {
				return r;
			}
		} else if (tensor->data) {
			plan->tensors[t].place = PLACE_CONSTANT;
			plan->tensors[t].bytes = tensor->data_bytes;
			plan->constants[t] = tensor->data;
		}
	}
	return place_subgraph_inputs(plan, err);
}

int place_inputs(struct subgraph_plan *plan, uint32_t index, struct error *err)
{
	const struct node *node = &plan->subgraph->nodes[index];
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		int32_t t = node->inputs[i];
		uint64_t elements = 1;
		if (t < 0 || plan->tensors[t].place != PLACE_NONE) {
			continue;
		}
		if (shape_elements(&plan->shapes[t], &elements) < 0 || elements > 0) {
			return error_set(err, -EBADMSG,
				"input %u: tensor %d has no bytes and nobody computes it before", i,
				(int)t);
		}
		plan->tensors[t].place = PLACE_CONSTANT;
		plan->constants[t] = nothing;
	}
	return 0;
}

/* Variables lie where they lie: other nodes were checked with their declared shape. */
static int check_variable(const struct subgraph_plan *plan, int32_t t, struct error *err)
{
	struct shape declared = plan_declared_shape(&plan->subgraph->tensors[t]);
	char text[SHAPE_TEXT_SIZE];
	return shape_equal(&declared, &plan->shapes[t])
		? 0
		: error_set(err, -EBADMSG, "variable %d is written in the shape %s", (int)t,
			  shape_format(text, sizeof(text), &plan->shapes[t]));
}

static int place_output(struct subgraph_plan *plan, int32_t t, struct error *err)
{
	if (t >= 0 && plan->tensors[t].place == PLACE_VARIABLE) {
		return check_variable(plan, t, err);
	}
	if (t < 0 || plan->tensors[t].place != PLACE_NONE) {
		return error_set(err, -EBADMSG,
			"tensor %d is a constant, an input, computed twice or none", (int)t);
	}
	bool run_time = plan_is_run_time(plan, (uint32_t)t);
	plan->tensors[t].place = run_time ? PLACE_RUN_TIME : PLACE_ARENA;
	plan->has_run_time |= run_time;
	return set_bytes(plan, (uint32_t)t, err);
}

int place_outputs(struct subgraph_plan *plan, uint32_t index, struct error *err)
{
	const struct node *node = &plan->subgraph->nodes[index];
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		int r = place_output(plan, node->outputs[i], err);
		if (r < 0) {
			error_prefix(err, "output %u", i);
			return r;
		}
	}
	return 0;
}

static void mark_node(struct subgraph_plan *plan, uint32_t at)
{
	const struct node *node = &plan->subgraph->nodes[plan->order[at]];
	const bool prepared_once = plan->kinds[at] == STEP_BACKEND;
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (node->inputs[k] >= 0) {
			struct tensor_plan *tensor = &plan->tensors[node->inputs[k]];
			tensor->is_read = true;
			tensor->is_copied |=
				!prepared_once || !read_in_place_allowed(plan->subgraph, node, k);
			tensor->last_use = at;
		}
	}
	for (uint32_t k = 0; k < node->n_outputs; k++) {
		plan->tensors[node->outputs[k]].last_use = at;
	}
}

int place_reads(struct subgraph_plan *plan, struct error *err)
{
	const struct subgraph *subgraph = plan->subgraph;
	for (uint32_t i = 0; i < plan->n_order; i++) {
		mark_node(plan, i);
	}
	for (uint32_t i = 0; i < subgraph->n_outputs; i++) {
		int32_t t = subgraph->outputs[i];
		if (t < 0 || plan->tensors[t].place == PLACE_NONE) {
			return error_set(err, -EBADMSG,
				"subgraph %u, output %u: nobody computes it", plan->index, i);
		}
		/* Its bytes are fewer than its shape tells the reader. */
		if (subgraph->tensors[t].sparsity) {
			return error_set(err, -EOPNOTSUPP,
				"subgraph %u, output %u: a sparse constant", plan->index, i);
		}
		plan->tensors[t].is_read = true;
		plan->tensors[t].is_copied = true; /* read after the run, more than once */
		plan->tensors[t].last_use = plan->n_order;
	}
	return 0;
}

static bool is_inner(const struct node_memory *memory, struct tensor_plan *tensor)
{
	if (memory->inner && tensor->place == PLACE_ARENA) {
		tensor->place = PLACE_INNER;
	}
	return tensor->place == PLACE_INNER;
}

/* Tensor @t is alive at @at, which grows from call to call, and until @until. */
static void keep(const struct subgraph_plan *plan, struct arena_block *blocks, uint32_t t,
	uint32_t at, uint32_t until)
{
	const struct tensor_plan *root = &plan->tensors[plan->tensors[t].root];
	struct arena_block *block = &blocks[plan->tensors[t].root];
	if (plan->tensors[t].place != PLACE_ARENA) {
		return;
	}
	if (block->bytes == 0) {
		*block = (struct arena_block){root->bytes, at, until};
	}
	block->last = until > block->last ? until : block->last;
}

/* Blocks 0..n_tensors - 1 are the tensors (empty where they take no memory of their own), then one
 * per node for its scratch. */
static void fill_blocks(
	struct subgraph_plan *plan, const struct node_memory *memory, struct arena_block *blocks)
{
	const struct subgraph *subgraph = plan->subgraph;
	for (uint32_t at = 0; at < plan->n_order; at++) {
		const struct node *node = &subgraph->nodes[plan->order[at]];
		for (uint32_t i = 0; i < node->n_outputs; i++) {
			uint32_t t = (uint32_t)node->outputs[i];
			if (!is_inner(&memory[at], &plan->tensors[t])) {
				keep(plan, blocks, t, at, at);
			}
		}
		for (uint32_t i = 0; i < node->n_inputs; i++) {
			if (node->inputs[i] >= 0) {
				keep(plan, blocks, (uint32_t)node->inputs[i], at,
					at + memory[at].later);
			}
		}
		blocks[subgraph->n_tensors + at] = (struct arena_block){memory[at].scratch, at, at};
	}
	for (uint32_t i = 0; i < subgraph->n_outputs; i++) {
		keep(plan, blocks, (uint32_t)subgraph->outputs[i], plan->n_order, plan->n_order);
	}
}

/* The blocks that take room move to the front; @map says which they were. Returns how many. */
static uint32_t pack_blocks(struct arena_block *blocks, uint32_t n, uint32_t *map)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (blocks[i].bytes > 0) {
			map[kept] = i;
			blocks[kept++] = blocks[i];
		}
	}
	return kept;
}

static void set_offsets(
	struct subgraph_plan *plan, const uint64_t *offsets, const uint32_t *map, uint32_t n)
{
	uint32_t n_tensors = plan->subgraph->n_tensors;
	for (uint32_t i = 0; i < n; i++) {
		if (map[i] < n_tensors) {
			plan->tensors[map[i]].offset = offsets[i];
		} else {
			plan->scratch_offset[map[i] - n_tensors] = offsets[i];
		}
	}
	for (uint32_t t = 0; t < n_tensors; t++) {
		const struct tensor_plan *root = &plan->tensors[plan->tensors[t].root];
		plan->tensors[t].offset = root->offset + plan->tensors[t].shift;
	}
}

static void place_variables(struct subgraph_plan *plan)
{
	for (uint32_t t = 0; t < plan->subgraph->n_tensors; t++) {
		if (plan->tensors[t].place == PLACE_VARIABLE) {
			plan->tensors[t].offset = plan->variable_bytes;
			plan->variable_bytes +=
				bytes_align_up(plan->tensors[t].bytes + 1, ARENA_ALIGNMENT);
		}
	}
}

static void place_states(struct subgraph_plan *plan, const struct node_memory *memory)
{
	for (uint32_t i = 0; i < plan->n_order; i++) {
		plan->state_offset[i] = plan->variable_bytes;
		plan->variable_bytes += bytes_align_up(memory[i].state, ARENA_ALIGNMENT);
	}
}

int place_memory(struct subgraph_plan *plan, const struct node_memory *memory, uint64_t *work_left,
	struct error *err)
{
	size_t n = (size_t)plan->subgraph->n_tensors + plan->n_order;
	owned_mem struct arena_block *blocks = calloc(n + 1, sizeof(*blocks));
	owned_mem uint32_t *map = calloc(n + 1, sizeof(*map));
	owned_mem uint64_t *offsets = calloc(n + 1, sizeof(*offsets));
	if (!blocks || !map || !offsets) {
		return error_no_memory(err);
	}
	fill_blocks(plan, memory, blocks);
	uint32_t kept = pack_blocks(blocks, (uint32_t)n, map);
	uint64_t work = arena_work(kept);
	bool thorough = work <= *work_left;
	*work_left -= thorough ? work : 0;
	if ((thorough ? arena_layout : arena_sweep)(blocks, kept, offsets, &plan->arena_bytes) <
		0) {
		return error_no_memory(err);
	}
	set_offsets(plan, offsets, map, kept);
	place_variables(plan);
	place_states(plan, memory);
	return 0;
}
