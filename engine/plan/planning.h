/* SPDX-License-Identifier: Apache-2.0 */
/* planning - what stands while one subgraph is planned: plan.c and call.c */
#ifndef ENGINE_PLAN_PLANNING_H
#define ENGINE_PLAN_PLANNING_H

#include "engine/plan/constant_folding.h"
#include "engine/plan/plan_types.h"

struct planning {
	const struct plan_request *request;
	struct plan *plan;
	struct subgraph_plan *part;
	struct plan_callees *callees; /* of the root */
	struct constant_folding
		fold; /* fold.work_left and fold.bytes_left are the plan's, and those of the
			     plans that are made for it */
	uint64_t layout_left; /* of ARENA_WORK */
	uint64_t callees_bytes; /* prepared by the plans that were made for it */
	struct shape *outputs; /* room for those of the node with the most */
	bool compare; /* computed shapes with declared ones */
};

#endif
