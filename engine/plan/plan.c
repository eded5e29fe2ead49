/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/background_yield.h"
#include "base/bytes.h"
#include "engine/plan/arena.h"
#include "engine/plan/call.h"
#include "engine/plan/place.h"
#include "engine/plan/planning.h"
#include "engine/plan/rules/rule.h"
#include "engine/plan/split.h"
#include "engine/plan/views.h"

static void planning_deinit(struct planning *p)
{
	constant_folding_deinit(&p->fold);
	free(p->outputs);
}

static int new_subgraph(struct planning *p, uint32_t index)
{
	struct subgraph_plan *part = &p->plan->part;
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
	part->kinds = calloc(n_nodes, sizeof(*part->kinds));
	part->calls = calloc(PLAN_CALLS * n_nodes, sizeof(struct plan *));
	part->scratch_offset = calloc(n_nodes, sizeof(*part->scratch_offset));
	part->state_offset = calloc(n_nodes, sizeof(*part->state_offset));
	part->node_macs = calloc(n_nodes, sizeof(*part->node_macs));
	p->outputs = calloc(most_outputs, sizeof(*p->outputs));
	p->part = part;
	p->fold.plan = part;
	return part->shapes && part->tensors && part->constants && part->order && part->kinds &&
			part->calls && part->scratch_offset && part->state_offset &&
			part->node_macs && p->outputs
		? 0
		: -ENOMEM;
}

/* A handle means nothing to whoever enters a subgraph, and must not come from there. */
static int check_ends(const struct planning *p, struct error *err)
{
	const struct subgraph *s = p->part->subgraph;
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		if (s->inputs[i] >= 0 && s->tensors[s->inputs[i]].type == DTYPE_RESOURCE) {
			return error_set(err, -EOPNOTSUPP,
				"subgraph %u, input %u: a resource cannot be given from outside",
				p->part->index, i);
		}
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		if (s->outputs[i] >= 0 && s->tensors[s->outputs[i]].type == DTYPE_RESOURCE) {
			return error_set(err, -EOPNOTSUPP,
				"subgraph %u, output %u: a resource cannot be given to the outside",
				p->part->index, i);
		}
	}
	return 0;
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
		if (requested && !p->request->callees && !shape_known(&requested[i])) {
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

/* Variables have a shape of their own and stay where they are. */
static int check_run_time_output(const struct tensor *tensor, uint32_t i, struct error *err)
{
	return tensor->is_variable ? error_set(err, -EOPNOTSUPP,
					     "output %u: a variable written in a shape that only "
					     "the run knows is not there yet",
					     i)
				   : 0;
}

/* What an operator computes has the declared rank. Rank 0 may also say that the converter did not
 * know, and dimensions of 1 come and go: TensorFlow's converter declares the 5 indices of
 * non_max_suppression_padded() as 1x5. */
static bool rank_agrees(const struct shape *declared, const struct shape *computed)
{
	unsigned int d = 0, c = 0;
	if (declared->rank == 0 || declared->rank == computed->rank) {
		return true;
	}
	while (d < declared->rank || c < computed->rank) {
		if (d < declared->rank && declared->dim[d] == 1) {
			d++;
		} else if (c < computed->rank && computed->dim[c] == 1) {
			c++;
		} else if (d == declared->rank || c == computed->rank ||
			declared->dim[d++] != computed->dim[c++]) {
			return false;
		}
	}
	return true;
}

static int take_shapes(struct planning *p, const struct node *node, struct error *err)
{
	char declared[SHAPE_TEXT_SIZE], computed[SHAPE_TEXT_SIZE];
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		int32_t t = node->outputs[i];
		const struct tensor *tensor = &p->part->subgraph->tensors[t];
		p->part->shapes[t] = p->outputs[i];
		if (!shape_known(&p->outputs[i])) {
			int r = check_run_time_output(tensor, i, err);
			if (r < 0) {
				return r;
			}
			continue;
		}
		if (p->compare && !tensor->shape_is_signature &&
			!rank_agrees(&tensor->shape, &p->outputs[i])) {
			return error_set(err, -EBADMSG, "output %u: declared %s, computed %s", i,
				shape_format(declared, sizeof(declared), &tensor->shape),
				shape_format(computed, sizeof(computed), &p->outputs[i]));
		}
	}
	return 0;
}

