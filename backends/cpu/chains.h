/* SPDX-License-Identifier: Apache-2.0 */
/* chains - which nodes of a program run together (backends/cpu/row_fusion.h) */
#ifndef BACKENDS_CPU_CHAINS_H
#define BACKENDS_CPU_CHAINS_H

#include "backends/cpu/op.h"
#include "backends/cpu/op_memory.h"
#include "backends/cpu/row_fusion.h"

/* A node of a program. */
struct prepared {
	const struct node *node;
	const struct cpu_op *op;
	void *state;
	const char *detail;
	bool each_run; /* some shape or parameter is known only while running: prepared anew then */
	bool is_inner; /* it is run with a later one, */
	uint32_t run_with; /* whose position this is */
	struct op_pad pad; /* that a PAD before it was */
	const struct row_fusion *row_fusion; /* of the chain whose last node this is; else NULL */
};

/*
 * Marks the chains among @nodes (request->n_nodes of them) that are wanted, and what they make of
 * @memory. Each node but a chain's last gives a tensor that only the next one reads.
 */
int must_check chains_make(const struct compile_request *request, struct prepared *nodes,
	struct op_memory *memory, struct node_memory *ret_memory, struct error *err);

/* How often each tensor is read, as an output too; NULL when there is no memory. */
uint32_t *chains_count_uses(const struct subgraph *subgraph);

#endif
