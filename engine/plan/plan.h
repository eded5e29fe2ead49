/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - how a graph is run for one set of input shapes
 *
 * plan_build(): operator table (types, shapes, cost) -> constants folded -> nodes split over
 * backends into steps -> compiled -> arena laid out by lifetimes. Plain data, immutable, shared by
 * sessions. All of the plan's memory is counted against limits.
 */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "engine/backend.h"
#include "engine/plan/opinfo.h"

enum tensor_place {
	PLACE_NONE, /* nobody needs it */
	PLACE_CONSTANT, /* bytes in the file's mapping */
	PLACE_FOLDED, /* computed once at load, in the plan's own memory */
	PLACE_INPUT, /* bound by the session, or in its input buffers */
	PLACE_ARENA,
	PLACE_VARIABLE, /* in the session's state */
	PLACE_RUN_TIME, /* shape known only while running: in the session's heap */
};

struct tensor_plan {
	uint8_t place; /* enum tensor_place */
	uint64_t
		offset; /* in the arena, the variables' block or the folded block; multiple of 64 */
	uint64_t bytes;
};

enum step_kind {
	STEP_BACKEND, /* a run of nodes of one backend */
	STEP_IF,
	STEP_WHILE,
	STEP_CALL,
};

struct plan_step {
	uint8_t kind;
	const struct backend *backend;
	struct program *program;
	uint32_t first_node, n_nodes; /* positions in subgraph_plan.order */
};

struct subgraph_plan {
	const struct subgraph *subgraph;
	struct shape *shapes; /* one per tensor */
	struct tensor_plan *tensors; /* one per tensor */
	uint32_t *order; /* nodes that run, in order; folded ones left out */
	uint64_t *scratch_offset; /* one per entry of order, in the arena */
	uint64_t *node_macs; /* one per entry of order */
	struct plan_step *steps;
	uint32_t n_order, n_steps;
	uint8_t *folded; /* block of folded constants */
	uint64_t arena_bytes, variable_bytes, folded_bytes;
};

struct plan {
	const struct graph *graph;
	struct subgraph_plan
		*subgraphs; /* one per subgraph of the graph; those never called stay empty */
	uint64_t arena_bytes, prepared_bytes, macs;
};

struct plan_request {
	const struct graph *graph;
	uint32_t subgraph; /* the one that is entered */
	const struct shape
		*inputs; /* shapes of its inputs, or NULL for the declared ones (-1 counts as 1) */
	const struct backend *const *backends;
	uint64_t cpu_features;
	uint64_t max_arena_bytes, max_prepared_bytes, max_macs;
};

/* Errors as edge_model_open_fd(); the text begins with the place: "subgraph 0, node 3 (CONV_2D v3):
 * ...". */
int must_check plan_build(
	const struct plan_request *request, struct plan **ret_plan, struct error *err);
void plan_free(struct plan *plan); /* NULL is fine */
DEFINE_OWNED(struct plan *, plan_free)

#endif