static bool is_open(const struct planning *p, int32_t t)
{
	return t >= 0 && !shape_known(&p->part->shapes[t]);
}

/* True when only the run knows what the node's rule has to know: it is checked again there. */
static bool is_run_time(const struct planning *p, const struct node *node)
{
	const struct op_row *row = opinfo_find(node);
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		int32_t t = node->inputs[i];
		bool param = i < 64 && row->params >> i & 1;
		if (is_open(p, t) || (t >= 0 && param && !p->part->constants[t])) {
			return true;
		}
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		if (is_open(p, node->outputs[i]) ||
			p->part->subgraph->tensors[node->outputs[i]].type == DTYPE_STRING) {
			return true;
		}
	}
	return false;
}

static void append_node(struct planning *p, uint32_t index, enum step_kind kind, uint64_t macs)
{
	p->part->kinds[p->part->n_order] = (uint8_t)kind;
	p->part->order[p->part->n_order++] = index;
	p->part->node_macs[index] = macs;
}

/* @own: see plan.own_macs. */
static int count_macs(struct planning *p, uint64_t own, uint64_t macs, struct error *err)
{
	p->plan->own_macs += own;
	if (bytes_add_overflows(p->plan->macs, macs, &p->plan->macs) ||
		p->plan->macs > p->request->max_macs) {
		return error_set(err, -EFBIG,
			"with this node a run takes %" PRIu64
			" multiply-accumulates, the limit is %" PRIu64,
			p->plan->macs, p->request->max_macs);
	}
	return 0;
}

/* After the rule: shapes, places, what can be computed now. */
static int plan_checked_node(struct planning *p, uint32_t index, uint64_t macs, struct error *err)
{
	const struct node *node = &p->part->subgraph->nodes[index];
	bool folded = false;
	int r = take_shapes(p, node, err);
	if (r < 0) {
		return r;
	}
	bool run_time = is_run_time(p, node);
	r = place_outputs(p->part, index, err);
	if (r == 0 && !run_time) {
		r = constant_folding_node(&p->fold, index, macs, &folded, err);
	}
	if (r < 0 || folded) {
		return r;
	}
	append_node(p, index, run_time ? STEP_NODE : STEP_BACKEND, macs);
	return count_macs(p, run_time ? 0 : macs, macs, err);
}

/* A node of the session: its calls are planned, which says more about its outputs. */
static int plan_session_node(struct planning *p, uint32_t index, uint64_t macs, struct error *err)
{
	struct plan *calls[PLAN_CALLS] = {0};
	uint64_t own = macs;
	int r = call_plan(p, index, plan_build, calls, &macs, err);
	if (r == 0) {
		r = take_shapes(p, &p->part->subgraph->nodes[index], err);
	}
	if (r == 0) {
		r = place_outputs(p->part, index, err);
	}
	memcpy(&p->part->calls[PLAN_CALLS * p->part->n_order], calls, sizeof(calls));
	append_node(p, index, STEP_SESSION, own);
	return r < 0 ? r : count_macs(p, own, macs, err);
}

/* Asserts that the reader has bounded the indices of tensors. Rules do not check it. */
static void assert_node(const struct planning *p, const struct node *node)
{
	const int32_t n_tensors = (int32_t)p->part->subgraph->n_tensors;
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		assert(node->inputs[i] >= -1 && node->inputs[i] < n_tensors);
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		assert(node->outputs[i] >= 0 && node->outputs[i] < n_tensors);
	}
}

/* Asserts that the rule has given valid shapes. Places, splits and kernels do not check it. */
static void assert_result(const struct planning *p, const struct node *node)
{
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		assert(p->outputs[i].rank <= SHAPE_MAX_RANK);
		for (unsigned int k = 0; k < p->outputs[i].rank; k++) {
			assert(p->outputs[i].dim[k] >= -1);
		}
	}
}

static int plan_node(struct planning *p, uint32_t index, struct error *err)
{
	const struct node *node = &p->part->subgraph->nodes[index];
	const struct op_row *row = opinfo_find(node);
	const struct op_context context = {
		.graph = p->request->graph,
		.subgraph = p->part->subgraph,
		.node = node,
		.shapes = p->part->shapes,
		.constants = p->part->constants,
	};
	struct op_result result = {.shapes = p->outputs};
	assert_node(p, node);
	/* Of an operator that is not there, that is what has to be said. */
	int r = row ? place_inputs(p->part, index, err) : 0;
	if (r == 0) {
		r = opinfo_check(&context, &result, err);
	}
	if (r < 0) {
		return r;
	}
	assert_result(p, node);
	return row->flags & OPINFO_SESSION ? plan_session_node(p, index, result.macs, err)
					   : plan_checked_node(p, index, result.macs, err);
}

