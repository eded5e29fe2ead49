/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quant_params - scales and zero points become multipliers and ranges, once, at prepare time
 *
 * Where the reference rounds a scale expression to float in between, the caller writes it so
 * ((double)(a * b) / c and the like): each operator's formula stands in its own file.
 * Source: tflite kernels/internal/quantization_util.cc and kernels/kernel_util.cc.
 */
#ifndef BACKENDS_CPU_OPERAND_QUANT_PARAMS_H
#define BACKENDS_CPU_OPERAND_QUANT_PARAMS_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/arith_q.h"
#include "kernels/math/quant.h"

/* QuantizeMultiplier: @scale as multiplier and shift. 0 and what is below 2^-32 give the pair 0, 0.
 * So does what is from 2^31 on, which only a hostile file has: the left shift by 32 and more bits
 * leaves nothing of a 32-bit number. Negative, infinite or NaN: 0, 0 as well. */
struct ek_scale quant_params_split(double scale);

/* The scale of @t for @channel; 1 when it has none. */
float quant_params_scale(const struct tensor *t, uint32_t channel);

/* Both operands of a sum on one scale, twice the larger of theirs, which is the result: sets the zero
 * points of operands and output 0 and the operands' scales. */
double quant_params_common_scale(const struct op_setup *setup, struct ek_arith_q *ret);

/* Least and largest code of an integer type of at most 32 bits. */
void quant_params_type_range(unsigned int dtype, int32_t *ret_lo, int32_t *ret_hi);

/* round(x / scale) + zero point of the output @t (per tensor), as the reference's rounding has it:
 * the quotient is a float. Saturates to int32. */
int32_t quant_params_code(const struct tensor *t, float x);

/* CalculateActivationRangeQuantized: the codes that fused activation @activation leaves of the
 * output @t. -EOPNOTSUPP for TANH and SIGN_BIT, which the reference does not fuse. */
int must_check quant_params_activation_range(unsigned int activation, const struct tensor *t,
	int32_t *ret_lo, int32_t *ret_hi, struct error *err);

/* CalculateActivationRange: the same for float; NONE gives +-FLT_MAX. */
int must_check quant_params_activation_range_float(
	unsigned int activation, float *ret_lo, float *ret_hi, struct error *err);

#endif
