/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/split.h"

#include <inttypes.h>

#include "base/bytes.h"

/* The error is written only when nobody accepts, in the words of the last one asked. */
static int choose_backend(const struct plan_request *request, const struct compile_request *compile,
	uint32_t node, const struct backend **ret_backend, struct error *err)
{
	const struct backend *last = NULL;
	for (const struct backend *const *b = request->backends; *b; b++) {
		last = *b;
		if (last->accept(compile, node, NULL) == 0) {
			*ret_backend = last;
			return 0;
		}
	}
	return last ? last->accept(compile, node, err)
		    : error_set(err, -EOPNOTSUPP, "there is no backend");
}

static bool starts_step(
	const struct subgraph_plan *plan, const struct backend *const *chosen, uint32_t i)
{
	return i == 0 || chosen[i] != chosen[i - 1] || plan->kinds[i] != STEP_BACKEND ||
		plan->kinds[i - 1] != STEP_BACKEND;
}

/* One step per run of equal entries of @chosen, and one for each node that is apart. */
static int make_steps(struct subgraph_plan *plan, const struct backend *const *chosen)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < plan->n_order; i++) {
		n += starts_step(plan, chosen, i);
	}
	plan->steps = calloc(n ? n : 1, sizeof(*plan->steps));
	if (!plan->steps) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < plan->n_order; i++) {
		if (starts_step(plan, chosen, i)) {
			plan->steps[plan->n_steps++] = (struct plan_step){
				.kind = plan->kinds[i], .backend = chosen[i], .first_node = i};
		}
		plan->steps[plan->n_steps - 1].n_nodes++;
	}
	return 0;
}

static int compile_step(struct plan_step *step, struct compile_request *compile,
	const struct subgraph_plan *plan, uint64_t *prepared_bytes, struct node_memory *ret_memory,
	struct error *err)
{
	uint64_t limit = compile->max_program_bytes;
	compile->nodes = plan->order + step->first_node;
	compile->n_nodes = step->n_nodes;
	int r = step->backend->compile(compile, ret_memory + step->first_node, &step->program, err);
	if (r < 0) {
		if (err && err->code == 0) {
			error_set(err, r, "cannot be compiled");
		}
		error_prefix(err, "subgraph %u, nodes %u to %u on %s", plan->index,
			compile->nodes[0], compile->nodes[step->n_nodes - 1], step->backend->name);
		return r;
	}
	uint64_t bytes =
		step->backend->program_bytes ? step->backend->program_bytes(step->program) : 0;
	if (bytes > limit) {
		return error_set(err, -EFBIG,
			"subgraph %u, nodes %u to %u on %s: a program of %" PRIu64
			" bytes, the limit leaves %" PRIu64,
			plan->index, compile->nodes[0], compile->nodes[step->n_nodes - 1],
			step->backend->name, bytes, limit);
	}
	*prepared_bytes += bytes;
	compile->max_program_bytes -= bytes;
	return 0;
}

int split_compile(const struct plan_request *request, struct subgraph_plan *plan,
	uint64_t callees_bytes, uint64_t *prepared_bytes, struct node_memory *ret_memory,
	struct error *err)
{
	uint64_t taken = *prepared_bytes + callees_bytes;
	struct compile_request compile = {
		.graph = request->graph,
		.subgraph = plan->subgraph,
		.shapes = plan->shapes,
		.constants = plan->constants,
		.cpu_features = request->cpu_features,
		.threads = request->threads,
		.rewrites = request->rewrites,
		.packs = request->packs,
		.max_program_bytes = request->max_prepared_bytes - taken,
	};
	if (taken > request->max_prepared_bytes) {
		return error_set(err, -EFBIG,
			"subgraph %u: constants and called subgraphs take %" PRIu64
			" prepared bytes, the limit leaves %" PRIu64,
			plan->index, taken, request->max_prepared_bytes);
	}
	owned_mem const struct backend **chosen = calloc(plan->n_order + 1, sizeof(*chosen));
	if (!chosen) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < plan->n_order; i++) {
		int r = plan->kinds[i] == STEP_SESSION
			? 0
			: choose_backend(request, &compile, plan->order[i], &chosen[i], err);
		if (r < 0) {
			return plan_node_error(plan, plan->order[i], r, err);
		}
	}
	if (make_steps(plan, chosen) < 0) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		int r = plan->steps[i].kind == STEP_SESSION
			? 0
			: compile_step(
				  &plan->steps[i], &compile, plan, prepared_bytes, ret_memory, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}
