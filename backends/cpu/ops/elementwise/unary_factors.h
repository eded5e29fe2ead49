/* SPDX-License-Identifier: Apache-2.0 */
/* unary_factors - what kernels of one operand take from options and scales */
#ifndef BACKENDS_CPU_OPS_ELEMENTWISE_UNARY_FACTORS_H
#define BACKENDS_CPU_OPS_ELEMENTWISE_UNARY_FACTORS_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/quantized.h"
#include "kernels/elementwise/unary.h"

union unary_factors { /* of a kernel of plain numbers */
	float alpha;
	struct ek_fake_quant fake_quant;
};

typedef void unary_factors_fn(const struct op_setup *setup, union unary_factors *ret);

unary_factors_fn unary_factors_alpha, unary_factors_fake_quant;

/* Multipliers of codes; zero points and limits are the caller's. Each takes float32 quotients where
 * the reference does. */
typedef void unary_factors_codes_fn(const struct op_setup *setup, struct ek_quantized *ret);

unary_factors_codes_fn unary_factors_abs, unary_factors_leaky_relu, unary_factors_sqrt,
	unary_factors_rsqrt, unary_factors_hard_swish;

/* What LOG and RSQRT give where they have no value: the real value of the lowest code, and the
 * highest code times the scale. */
float unary_factors_lowest(const struct tensor *out);
float unary_factors_highest(const struct tensor *out);

#endif
