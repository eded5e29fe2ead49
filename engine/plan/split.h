/* SPDX-License-Identifier: Apache-2.0 */
/* split - the nodes that run are divided among backends, and compiled step by step */
#ifndef ENGINE_PLAN_SPLIT_H
#define ENGINE_PLAN_SPLIT_H

#include "engine/plan/plan_types.h"

/*
 * Fills plan->steps from plan->order: each node goes to the first backend that accepts it,
 * consecutive nodes of one backend form one step. What the programs hold is added to
 * @prepared_bytes, which with @callees_bytes stays within request->max_prepared_bytes.
 *
 * @ret_memory: one per entry of plan->order, filled. Errors: -EOPNOTSUPP in the words of the
 * last backend of the list, with the node's place; -EFBIG, -ENOMEM, or what compile gave. Steps
 * made before an error are freed with the plan.
 */
int must_check split_compile(const struct plan_request *request, struct subgraph_plan *plan,
	uint64_t callees_bytes, uint64_t *prepared_bytes, struct node_memory *ret_memory,
	struct error *err);

#endif
