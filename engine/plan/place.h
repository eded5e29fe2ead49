/* SPDX-License-Identifier: Apache-2.0 */
/* place - where each tensor of a subgraph is during a run */
#ifndef ENGINE_PLAN_PLACE_H
#define ENGINE_PLAN_PLACE_H

#include "engine/plan/plan_types.h"

/*
 * Before the nodes are looked at: constants, inputs and variables get their places and bytes, from
 * the shapes in the plan's table. -EBADMSG when a tensor would be two of these at once, -EOPNOTSUPP
 * for types without a fixed width, -EFBIG for tensors too large.
 */
int must_check place_known(struct subgraph_plan *plan, struct error *err);

/* The inputs of @node have places; an operand of zero elements that nobody computes is an empty
 * constant. -EBADMSG when one is there too early. */
int must_check place_inputs(struct subgraph_plan *plan, uint32_t node, struct error *err);

/* The outputs of @node are given the arena, and the bytes of their shapes. -EBADMSG when one has a
 * place already, but for a variable, which may be written in its declared shape. */
int must_check place_outputs(struct subgraph_plan *plan, uint32_t node, struct error *err);

/* Marks what is read (tensor_plan.is_read) by the nodes of plan->order and as outputs. -EBADMSG for
 * an output that nobody computes. */
int must_check place_reads(struct subgraph_plan *plan, struct error *err);

/*
 * Lays out the arena (tensors by lifetimes, views where they lie, scratch for its node only) and the
 * variables' block.
 * Outputs that @memory says are never whole take none (PLACE_INNER), and operands of nodes that run
 * later live until then.
 * @memory: one per entry of plan->order. @work_left: what arena_work() may cost, less what it has
 * cost at the end; beyond it the arena is laid out by a sweep. -ENOMEM.
 */
int must_check place_memory(struct subgraph_plan *plan, const struct node_memory *memory,
	uint64_t *work_left, struct error *err);

#endif
