/* SPDX-License-Identifier: Apache-2.0 */
/* unary_tiles - a kernel of one operand over all elements, in tiles */
#ifndef BACKENDS_CPU_OPS_ELEMENTWISE_UNARY_TILES_H
#define BACKENDS_CPU_OPS_ELEMENTWISE_UNARY_TILES_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/unary.h"

/* The setup->scratch_bytes that unary_tiles_run_f16() wants: a tile of floats. */
uint64_t unary_tiles_f16_scratch(const struct op_setup *setup);

/* @params is the kernel's. Input 0 and output 0 have types of a width; in-place is fine. */
int must_check unary_tiles_run(
	const struct op_call *call, ek_unary_fn *kernel, const void *params, struct error *err);

/* float16: each tile is widened, handled by a float32 kernel, and rounded back. */
int must_check unary_tiles_run_f16(
	const struct op_call *call, ek_unary_fn *kernel, const void *params, struct error *err);

#endif
