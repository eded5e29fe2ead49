/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/plan/arena.h"
#include "engine/plan/fold.h"
#include "engine/plan/place.h"
#include "engine/plan/split.h"

/* What stands while one subgraph is planned. */
struct planning {
	const struct plan_request *request;
	struct plan *plan;
	struct subgraph_plan *part;
	struct fold fold;
	struct shape *outputs; /* room for those of the node with the most */
	bool compare; /* computed shapes with declared ones */
};

static void planning_deinit(struct planning *p)
{
	fold_deinit(&p->fold);
	free(p->outputs);
}

struct plan *plan_ref(struct plan *plan)
{
	ref_get(&plan->ref);
	return plan;
}

static void free_subgraph(struct subgraph_plan *part)
{
	for (uint32_t i = 0; i < part->n_steps; i++) {
		if (part->steps[i].program) {
			part->steps[i].backend->free_program(part->steps[i].program);
		}
	}
	for (uint32_t t = 0; part->subgraph && t < part->subgraph->n_tensors; t++) {
		if (part->tensors && part->tensors[t].place == PLACE_FOLDED) {
			free((void *)part->constants[t]);
		}
		if (part->tensors) {
			free(part->tensors[t].initial);
		}
	}
	free(part->shapes);
	free(part->tensors);
	free(part->constants);
	free(part->order);
	free(part->scratch_offset);
	free(part->state_offset);
	free(part->node_macs);
	free(part->steps);
}

void plan_unref(struct plan *plan)
{
	if (!plan || !ref_put(&plan->ref)) {
		return;
	}
	for (uint32_t i = 0; plan->subgraphs && i < plan->graph->n_subgraphs; i++) {
		free_subgraph(&plan->subgraphs[i]);
	}
	free(plan->subgraphs);
	free(plan);
}

struct shape plan_declared_shape(const struct tensor *tensor)
{
	struct shape shape = tensor->shape;
	for (unsigned int i = 0; i < shape.rank; i++) {
		shape.dim[i] = shape.dim[i] < 0 ? 1 : shape.dim[i];
	}
	return shape;
}

int plan_node_error(const struct subgraph_plan *plan, uint32_t node, int code, struct error *err)
{
	const struct node *n = &plan->subgraph->nodes[node];
	bool unknown = n->op == OP_CUSTOM;
	char name[48];
	error_escape(name, sizeof(name), n->custom_name.data, n->custom_name.length);
	error_prefix(err, "subgraph %u, node %u (%s%s%s v%u)", plan->index, node,
		operator_name(n->op), unknown ? " " : "", unknown ? name : "", n->version);
	return code;
}

static int new_subgraph(struct planning *p, uint32_t index)
{
	struct subgraph_plan *part = &p->plan->subgraphs[index];
	const struct subgraph *subgraph = &p->request->graph->subgraphs[index];
	size_t n_tensors = (size_t)subgraph->n_tensors + 1, n_nodes = (size_t)subgraph->n_nodes + 1;
	uint32_t most_outputs = 1;
	for (uint32_t i = 0; i < subgraph->n_nodes; i++) {
		uint32_t n = subgraph->nodes[i].n_outputs;
		most_outputs = n > most_outputs ? n : most_outputs;
	}
	part->subgraph = subgraph;
	part->index = index;
	part->shapes = calloc(n_tensors, sizeof(*part->shapes));
	part->tensors = calloc(n_tensors, sizeof(*part->tensors));
	part->constants = calloc(n_tensors, sizeof(*part->constants));
	part->order = calloc(n_nodes, sizeof(*part->order));
	part->scratch_offset = calloc(n_nodes, sizeof(*part->scratch_offset));
	part->state_offset = calloc(n_nodes, sizeof(*part->state_offset));
	part->node_macs = calloc(n_nodes, sizeof(*part->node_macs));
	p->outputs = calloc(most_outputs, sizeof(*p->outputs));
	p->part = part;
	p->fold.plan = part;
	return part->shapes && part->tensors && part->constants && part->order &&
			part->scratch_offset && part->state_offset && part->node_macs && p->outputs
		? 0
		: -ENOMEM;
}

