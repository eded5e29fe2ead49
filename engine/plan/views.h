/* SPDX-License-Identifier: Apache-2.0 */
/* views - tensors that lie in another one's memory */
#ifndef ENGINE_PLAN_VIEWS_H
#define ENGINE_PLAN_VIEWS_H

#include "engine/plan/plan_types.h"

/*
 * Sets root and shift of the tensors of the arena that need no memory of their own: what RESHAPE, SQUEEZE
 * and EXPAND_DIMS give lies in their operand; so do the parts of SPLIT, SPLIT_V and UNPACK where they
 * stand one behind the other; and what CONCATENATION and PACK put one behind the other is computed in
 * the result itself. Every tensor is written once, so sharing is safe for as long as any of them lives.
 * Operators find operand and result at one address then, and copy nothing.
 */
void views_find(struct subgraph_plan *plan);

/*
 * After views_find(): what a node may compute in an operand's memory (node_memory.in_place, one entry for
 * each of plan->order) lies there, where nobody reads a byte of that memory after the node. -ENOMEM.
 */
int must_check views_find_in_place(struct subgraph_plan *plan, const struct node_memory *memory);

#endif
