/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call - nodes that the session runs itself, at planning: the plans of the subgraphs that they call
 *
 * A called subgraph is planned for the shapes that it is called with. Where those are not known, or
 * a loop changes them, they are -1 and its plan leaves all that follows from them to the run.
 */
#ifndef ENGINE_PLAN_CALL_H
#define ENGINE_PLAN_CALL_H

#include "engine/plan/planning.h"

/* plan_build(), which plans a called subgraph. */
typedef int (*call_build_fn)(
	const struct plan_request *request, struct plan **ret_plan, struct error *err);

/* The plans that one root plan calls, directly or not: made once for each set of shapes. */
struct plan_callees {
	struct callee {
		struct plan *plan; /* a reference */
		uint32_t next; /* 1 + index of another plan of the same subgraph; 0: none */
	} * items;
	uint32_t *of; /* one per subgraph: 1 + index of the first of its plans */
	uint32_t n;
	uint64_t entries; /* tensors and nodes of all these plans together */
	uint64_t prepared_bytes;
};

/*
 * Node @index has passed its rule. @build plans the callees. Fills @ret_calls (references, the caller's even on an error),
 * sets p->outputs to what the callees give, -1 where that depends on the run, marks the operands
 * that callees take as parameters, and adds the callees' cost to *macs. Errors as plan_build().
 */
int must_check call_plan(struct planning *p, uint32_t index, call_build_fn build,
	struct plan *ret_calls[PLAN_CALLS], uint64_t *macs, struct error *err);

/* What a session of @root (the root's own plan) takes with the frames of all that it calls: one for
 * each subgraph, for the plan of it that takes the most. */
uint64_t call_session_bytes(const struct plan_callees *callees, uint32_t n_subgraphs);

void call_deinit(struct plan_callees *callees); /* a zeroed one is fine */

#endif
