/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_axes - a whole input folded along some of its axes, element after element */
#ifndef BACKENDS_CPU_OPS_REDUCE_REDUCE_AXES_H
#define BACKENDS_CPU_OPS_REDUCE_REDUCE_AXES_H

#include "backends/cpu/op.h"
#include "kernels/reduce/reduce.h"

/* Which elements meet, and what makes one of two. */
struct reduce {
	ek_sum_fn *fold; /* NULL: product */
	ek_gemm_fn *product;
	struct ek_gemm scaling; /* of product */
	uint32_t in_bytes, acc_bytes; /* of an element, of an accumulator */
	uint64_t reduced; /* elements that make one result */
	bool is_whole; /* the axes are all that there are */
	uint32_t rank; /* at least 1 */
	uint64_t size[SHAPE_MAX_RANK];
	uint64_t step[SHAPE_MAX_RANK]; /* accumulators that a step moves on; 0 where it adds up */
};

/* Fills in @reduced, @is_whole, @rank, @size and @step from operand 0 and the axes, operand 1. -EINVAL when
 * axes that a run brings do not fit operand or result. */
int must_check reduce_plan(const struct op_setup *setup, struct reduce *reduce, struct error *err);

/* Folds operand 0 of the call into @acc, one for each element of the result, which the caller has
 * given their first values. 0, -ETIMEDOUT or -ECANCELED. */
int must_check reduce_walk(
	const struct reduce *reduce, const struct op_call *call, void *acc, struct error *err);

#endif
