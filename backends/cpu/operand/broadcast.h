/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broadcast - operands of shapes that stretch to one another, row by row
 *
 * Planned once: dimensions of size 1 vanish and neighbours that all operands step through alike are
 * joined, so that equal shapes are one row and a bias is rows of its own length.
 */
#ifndef BACKENDS_CPU_OPERAND_BROADCAST_H
#define BACKENDS_CPU_OPERAND_BROADCAST_H

#include "backends/cpu/op.h"

#define BROADCAST_OPERANDS 3

struct broadcast {
	uint32_t rank; /* 0: one element, or none when @empty */
	uint32_t n; /* operands */
	bool empty;
	uint64_t size[SHAPE_MAX_RANK];
	/* elements; 0 where stretched */
	uint64_t step[BROADCAST_OPERANDS][SHAPE_MAX_RANK];
	uint8_t bytes[BROADCAST_OPERANDS], dst_bytes; /* of one element */
};

/* The first @n operands of the node and its first result. */
void broadcast_plan(const struct op_setup *setup, uint32_t n, struct broadcast *ret);

/* Sizes and steps alone, for @n operands of shapes that stretch to @out. */
void broadcast_plan_shapes(
	const struct shape *out, const struct shape *const *in, uint32_t n, struct broadcast *ret);

/* n elements of dst; each operand's step is 0 or 1. */
typedef void broadcast_row_fn(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n);

/* 0, -ETIMEDOUT or -ECANCELED. */
int must_check broadcast_run(const struct broadcast *plan, const struct op_call *call,
	broadcast_row_fn *row, const void *state, struct error *err);

/* The same, by the run's team where it has one: @row is called by several threads at once. */
int must_check broadcast_run_shared(const struct broadcast *plan, const struct op_call *call,
	broadcast_row_fn *row, const void *state, struct error *err);

/* The same as the first for operands and a result that are somewhere else; a row sees operands where they are, never
 * a copy. */
int must_check broadcast_run_at(const struct broadcast *plan, const struct run_control *control,
	void *dst, const void *const *src, broadcast_row_fn *row, const void *state,
	struct error *err);

#endif
