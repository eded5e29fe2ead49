/* SPDX-License-Identifier: Apache-2.0 */
/* steps - a plan told node by node: edge_model_steps() */
#ifndef ENGINE_STEPS_H
#define ENGINE_STEPS_H

#include "engine/edge_info.h"
#include "engine/plan/plan.h"

/* Where node @node of the subgraph is run: the words of the backend, or what became of it. Static
 * text, or the program's. */
const char *steps_detail(const struct subgraph_plan *part, uint32_t node);

/* As edge_model_steps(). */
int must_check steps_walk(const struct plan *plan, edge_step_function *each, void *context);

#endif
