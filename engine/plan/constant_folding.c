/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/constant_folding.h"

#include <string.h>

#include "base/bytes.h"
#include "engine/plan/opinfo.h"

/* Memory of tensors and scratch, aligned as an arena is. */
static void *new_block(uint64_t bytes)
{
	uint64_t room = bytes_align_up(bytes ? bytes : 1, 64);
	return room > SIZE_MAX ? NULL : aligned_alloc(64, (size_t)room);
}

void constant_folding_deinit(struct constant_folding *fold)
{
	free(fold->values);
	fold->values = NULL;
}

/* The same inputs give the same outputs, now and later. */
static bool is_pure(const struct node *node)
{
	const struct op_row *row = opinfo_find(node);
	return row && !(row->flags & (OPINFO_STATE | OPINFO_SESSION));
}

static bool writes_variables(const struct subgraph_plan *plan, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		if (plan->tensors[node->outputs[i]].place == PLACE_VARIABLE) {
			return true;
		}
	}
	return false;
}

/* SHAPE and RANK say what the plan knows of tensors that only the run computes. So nodes whose
 * parameters are made of the shapes of inputs need no check in each run. */
static bool asks_for_shape(const struct constant_folding *fold, const struct node *node)
{
	return fold->request->rewrites & REWRITE_SHAPES &&
		(node->op == OP_SHAPE || node->op == OP_RANK) &&
		!plan_is_run_time(fold->plan, (uint32_t)node->inputs[0]);
}

static bool inputs_are_known(const struct constant_folding *fold, const struct node *node)
{
	uint32_t n_known = 0;
	if (asks_for_shape(fold, node)) {
		return true;
	}
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		if (node->inputs[i] < 0) {
			continue;
		}
		if (!fold->plan->constants[node->inputs[i]]) {
			return false;
		}
		n_known++;
	}
	return n_known > 0;
}

/* Work is what is computed or at least moved; bytes are those of the outputs. */
static bool is_affordable(const struct constant_folding *fold, const struct node *node,
	uint64_t macs, uint64_t *ret_work)
{
	uint64_t work = 0, bytes = 0;
	for (uint32_t i = 0; i < node->n_inputs && !asks_for_shape(fold, node); i++) {
		work += node->inputs[i] < 0 ? 0 : fold->plan->tensors[node->inputs[i]].bytes;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		bytes += bytes_align_up(fold->plan->tensors[node->outputs[i]].bytes + 1, 64);
	}
	work = work + bytes > macs ? work + bytes : macs;
	*ret_work = work;
	return work <= fold->work_left && bytes <= fold->bytes_left;
}

static int fill_values(struct constant_folding *fold, const struct node *node)
{
	struct subgraph_plan *plan = fold->plan;
	if (!fold->values) {
		fold->values = calloc(plan->subgraph->n_tensors, sizeof(*fold->values));
		if (!fold->values) {
			return -ENOMEM;
		}
	}
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		int32_t t = node->inputs[i];
		if (t >= 0) {
			fold->values[t] = (struct value){.data = (void *)plan->constants[t],
				.bytes = plan->tensors[t].bytes,
				.shape = plan->shapes[t]};
		}
	}
	return 0;
}

static void free_outputs(struct constant_folding *fold, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		free(fold->values[node->outputs[i]].data);
		fold->values[node->outputs[i]].data = NULL;
	}
}

static int new_outputs(struct constant_folding *fold, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		int32_t t = node->outputs[i];
		void *data = new_block(fold->plan->tensors[t].bytes);
		if (!data) {
			free_outputs(fold, node);
			return -ENOMEM;
		}
		fold->values[t] = (struct value){.data = data,
			.bytes = fold->plan->tensors[t].bytes,
			.shape = fold->plan->shapes[t]};
	}
	return 0;
}

static const struct backend *find_backend(
	const struct compile_request *request, const struct backend *const *backends, uint32_t node)
{
	while (*backends && (*backends)->accept(request, node, NULL) < 0) {
		backends++;
	}
	return *backends;
}

/* Compiles and runs the one node; its outputs' memory is in fold->values. */
static int run_once(struct constant_folding *fold, const struct backend *backend,
	struct compile_request *request)
{
	struct program *program = NULL;
	struct node_memory memory = {0};
	int r = backend->compile(request, &memory, &program, NULL);
	if (r < 0) {
		return r;
	}
	owned_mem void *scratch = NULL;
	if (memory.scratch > fold->bytes_left || memory.state > 0) {
		r = -EFBIG;
	} else {
		scratch = new_block(memory.scratch);
		r = scratch ? 0 : -ENOMEM;
	}
	if (r == 0) {
		void *const scratches[1] = {scratch};
		struct run_frame frame = {.values = fold->values, .scratch = scratches};
		r = backend->run(program, &frame, NULL);
	}
	backend->free_program(program);
	return r;
}

static void keep_outputs(struct constant_folding *fold, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		int32_t t = node->outputs[i];
		struct tensor_plan *tensor = &fold->plan->tensors[t];
		if (tensor->place == PLACE_VARIABLE) {
			free(tensor->initial);
			tensor->initial = take(fold->values[t].data);
		} else {
			tensor->place = PLACE_FOLDED;
			fold->plan->constants[t] = take(fold->values[t].data);
		}
		fold->bytes_left -= bytes_align_up(tensor->bytes + 1, 64);
	}
}

int constant_folding_node(struct constant_folding *fold, uint32_t index, uint64_t macs,
	bool *ret_folded, struct error *err)
{
	const struct subgraph *subgraph = fold->plan->subgraph;
	const struct node *node = &subgraph->nodes[index];
	struct compile_request request = {
		.graph = fold->request->graph,
		.subgraph = subgraph,
		.shapes = fold->plan->shapes,
		.constants = fold->plan->constants,
		.cpu_features = fold->request->cpu_features,
		.max_program_bytes = fold->bytes_left,
	};
	uint64_t work = 0;
	*ret_folded = false;
	if (!is_pure(node) || !inputs_are_known(fold, node) ||
		(writes_variables(fold->plan, node) && node->op != OP_DEQUANTIZE) ||
		!is_affordable(fold, node, macs, &work)) {
		return 0;
	}
	const struct backend *backend = find_backend(&request, fold->request->backends, index);
	if (!backend) {
		return 0;
	}
	request.nodes = &index;
	request.n_nodes = 1;
	int r = fill_values(fold, node);
	if (r == 0) {
		r = new_outputs(fold, node);
	}
	if (r < 0) {
		return error_no_memory(err);
	}
	fold->work_left -= work;
	r = run_once(fold, backend, &request);
	if (r < 0) {
		free_outputs(fold, node);
		return r == -ENOMEM ? error_no_memory(err) : 0;
	}
	keep_outputs(fold, node);
	*ret_folded = true;
	return 0;
}

uint64_t constant_folding_sweep(struct subgraph_plan *plan)
{
	uint64_t bytes = 0;
	for (uint32_t t = 0; t < plan->subgraph->n_tensors; t++) {
		struct tensor_plan *tensor = &plan->tensors[t];
		if (tensor->place != PLACE_FOLDED && !tensor->initial) {
			continue;
		}
		if (tensor->is_read || tensor->initial) {
			bytes += bytes_align_up(tensor->bytes + 1, 64);
			continue;
		}
		free((void *)plan->constants[t]);
		plan->constants[t] = NULL;
		tensor->place = PLACE_NONE;
	}
	return bytes;
}
