/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_fusion - nodes that follow one another run together, some rows of the picture at a time
 *
 * What lies between two of them is never there as a whole: each part of the last one's rows is made
 * from the rows that it takes of the one before, which stand in a buffer as long as they are wanted.
 * The same kernels do the same arithmetic for each element as they do one after the other; rows are
 * made twice only where two threads' parts meet. It takes about as long, and the largest tensors leave
 * the arena.
 */
#ifndef BACKENDS_CPU_ROW_FUSION_H
#define BACKENDS_CPU_ROW_FUSION_H

#include "backends/cpu/op.h"
#include "kernels/conv/window.h"

#define ROW_FUSION_MAX 8 /* nodes of a chain */

/* What a node takes and gives by rows; pictures of a batch of one. */
struct row_fusion_shape {
	struct ek_window_axis y; /* of its window */
	uint64_t in_row_bytes, out_row_bytes;
	uint64_t scratch_bytes; /* of a call */
	bool is_simple; /* little work for each element: what it reads or makes should not leave the core */
};

/* Rows first .. first + n - 1 of a node's result. */
struct row_fusion_rows {
	uint32_t operand; /* that @input stands for */
	const void *input; /* where its row 0 is, or would be */
	void *output; /* as @input: only the rows that are asked for are there */
	uint32_t first, n;
	void *scratch;
};

struct row_fusion_member {
	const struct node *node;
	const struct cpu_op *op;
	const void *state;
	struct row_fusion_shape shape;
	uint32_t operand; /* that the member before gives; of the first: 0 */
	uint64_t buffer,
		rows; /* of all but the last: where its rows stand in the scratch, how many */
};

struct row_fusion {
	struct row_fusion_member members[ROW_FUSION_MAX];
	uint32_t n;
	uint32_t band; /* rows of the last one's that are made at a time */
	unsigned int threads;
	uint64_t scratch_at,
		scratch_each; /* the members' own, behind the buffers; all of a thread's */
};

/* Divides the work of a chain whose members are set; true where it takes less memory than @saved bytes,
 * or @eager. */
bool row_fusion_plan(
	struct row_fusion *row_fusion, unsigned int threads, uint64_t saved, bool eager);

/* @call: of the last member. 0, -ETIMEDOUT or -ECANCELED. */
int must_check row_fusion_run(
	const struct row_fusion *row_fusion, const struct op_call *call, struct error *err);

#endif
