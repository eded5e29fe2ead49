/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curve - functions of one float, as activations and tables of codes need them
 *
 * Exponential and logarithm are computed in double and rounded once, so that every C library gives
 * the same float; products and sums around them are floats, as in the reference. @undefined is the
 * result where a function has none.
 * Sources: TFLite kernels/elementwise.cc (EXP, LOG, RSQRT), activations.cc (ELU, LOGISTIC, TANH),
 * reference/gelu.h, reference/hard_swish.h, reference/round.h.
 */
#ifndef KERNELS_MATH_CURVE_H
#define KERNELS_MATH_CURVE_H

#include <math.h>

#include "kernels/math/libm.h"

typedef float ek_curve_fn(float x, float undefined);

static inline float ek_curve_exp(float x, float undefined)
{
	(void)undefined;
	return (float)exp((double)x);
}

static inline float ek_curve_log(float x, float undefined)
{
	return x <= 0 ? undefined : (float)log((double)x);
}

static inline float ek_curve_rsqrt(float x, float undefined)
{
	return x <= 0 ? undefined : 1.0f / sqrtf(x);
}

static inline float ek_curve_logistic(float x, float undefined)
{
	(void)undefined;
	return 1.0f / (1.0f + (float)exp(-(double)x));
}

static inline float ek_curve_tanh(float x, float undefined)
{
	(void)undefined;
	return ek_libm_tanh(x);
}

/* x * P(N <= x), N normally distributed; by erfc, which keeps its digits below 0. */
static inline float ek_curve_gelu(float x, float undefined)
{
	(void)undefined;
	const float minus_sqrt_half = -0.70710678118654752440f;
	return 0.5f * x * ek_libm_erfc(x * minus_sqrt_half);
}

static inline float ek_curve_gelu_tanh(float x, float undefined)
{
	(void)undefined;
	const float sqrt_two_over_pi = 0.79788456080286535588f;
	float inner = sqrt_two_over_pi * (x + 0.044715f * x * x * x);
	return 0.5f * x * (1.0f + ek_libm_tanh(inner));
}

/* Codes are taken through exp(x) - 1, floats through expm1(x). */
static inline float ek_curve_elu(float x, float undefined)
{
	return x < 0 ? ek_curve_exp(x, undefined) - 1.0f : x;
}

#endif
