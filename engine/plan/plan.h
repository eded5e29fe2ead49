/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - how a graph is run for one set of input shapes
 *
 * plan_build(): operator table (types, shapes, cost) -> constants folded -> nodes split over
 * backends into steps -> compiled -> arena laid out by lifetimes. Plain data, immutable, shared by
 * sessions through a reference count. All that a plan holds is counted against limits.
 *
 * What only a run can tell stays open: a node whose shapes, or whose parameter values, are not known
 * is a step of its own (STEP_NODE); the run checks it once more by the operator table, gives its
 * outputs memory from the session's heap (PLACE_RUN_TIME) and has it prepared for that run. Control
 * flow and resources are the session's own steps (STEP_SESSION); the plans of the subgraphs that
 * such a node calls are made here, for the shapes it calls them with.
 */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "engine/plan/opinfo.h"
#include "engine/plan/plan_types.h"

/*
 * Builds the plan, with one reference. Errors as edge_model_open_fd(); what a node is to blame for
 * begins with its place: "subgraph 0, node 3 (CONV_2D v3): ...". With requested shapes a fault is
 * the request's: rules that they break give -EINVAL rather than -EBADMSG.
 */
int must_check plan_build(
	const struct plan_request *request, struct plan **ret_plan, struct error *err);

#endif
