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

/*
 * Node @index has passed its rule. Fills @ret_calls (references, the caller's even on an error),
 * sets p->outputs to what the callees give, -1 where that depends on the run, marks the operands
 * that callees take as parameters, and adds the callees' cost to *macs. Errors as plan_build().
 */
int must_check call_plan(struct planning *p, uint32_t index, struct plan *ret_calls[PLAN_CALLS],
	uint64_t *macs, struct error *err);

/* Nodes and tensors that the callees of one root plan may have together, before shapes are left to
 * the run: several times what the file has. */
uint64_t call_budget(const struct graph *graph);

void call_deinit(struct plan_callees *callees);

#endif
