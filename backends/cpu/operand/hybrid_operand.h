/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid_operand - float activations of operators with integer weights, as codes in an operator's scratch
 */
#ifndef BACKENDS_CPU_OPERAND_HYBRID_OPERAND_H
#define BACKENDS_CPU_OPERAND_HYBRID_OPERAND_H

#include "backends/cpu/op.h"
#include "kernels/hybrid/hybrid.h"

/* Operand @operand (0 unless it is set) as @n_rows rows of @depth elements, and where in the scratch
 * their codes stand. */
struct hybrid {
	uint32_t operand;
	uint64_t n_rows, depth;
	uint64_t codes_at, rows_at;
	bool asymmetric;
	const struct ek_hybrid *kernel;
};

/* Takes scratch for all rows. */
struct hybrid hybrid_prepare(
	struct op_setup *setup, uint64_t n_rows, uint64_t depth, bool asymmetric);

/* The rows of this run: codes[n_rows][depth], rows[n_rows], both in the scratch. */
struct hybrid_rows {
	const int8_t *codes;
	const struct ek_hybrid_row *rows;
};

/* ek_hybrid_quantise() of a row of any length: 0, -ETIMEDOUT or -ECANCELED. */
int must_check hybrid_quantise(const struct ek_hybrid *kernel, const float *values, uint64_t n,
	bool asymmetric, const struct run_control *control, int8_t *codes,
	struct ek_hybrid_row *ret_row);

/* 0, -ETIMEDOUT or -ECANCELED. */
int must_check hybrid_run(const struct op_call *call, const struct hybrid *hybrid,
	struct hybrid_rows *ret_rows, struct error *err);

/* [channels] scales of operand 1, in program memory. */
int must_check hybrid_scales(
	struct op_setup *setup, uint32_t channels, const float **ret_scales, struct error *err);

#endif
