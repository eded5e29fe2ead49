/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/profile.h"

int profile_run_step(const struct subgraph_plan *plan, const struct plan_step *step,
	const struct run_frame *frame, uint64_t *node_ns, struct error *err)
{
	for (uint32_t i = 0; i < step->n_nodes; i++) {
		int r = run_control_check(frame->control);
		if (r < 0) {
			return r;
		}
		uint64_t start = clock_now_ns();
		r = step->backend->run_node(step->program, i, frame, err);
		if (r < 0) {
			return r;
		}
		node_ns[plan->order[step->first_node + i]] = clock_now_ns() - start;
	}
	return 0;
}
