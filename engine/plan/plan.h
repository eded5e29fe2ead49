/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - how a graph is run for one set of input shapes
 *
 * plan_build(): operator table (types, shapes, cost) -> constants folded -> nodes split over
 * backends into steps -> compiled -> arena laid out by lifetimes. Plain data, immutable, shared by
 * sessions through a reference count. All that a plan holds is counted against limits.
 */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "base/ref.h"
#include "engine/backend.h"
#include "engine/plan/opinfo.h"

enum tensor_place {
	PLACE_NONE, /* nobody computes it: not needed, or not planned yet */
	PLACE_CONSTANT, /* bytes in the file's mapping */
	PLACE_FOLDED, /* computed once at load, in the plan's own memory */
	PLACE_INPUT, /* bound by the session, or in its input buffers */
	PLACE_ARENA,
	PLACE_VARIABLE, /* in the session's state */
	PLACE_RUN_TIME, /* shape known only while running: in the session's heap */
};

struct tensor_plan {
	uint8_t place; /* enum tensor_place */
	bool is_read; /* by a node that runs, or as an output of the subgraph */
	uint32_t root; /* another tensor in whose memory this one lies (a RESHAPE's output in its
			  input's), else itself; both in the arena, with the same offset */
	uint64_t offset; /* in the arena or the variables' block; multiple of 64 */
	uint64_t bytes;
	uint8_t *initial; /* owned: what a variable starts with, NULL for the usual start */
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
	uint32_t index; /* of the subgraph in the graph */
	struct shape *shapes; /* one per tensor */
	struct tensor_plan *tensors; /* one per tensor */
	const uint8_t **constants; /* one per tensor: bytes of PLACE_CONSTANT (never NULL, even with
				      none) and PLACE_FOLDED (owned), NULL for all others */
	uint32_t *order; /* nodes that run, ascending; folded ones left out */
	uint64_t *scratch_offset; /* one per entry of order, in the arena */
	uint64_t *state_offset; /* one per entry of order, in the variables' block */
	uint64_t *node_macs; /* one per node; 0 for folded ones */
	struct plan_step *steps;
	uint32_t n_order, n_steps;
	uint64_t arena_bytes, variable_bytes;
};

/* What hostile files could make loading take long: shares of a budget that all plans made at load
 * have together. */
struct plan_work {
	uint64_t fold; /* element operations: FOLD_WORK */
	uint64_t layout; /* pairs of arena blocks compared: ARENA_WORK */
};

struct plan {
	struct ref ref;
	const struct graph *graph;
	uint32_t entered; /* index of the subgraph that the plan is for */
	struct subgraph_plan
		*subgraphs; /* one per subgraph of the graph; those never called stay empty */
	uint64_t arena_bytes; /* activations and scratch */
	uint64_t session_bytes; /* arena, variables twice (a run may fail) and inputs: what
				   limits.arena_bytes bounds */
	uint64_t prepared_bytes, macs;
	struct plan_work work; /* that it took */
};

struct plan_request {
	const struct graph *graph;
	uint32_t subgraph; /* the one that is entered */
	const struct shape
		*inputs; /* shapes of its inputs, or NULL for the declared ones (-1 counts as 1) */
	const struct backend *const *backends;
	uint64_t cpu_features;
	uint64_t max_arena_bytes, max_prepared_bytes, max_macs;
	struct plan_work work_done; /* by the model's other plans: less is left for this one */
};

/*
 * Builds the plan, with one reference. Errors as edge_model_open_fd(); what a node is to blame for
 * begins with its place: "subgraph 0, node 3 (CONV_2D v3): ...". With requested shapes a fault is
 * the request's: rules that they break give -EINVAL rather than -EBADMSG.
 */
int must_check plan_build(
	const struct plan_request *request, struct plan **ret_plan, struct error *err);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is fine */
DEFINE_OWNED(struct plan *, plan_unref)

/* The part for the subgraph that is entered. */
static inline const struct subgraph_plan *plan_entered(const struct plan *plan)
{
	return &plan->subgraphs[plan->entered];
}

/* The shape that a tensor has before anybody asks for another: -1 becomes 1. */
struct shape plan_declared_shape(const struct tensor *tensor);

/* Puts "subgraph S, node N (NAME vV): " in front of the error. Returns @code. */
int plan_node_error(const struct subgraph_plan *plan, uint32_t node, int code, struct error *err);

#endif
