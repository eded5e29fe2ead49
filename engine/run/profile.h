/* SPDX-License-Identifier: Apache-2.0 */
/* profile - a step run node by node, each one timed */
#ifndef ENGINE_RUN_PROFILE_H
#define ENGINE_RUN_PROFILE_H

#include "engine/plan/plan.h"

/* As step->backend->run(). @node_ns: one per node of the subgraph; those of the step are set, in
 * nanoseconds. */
int must_check profile_run_step(const struct subgraph_plan *plan, const struct plan_step *step,
	const struct run_frame *frame, uint64_t *node_ns, struct error *err);

#endif
