/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast_math - tanh and logistic function in float by rational approximation
 *
 * The reference's recurrent operators use those of the Eigen library without fused multiply-add.
 * They err by two units of the last place, but by the same two on every CPU and with every libm,
 * which counts where a hybrid operator quantises what comes out: one unit may be one code.
 * Coefficients: Eigen, GenericPacketMathFunctions.h (ptanh_float of degree 9/8) and UnaryFunctors.h
 * (scalar_logistic_op); every product and sum is rounded, in the order written here. NaN gives NaN.
 */
#ifndef KERNELS_MATH_FAST_MATH_H
#define KERNELS_MATH_FAST_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* From +-7.9... on the quotient is exactly +-1. */
static inline float ek_fast_tanh(float x)
{
	const float end = 7.90738964080810547f;
	x = x > end ? end : x;
	x = x < -end ? -end : x;
	float x2 = x * x, x3 = x2 * x;
	float p = 1.394553628e-8f;
	p = p * x2 + 2.102733560e-5f;
	p = p * x2 + 3.520756727e-3f;
	p = p * x2 + 1.340216100e-1f;
	float q = 8.015776984e-7f;
	q = q * x2 + 3.326951409e-4f;
	q = q * x2 + 2.597254514e-2f;
	q = q * x2 + 4.673548340e-1f;
	q = q * x2 + 1;
	return (x3 * p + x) / q;
}

/* 2^n for -126 <= n <= 127. */
static inline float ek_fast_power2(int32_t n)
{
	uint32_t bits = (uint32_t)(n + 127) << 23;
	float y;
	memcpy(&y, &bits, sizeof(y));
	return y;
}

/* e / (1 + e), e = exp(x) as the square of exp(x / 2) = 2^m exp(r), |r| <= log(2) / 2. */
static inline float ek_fast_logistic(float x)
{
	if (!(x >= -104)) {
		return x < -104 ? 0 : x;
	}
	x = (x > 16.6355324f ? 16.6355324f : x) * 0.5f;
	float m = floorf(x * 1.44269504088896341f + 0.5f);
	float r = m * -0.693359375f + x;
	r = m * 2.12194440e-4f + r;
	float r2 = r * r;
	float even = r2 * 4.1898667812347412109375e-2f + 0.49999141693115234375f;
	float odd = r2 * 8.33471305668354034423828125e-3f + 0.16666877269744873046875f;
	float p = r * odd + even;
	p = r2 * p + (r + 1);
	float e = p * ek_fast_power2((int32_t)m);
	e = e * e;
	return e / (1 + e);
}

#endif
