/* SPDX-License-Identifier: Apache-2.0 */
/* plan_types - what a plan consists of, for the parts that make it and for runs */
#ifndef ENGINE_PLAN_PLAN_TYPES_H
#define ENGINE_PLAN_PLAN_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ref.h"
#include "engine/backend.h"

enum tensor_place {
	PLACE_NONE, /* nobody computes it: not needed, or not planned yet */
	PLACE_CONSTANT, /* bytes in the file's mapping */
	PLACE_FOLDED, /* computed once at load, in the plan's own memory */
	PLACE_INPUT, /* bound by the session, or in its input buffers */
	PLACE_ARENA,
	PLACE_INNER, /* never as a whole: struct node_memory has it */
	PLACE_VARIABLE, /* in the session's state */
	PLACE_RUN_TIME, /* size known only while running: in the session's heap */
};

struct tensor_plan {
	uint8_t place; /* enum tensor_place */
	bool is_read; /* by a node that runs, or as an output of the subgraph */
	bool is_copied; /* PLACE_INPUT: a run reads a private copy (engine/plan/read_in_place.h) */
	uint32_t last_use; /* PLACE_RUN_TIME: position in order of the last node that reads or
			      writes it, n_order for outputs of the subgraph */
	uint32_t
		root; /* another tensor in whose memory this one lies (engine/plan/views.h), both in the
			  arena; else itself */
	uint64_t shift; /* from the root's first byte to this one's */
	uint64_t offset; /* in the arena or the variables' block; multiple of 64 */
	uint64_t bytes;
	uint8_t *initial; /* owned: what a variable starts with, NULL for the usual start */
};

enum step_kind {
	STEP_BACKEND, /* a run of nodes of one backend */
	STEP_NODE, /* one node of a backend whose shapes or parameters only the run knows */
	STEP_SESSION, /* one node of the session: control flow, variables, tables */
};

struct plan_step {
	uint8_t kind;
	const struct backend *backend; /* NULL in STEP_SESSION, as program */
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
	uint8_t *kinds; /* enum step_kind, one per entry of order */
	struct plan **calls; /* two per entry of order: plans of the subgraphs that the node calls,
				references; NULL for none */
	uint64_t *scratch_offset; /* one per entry of order, in the arena */
	uint64_t *state_offset; /* one per entry of order, in the variables' block */
	uint64_t
		*node_macs; /* one per node, without those of called subgraphs; 0 for folded ones */
	struct plan_step *steps;
	uint32_t n_order, n_steps;
	bool has_run_time; /* some tensor is PLACE_RUN_TIME */
	uint64_t arena_bytes, variable_bytes;
};

#define PLAN_CALLS 2 /* subgraphs that one node calls at most */

/* What hostile files could make loading take long: shares of a budget that all plans made at load
 * have together. */
struct plan_work {
	uint64_t fold; /* element operations: FOLD_WORK */
	uint64_t layout; /* pairs of arena blocks compared: ARENA_WORK */
};

struct plan {
	struct ref ref;
	const struct graph *graph;
	struct subgraph_plan part; /* for the subgraph that is entered */
	uint64_t arena_bytes; /* activations and scratch of this subgraph */
	uint64_t session_bytes; /* arena, variables twice (a run may fail) and inputs, of this
				   subgraph and, in a root, of all that it calls: what
				   limits.arena_bytes bounds */
	uint64_t prepared_bytes; /* in a root with those of the plans that it calls */
	uint64_t macs; /* of one run, a loop's body counted once, an IF's dearer branch */
	uint64_t own_macs; /* without those of called subgraphs, and of nodes that the run checks
			      again: it counts these itself */
	struct plan_work work; /* that it took, and those that were made for it */
};

struct plan_callees; /* engine/plan/call.h */

struct plan_request {
	const struct graph *graph;
	uint32_t subgraph; /* the one that is entered */
	const struct shape
		*inputs; /* shapes of its inputs, or NULL for the declared ones (-1 counts as 1);
			    with -1 for what only a run can tell where @callees is set */
	struct plan_callees *callees; /* of the root that calls this subgraph; NULL in the root */
	const struct backend *const *backends;
	uint64_t cpu_features;
	unsigned int threads; /* as struct compile_request has them */
	uint32_t rewrites; /* REWRITE_* that are wanted */
	const struct pack_memory *packs; /* NULL: programs pack in memory of their own */
	uint64_t max_arena_bytes, max_prepared_bytes, max_macs;
	struct plan_work work_done; /* by the model's other plans: less is left for this one */
};

/* Takes a reference. */
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* frees with the last reference; NULL is fine */
DEFINE_OWNED(struct plan *, plan_unref)

/* The part for the subgraph that is entered. */
static inline const struct subgraph_plan *plan_entered(const struct plan *plan)
{
	return &plan->part;
}

/* True when only a run knows how many bytes the tensor takes. */
static inline bool plan_is_run_time(const struct subgraph_plan *plan, uint32_t t)
{
	return plan->subgraph->tensors[t].type == DTYPE_STRING || !shape_known(&plan->shapes[t]);
}

/* The shape that a tensor has before anybody asks for another: -1 becomes 1. */
struct shape plan_declared_shape(const struct tensor *tensor);

/* Puts "subgraph S, node N (NAME vV): " in front of the error. Returns @code. */
int plan_node_error(const struct subgraph_plan *plan, uint32_t node, int code, struct error *err);

#endif
