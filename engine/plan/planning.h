/* SPDX-License-Identifier: Apache-2.0 */
/* planning - what stands while one subgraph is planned: plan.c and call.c */
#ifndef ENGINE_PLAN_PLANNING_H
#define ENGINE_PLAN_PLANNING_H

#include "engine/plan/fold.h"
#include "engine/plan/plan.h"

struct planning {
	const struct plan_request *request;
	struct plan *plan;
	struct subgraph_plan *part;
	struct plan_callees *callees; /* of the root */
	struct fold fold;
	struct shape *outputs; /* room for those of the node with the most */
	bool compare; /* computed shapes with declared ones */
};

/* By the model's other plans and the root's callees, at most the whole budget. */
struct plan_work planning_work_done(const struct planning *p);

#endif
