/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows - an output that is made of rows of an input: GATHER, GATHER_ND, EMBEDDING_LOOKUP,
 * HASHTABLE_LOOKUP, of every type
 *
 * Output 0 of strings has its memory from op_give_output(); all others have it already.
 */
#ifndef BACKENDS_CPU_OPERAND_ROWS_H
#define BACKENDS_CPU_OPERAND_ROWS_H

#include "backends/cpu/op.h"

#define ROWS_NONE (-1) /* no row of the input: zeros, of strings empty ones */

/* Which row of the input is row @r of the output: one that is there, or ROWS_NONE. */
typedef int rows_at_fn(const struct op_call *call, uint64_t r, int64_t *ret_row, struct error *err);

struct rows {
	uint32_t input; /* operand that rows are taken from */
	uint64_t count; /* rows of output 0 */
	uint64_t elements; /* of one row */
	struct shape shape; /* of output 0 */
	rows_at_fn *at;
};

/* Fills in what follows from the node's shapes: rows of output 0 are its dimensions from @first on. */
void rows_init(struct rows *rows, const struct op_setup *setup, uint32_t input, uint32_t first,
	rows_at_fn *at);

/* -EINVAL from at(), -EFBIG, -ENOMEM, -ETIMEDOUT or -ECANCELED. */
int must_check rows_run(const struct op_call *call, const struct rows *rows, struct error *err);

#endif