/* What a session of this plan holds, within the limit. A called subgraph finds its inputs where the
 * caller has them. */
static int check_memory(struct planning *p, struct error *err)
{
	const struct subgraph_plan *part = p->part;
	uint64_t bytes = part->arena_bytes + 2 * part->variable_bytes;
	for (uint32_t i = 0; !p->request->callees && i < part->subgraph->n_inputs; i++) {
		bytes += bytes_align_up(part->tensors[part->subgraph->inputs[i]].bytes, 64);
	}
	if (!p->request->callees) {
		bytes = rule_cost_add(
			bytes, call_session_bytes(p->callees, p->request->graph->n_subgraphs));
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
	int r = split_compile(
		p->request, p->part, p->callees_bytes, &p->plan->prepared_bytes, memory, err);
	if (r == 0) {
		r = check_node_memory(p, memory, err);
	}
	if (r == 0 && p->request->rewrites & REWRITE_VIEWS) {
		views_find(p->part);
	}
	if (r == 0 && p->request->rewrites & REWRITE_IN_PLACE &&
		views_find_in_place(p->part, memory) < 0) {
		r = error_no_memory(err);
	}
	if (r == 0) {
		r = place_memory(p->part, memory, &p->layout_left, err);
	}
	return r < 0 ? r : check_memory(p, err);
}

/* What the tables of new_subgraph() take. Those of a root are bounded by the file; a called subgraph
 * may have many plans, which count as prepared. */
static uint64_t table_bytes(const struct planning *p)
{
	const uint64_t per_tensor = sizeof(struct shape) + sizeof(struct tensor_plan) + 8;
	const uint64_t per_node = PLAN_CALLS * sizeof(struct plan *) + 64;
	return p->request->callees
		? sizeof(struct plan) + p->part->subgraph->n_tensors * per_tensor +
			p->part->subgraph->n_nodes * per_node
		: 0;
}

static int plan_subgraph(struct planning *p, struct error *err)
{
	int r = p->request->callees ? 0 : check_ends(p, err);
	r = r < 0 ? r : set_shapes(p, err);
	if (r == 0) {
		r = place_known(p->part, err);
	}
	for (uint32_t i = 0; r == 0 && i < p->part->subgraph->n_nodes; i++) {
		background_yield_if_due();
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
	p->plan->prepared_bytes += constant_folding_sweep(p->part) + table_bytes(p);
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

static uint64_t left_of(uint64_t budget, uint64_t done)
{
	return done < budget ? budget - done : 0;
}

static int build_part(struct planning *p, struct error *err)
{
	const struct plan_work *done = &p->request->work_done;
	uint64_t fold_work = left_of(FOLD_WORK, done->fold);
	uint64_t layout_work = left_of(ARENA_WORK, done->layout);
	p->fold.request = p->request;
	p->fold.work_left = fold_work;
	p->fold.bytes_left = p->request->max_prepared_bytes;
	p->layout_left = layout_work;
	int r = new_subgraph(p, p->request->subgraph);
	r = r < 0 ? error_no_memory(err) : plan_subgraph(p, err);
	p->plan->work =
		(struct plan_work){fold_work - p->fold.work_left, layout_work - p->layout_left};
	planning_deinit(p);
	return r;
}

int plan_build(const struct plan_request *request, struct plan **ret_plan, struct error *err)
{
	owned(plan_unref) struct plan *plan = calloc(1, sizeof(*plan));
	struct plan_callees own = {0};
	if (!plan) {
		return error_no_memory(err);
	}
	assert(request->subgraph < request->graph->n_subgraphs);
	ref_init(&plan->ref);
	plan->graph = request->graph;
	struct planning planning = {
		.request = request,
		.plan = plan,
		.callees = request->callees ? request->callees : &own,
	};
	int r = build_part(&planning, err);
	plan->prepared_bytes += own.prepared_bytes; /* they live as long as their root */
	call_deinit(&own);
	if (r < 0) {
		return request->inputs && !request->callees ? blame_request(r, err) : r;
	}
	*ret_plan = take(plan);
	return 0;
}
