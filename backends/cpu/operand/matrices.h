/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrices - an operand that is a batch of matrices, as kernels want each of them
 *
 * Kernels take rows of the left operand and columns of the right one, each with its elements side
 * by side: "rows" here. An operand that is stored the other way round is transposed into scratch,
 * matrix by matrix, as the products need them; a constant one once, into the program.
 */
#ifndef BACKENDS_CPU_OPERAND_MATRICES_H
#define BACKENDS_CPU_OPERAND_MATRICES_H

#include "backends/cpu/op.h"

struct matrices {
	uint32_t operand;
	uint32_t element_bytes;
	uint64_t rows, depth; /* of each, as the kernels see it */
	bool transpose; /* stored as depth x rows */
	const void *ready; /* all of them transposed, in the program; NULL: by each run */
	uint64_t scratch_at; /* of one transposed matrix */
	uint64_t step[SHAPE_MAX_RANK]; /* matrices from one batch to the next; 0: broadcast */
};

/* Operand @i, whose last two dimensions are those of the matrices; the others broadcast to those of
 * output 0. */
int must_check matrices_prepare(struct op_setup *setup, uint32_t i, bool transpose,
	struct matrices *ret, struct error *err);

/* The matrix at hand. */
struct matrix {
	uint64_t index;
	const void *data; /* [rows][depth] */
	bool changed; /* it is another one than before */
};

static inline struct matrix matrix_none(void)
{
	return (struct matrix){.index = UINT64_MAX};
}

/* The matrix that batch @batch of the output takes. @matrix: the one of the batch before, or
 * matrix_none(). 0, -ETIMEDOUT or -ECANCELED. */
int must_check matrix_take(const struct op_call *call, const struct matrices *matrices,
	uint64_t batch, struct matrix *matrix, struct error *err);

#endif
