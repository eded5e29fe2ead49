/* SPDX-License-Identifier: Apache-2.0 */
/* op_context - one node with its operands: what rules are given, and what they give */
#ifndef ENGINE_PLAN_OP_CONTEXT_H
#define ENGINE_PLAN_OP_CONTEXT_H

#include "engine/graph.h"

/* A node with the shapes its operands have. */
struct op_context {
	const struct graph *graph;
	const struct subgraph *subgraph;
	const struct node *node;
	/* One per tensor of the subgraph. Inputs of the node are known, or hold -1 where only a run
	 * can tell. */
	const struct shape *shapes;
	/* One per tensor: bytes known at plan time (constants of the file, or folded), NULL else.
	 * As many as shape and type ask for; of sparse tensors, the elements that are stored. */
	const uint8_t *const *constants;
};

struct op_result {
	struct shape
		*shapes; /* one per output of the node; -1 dimensions where only a run can tell */
	uint64_t macs; /* multiply-accumulates, or element operations where there are none */
};

/* Helpers for the rules and for backends: operand @i of the node, NULL where it is TENSOR_NONE or
 * out of range. */
static inline const struct tensor *op_context_input(const struct op_context *ctx, uint32_t i)
{
	return i < ctx->node->n_inputs && ctx->node->inputs[i] >= 0
		? &ctx->subgraph->tensors[ctx->node->inputs[i]]
		: NULL;
}

#endif