/*
 * The table of shapes at the start. Computed shapes are compared with declared ones only where the
 * inputs have the shapes that the file declares, and only by rank: LiteRT computes its own as well,
 * and files whose outputs fit other inputs than the declared ones run there after a resize.
 */
static int set_shapes(struct planning *p, struct error *err)
{
	const struct subgraph *subgraph = p->part->subgraph;
	const struct shape *requested = p->request->inputs;
	char text[SHAPE_TEXT_SIZE];
	p->compare = true;
	for (uint32_t t = 0; t < subgraph->n_tensors; t++) {
		p->part->shapes[t] = plan_declared_shape(&subgraph->tensors[t]);
	}
	for (uint32_t i = 0; i < subgraph->n_inputs; i++) {
		int32_t t = subgraph->inputs[i];
		if (t < 0) {
			continue; /* place_known() refuses it */
		}
		if (requested && !shape_known(&requested[i])) {
			return error_set(err, -EINVAL, "input %u: shape %s is not complete", i,
				shape_format(text, sizeof(text), &requested[i]));
		}
		p->compare = p->compare && !subgraph->tensors[t].shape_is_signature &&
			(!requested || shape_equal(&requested[i], &p->part->shapes[t]));
		if (requested) {
			p->part->shapes[t] = requested[i];
		}
	}
	return 0;
}

static bool is_control_flow(const struct node *node)
{
	return node->op == OP_IF || node->op == OP_WHILE || node->op == OP_CALL ||
		node->op == OP_CALL_ONCE || node->op == OP_STABLEHLO_WHILE ||
		node->op == OP_STABLEHLO_COMPOSITE;
}

static int take_shapes(struct planning *p, const struct node *node, struct error *err)
{
	char declared[SHAPE_TEXT_SIZE], computed[SHAPE_TEXT_SIZE];
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		int32_t t = node->outputs[i];
		const struct tensor *tensor = &p->part->subgraph->tensors[t];
		if (!shape_known(&p->outputs[i])) {
			return error_set(err, -EOPNOTSUPP,
				"output %u: a shape known only at run time is not there yet", i);
		}
		if (p->compare && !tensor->shape_is_signature &&
			tensor->shape.rank != p->outputs[i].rank) {
			return error_set(err, -EBADMSG, "output %u: declared %s, computed %s", i,
				shape_format(declared, sizeof(declared), &tensor->shape),
				shape_format(computed, sizeof(computed), &p->outputs[i]));
		}
		p->part->shapes[t] = p->outputs[i];
	}
	return 0;
}

static int count_macs(struct planning *p, uint64_t macs, struct error *err)
{
	if (bytes_add_overflows(p->plan->macs, macs, &p->plan->macs) ||
		p->plan->macs > p->request->max_macs) {
		return error_set(err, -EFBIG,
			"with this node a run takes %" PRIu64
			" multiply-accumulates, the limit is %" PRIu64,
			p->plan->macs, p->request->max_macs);
	}
	return 0;
}

static int plan_node(struct planning *p, uint32_t index, struct error *err)
{
	const struct node *node = &p->part->subgraph->nodes[index];
	const struct op_context context = {
		.graph = p->request->graph,
		.subgraph = p->part->subgraph,
		.node = node,
		.shapes = p->part->shapes,
		.constants = p->part->constants,
	};
	struct op_result result = {.shapes = p->outputs};
	bool folded = false;
	if (is_control_flow(node)) {
		return error_set(err, -EOPNOTSUPP, "control flow is not there yet");
	}
	/* Of an operator that is not there, that is what has to be said. */
	int r = opinfo_find(node) ? place_inputs(p->part, index, err) : 0;
	if (r == 0) {
		r = opinfo_check(&context, &result, err);
	}
	if (r == 0) {
		r = take_shapes(p, node, err);
	}
	if (r == 0) {
		r = place_outputs(p->part, index, err);
	}
	if (r == 0) {
		r = fold_node(&p->fold, index, result.macs, &folded, err);
	}
	if (r < 0 || folded) {
		return r;
	}
	p->part->order[p->part->n_order++] = index;
	p->part->node_macs[index] = result.macs;
	return count_macs(p, result.macs, err);
}

