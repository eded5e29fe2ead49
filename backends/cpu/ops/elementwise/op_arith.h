/* SPDX-License-Identifier: Apache-2.0 */
/* op_arith - ADD, SUB, MUL and DIV: a row kernel with the limits of its result, or with scales */
#ifndef BACKENDS_CPU_OPS_ELEMENTWISE_OP_ARITH_H
#define BACKENDS_CPU_OPS_ELEMENTWISE_OP_ARITH_H

#include "backends/cpu/operand/broadcast.h"
#include "kernels/elementwise/arith.h"
#include "kernels/elementwise/arith_q.h"

struct arith {
	struct broadcast shape;
	ek_arith_q_fn *run_q; /* of quantised types, with params */
	struct ek_arith_q params;
	ek_arith_fn *run; /* of numbers without scales, with limits */
	union {
		float f32[2]; /* of half precision as well */
		int32_t s32[2];
		uint32_t u32[2];
		int64_t s64[2];
	} limits;
};

/* The operator's rows; NULL for a type that it does not have. */
struct arith_rows {
	ek_arith_fn *f32, *f16, *s32, *s64, *u32, *c64;
};

/* Sets setup->state, a struct arith, for numbers without scales, by the type of the node's result and its
 * fused activation. -EOPNOTSUPP for an activation that is no clamp, or a type without a row. */
int must_check arith_prepare(
	struct op_setup *setup, const struct arith_rows *rows, struct error *err);

/* The same for quantised types; params has its zero points and scales. The limits of the activation are added, and
 * a line where @kernel makes one and trying all pairs of 8-bit codes (kernels/requant/float_requant.h:
 * about 10 us for each try) is worth it: for a result of some size that is made more than once. */
int must_check arith_prepare_q(
	struct op_setup *setup, const struct ek_arith_q_row *kernel, struct error *err);

/* A broadcast_row_fn of a struct arith. */
void arith_row(const void *state, void *dst, const void *const *src, const size_t *step, size_t n);

int must_check arith_run(const struct op_call *call, struct error *err);

#endif
