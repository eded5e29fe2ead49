/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant_folding - nodes whose inputs are all known are run once, while the plan is made
 *
 * Their outputs become constants of the plan: visible to the operator table (a computed RESHAPE
 * target), to compile, and to every run. Folding never makes a model fail that would run without
 * it: what is too costly, too large, or fails is left to run as any other node.
 *
 * A DEQUANTIZE from a constant into a variable (the initial state of a recurrent network with
 * float16 weights) is run in LiteRT's first run only: here it becomes what the variable starts
 * with.
 */
#ifndef ENGINE_PLAN_CONSTANT_FOLDING_H
#define ENGINE_PLAN_CONSTANT_FOLDING_H

#include "engine/plan/plan_types.h"

/* What folding may still spend. */
struct constant_folding {
	const struct plan_request *request;
	struct subgraph_plan *plan;
	struct value *values; /* one per tensor, made when first needed */
	uint64_t work_left; /* element operations */
	uint64_t bytes_left; /* of max_prepared_bytes */
};

/* Time that a hostile file can make folding take, in all its plans together: about a tenth of a
 * second of plain C. */
#define FOLD_WORK 50000000u

void constant_folding_deinit(struct constant_folding *fold);

/*
 * Runs @node, whose output shapes are in the plan's table, if that can be done. @macs: its cost.
 * @ret_folded: true when its outputs are now PLACE_FOLDED, with their constants set, or are
 * variables, with their start set. -ENOMEM.
 */
int must_check constant_folding_node(struct constant_folding *fold, uint32_t node, uint64_t macs,
	bool *ret_folded, struct error *err);

/* Frees folded tensors that are not read any more (tensor_plan.is_read). Returns the bytes of those
 * that stay. */
uint64_t constant_folding_sweep(struct subgraph_plan *plan);

#endif
