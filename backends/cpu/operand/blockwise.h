/* SPDX-License-Identifier: Apache-2.0 */
/* blockwise - weights whose rows have a scale for each block of elements (struct quant) */
#ifndef BACKENDS_CPU_OPERAND_BLOCKWISE_H
#define BACKENDS_CPU_OPERAND_BLOCKWISE_H

#include "backends/cpu/op.h"

/*
 * Scales of operand 1, whose rows of @depth elements are blockwise, as float[rows][blocks] in
 * program memory, and takes the zero points, where there are any, off @weights: int8[rows][depth],
 * of int4 range before.
 */
int must_check blockwise_prepare(struct op_setup *setup, uint64_t rows, uint64_t depth,
	int8_t *weights, const float **ret_scales, struct error *err);

#endif
