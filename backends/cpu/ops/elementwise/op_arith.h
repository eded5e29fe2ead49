/* SPDX-License-Identifier: Apache-2.0 */
/* op_arith - ADD, SUB, MUL and DIV of numbers without scales: a row kernel and the limits of its result */
#ifndef BACKENDS_CPU_OPS_ELEMENTWISE_OP_ARITH_H
#define BACKENDS_CPU_OPS_ELEMENTWISE_OP_ARITH_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/arith.h"

struct arith {
	ek_arith_fn *run;
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

/* By the type of the node's result and its fused activation. -EOPNOTSUPP for an activation that is
 * no clamp, or a type without a row. */
int must_check arith_prepare(const struct op_setup *setup, const struct arith_rows *rows,
	struct arith *ret, struct error *err);

/* True where trying all pairs of 8-bit codes (kernels/requant/float_requant.h: about 10 us for each try) is worth it:
 * a result of some size that is made more than once. */
bool arith_proof_pays(const struct op_setup *setup);

#endif
