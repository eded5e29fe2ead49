/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broadcast - two operands of shapes that stretch to one another, row by row
 *
 * Planned once: dimensions of size 1 vanish and neighbours that both operands step through alike
 * are joined, so that equal shapes are one row and a bias is rows of its own length.
 */
#ifndef BACKENDS_CPU_BROADCAST_H
#define BACKENDS_CPU_BROADCAST_H

#include "backends/cpu/op.h"

struct broadcast {
	uint32_t rank; /* 0: one element, or none when @empty */
	bool empty;
	uint64_t size[SHAPE_MAX_RANK];
	uint64_t a_step[SHAPE_MAX_RANK], b_step[SHAPE_MAX_RANK]; /* elements; 0 where stretched */
	uint8_t a_bytes, b_bytes, dst_bytes; /* of one element */
};

/* Operands 0 and 1 of the node and its first result. */
void broadcast_plan(const struct op_setup *setup, struct broadcast *ret);

/* n elements of dst; a_step and b_step are 0 or 1. */
typedef void broadcast_row_fn(const void *state, void *dst, const void *a, const void *b, size_t n,
	size_t a_step, size_t b_step);

/* 0, -ETIMEDOUT or -ECANCELED. */
int must_check broadcast_run(const struct broadcast *plan, const struct op_call *call,
	broadcast_row_fn *row, const void *state, struct error *err);

#endif