/* What a session of this plan holds, within the limit. */
static int check_memory(struct planning *p, struct error *err)
{
	const struct subgraph_plan *part = p->part;
	uint64_t bytes = part->arena_bytes + 2 * part->variable_bytes;
	for (uint32_t i = 0; i < part->subgraph->n_inputs; i++) {
		bytes += bytes_align_up(part->tensors[part->subgraph->inputs[i]].bytes, 64);
	}
	p->plan->arena_bytes = part->arena_bytes;
	p->plan->session_bytes = bytes;
	if (bytes > p->request->max_arena_bytes || bytes > SIZE_MAX / 2) {
		return error_set(err, -EFBIG,
			"subgraph %u: a session takes %" PRIu64
			" bytes of arena, variables and inputs, the limit is %" PRIu64,
			part->index, bytes, p->request->max_arena_bytes);
	}
	return 0;
}

/* What one node wants beyond its operands, within the limit. */
static int check_node_memory(
	struct planning *p, const struct node_memory *memory, struct error *err)
{
	for (uint32_t i = 0; i < p->part->n_order; i++) {
		uint64_t bytes =
			memory[i].scratch > memory[i].state ? memory[i].scratch : memory[i].state;
		if (bytes > p->request->max_arena_bytes) {
			error_set(err, -EFBIG,
				"scratch of %" PRIu64 " bytes, the limit is %" PRIu64, bytes,
				p->request->max_arena_bytes);
			return plan_node_error(p->part, p->part->order[i], -EFBIG, err);
		}
	}
	return 0;
}

static int plan_memory(struct planning *p, struct error *err)
{
	owned_mem struct node_memory *memory =
		calloc((size_t)p->part->n_order + 1, sizeof(*memory));
	if (!memory) {
		return error_no_memory(err);
	}
	int r = split_compile(p->request, p->part, &p->plan->prepared_bytes, memory, err);
	if (r == 0) {
		r = check_node_memory(p, memory, err);
	}
	if (r == 0) {
		uint64_t work_left = ARENA_WORK - p->request->work_done.layout;
		r = place_memory(p->part, memory, work_left, &p->plan->work.layout, err);
	}
	return r < 0 ? r : check_memory(p, err);
}

static int plan_subgraph(struct planning *p, struct error *err)
{
	int r = set_shapes(p, err);
	if (r == 0) {
		r = place_known(p->part, err);
	}
	for (uint32_t i = 0; r == 0 && i < p->part->subgraph->n_nodes; i++) {
		r = plan_node(p, i, err);
		if (r < 0) {
			return plan_node_error(p->part, i, r, err);
		}
	}
	if (r == 0) {
		r = place_reads(p->part, err);
	}
	if (r < 0) {
		return r;
	}
	p->plan->prepared_bytes += fold_sweep(p->part);
	return plan_memory(p, err);
}

/* What breaks a rule with requested shapes may be fine with the file's own: the request is wrong,
 * not the file. */
static int blame_request(int code, struct error *err)
{
	if (code != -EBADMSG) {
		return code;
	}
	if (err) {
		err->code = -EINVAL;
		err->status = error_status_of(-EINVAL);
	}
	return -EINVAL;
}

int plan_build(const struct plan_request *request, struct plan **ret_plan, struct error *err)
{
	owned(plan_unref) struct plan *plan = calloc(1, sizeof(*plan));
	if (!plan) {
		return error_no_memory(err);
	}
	ref_init(&plan->ref);
	plan->graph = request->graph;
	plan->entered = request->subgraph;
	plan->subgraphs = calloc(request->graph->n_subgraphs, sizeof(*plan->subgraphs));
	if (!plan->subgraphs) {
		return error_no_memory(err);
	}
	struct planning planning = {
		.request = request,
		.plan = plan,
		.fold = {.request = request,
			.work_left = FOLD_WORK - request->work_done.fold,
			.bytes_left = request->max_prepared_bytes},
	};
	int r = new_subgraph(&planning, request->subgraph);
	r = r < 0 ? error_no_memory(err) : plan_subgraph(&planning, err);
	planning_deinit(&planning);
	plan->work.fold = FOLD_WORK - request->work_done.fold - planning.fold.work_left;
	if (r < 0) {
		return request->inputs ? blame_request(r, err) : r;
	}
	*ret_plan = take(plan);
	return 0;
}
