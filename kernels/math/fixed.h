/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixed - exponential, reciprocal and logarithm in fixed point, as gemmlowp computes them
 *
 * A number with I integer bits has F = 31 - I fraction bits. Every step is that of
 * gemmlowp/fixedpoint/fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1) and
 * of GetReciprocal in tflite kernels/internal/common.h.
 */
#ifndef KERNELS_MATH_FIXED_H
#define KERNELS_MATH_FIXED_H

#include "kernels/math/quant.h"

/* exp(d) with 31 fraction bits, for d <= 0 with @integer_bits (0..5) integer bits. */
static inline int32_t ek_fixed_exp(int32_t d, int32_t integer_bits)
{
	/* exp(-2^k) with 31 fraction bits, k = -2..4 */
	static const int32_t power[7] = {
		1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
	const int32_t c = 1895147668; /* exp(-1/8) */
	const int32_t third = 715827883;
	int32_t fraction = 31 - integer_bits;
	int32_t quarter = 1 << (fraction - 2);
	int32_t w = (d & (quarter - 1)) - quarter; /* in [-1/4, 0) */
	int32_t x = ek_shl32(w, integer_bits) + (1 << 28); /* + 1/8 */
	int32_t x2 = ek_srdhm(x, x), x3 = ek_srdhm(x2, x), x4 = ek_srdhm(x2, x2);
	int32_t tail = ek_srdhm(ek_rdbpot(x4, 2) + x3, third) + x2;
	int32_t r = ek_add32(c, ek_srdhm(c, x + ek_rdbpot(tail, 1)));
	int32_t rest = w - d;
	for (int32_t k = -2; k < integer_bits && k <= 4; k++) {
		if (rest & (1 << (fraction + k))) {
			r = ek_srdhm(r, power[k + 2]);
		}
	}
	return d == 0 ? INT32_MAX : r;
}

/* 1 / (1 + a) for 0 <= a < 1; both with 31 fraction bits. Three steps of Newton's method. */
static inline int32_t ek_fixed_reciprocal1(int32_t a)
{
	int32_t half = (int32_t)(((int64_t)a + (1ll << 31)) / 2);
	int32_t x = ek_add32(1515870810, ek_srdhm(half, -1010580540)); /* 48/17 - 32/17 half */
	for (int i = 0; i < 3; i++) {
		int32_t miss = (1 << 29) - ek_srdhm(half, x);
		x = ek_add32(x, ek_sat32((int64_t)ek_srdhm(x, miss) * 4));
	}
	return ek_sat32((int64_t)x * 2);
}

/* 1 / x for x other than 0 (0 gives some number), taken as unsigned, with @integer_bits integer bits:
 * the mantissa, and in @ret_bits by how many bits it stands above 31 fraction bits. */
static inline int32_t ek_fixed_reciprocal(int32_t x, int32_t integer_bits, int32_t *ret_bits)
{
	int32_t zeros = ek_clz32((uint32_t)x);
	*ret_bits = integer_bits - zeros;
	return ek_fixed_reciprocal1((int32_t)(((uint32_t)x << (zeros & 31)) - (1u << 31)));
}

/* x * 2^n, saturated; 0 <= n <= 31. */
static inline int32_t ek_fixed_shl(int32_t x, int32_t n)
{
	return ek_sat32((int64_t)x * ((int64_t)1 << n));
}

/*
 * log(x), x >= 1 with 12 integer bits, the result with 5. x is taken as r * 2^p with r near
 * sqrt(sqrt(1/2)), in two ways, of which the one with the smaller r and the larger p is right; the
 * logarithm of r is a quotient of polynomials.
 */
static inline int32_t ek_fixed_log(int32_t x)
{
	const int32_t log2 = 1488522236, sqrt_half = 1518500250, root = 1805811301;
	const int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769,
		      alpha_f = 638450708;
	const int32_t quarter = 1 << 23; /* with 6 integer bits, as the powers below */
	int32_t zeros = ek_clz32((uint32_t)x), z = ek_srdhm(x, sqrt_half);
	int32_t room = ek_clz32((uint32_t)z) - 1;
	int32_t r1 = ek_fixed_shl(ek_srdhm(ek_fixed_shl(x, zeros - 1), sqrt_half), 1);
	int32_t r2 = ek_fixed_shl(x, room);
	int32_t power1 = ek_sat32((int64_t)ek_fixed_shl(12 - zeros, 25) + quarter);
	int32_t power2 = ek_sat32((int64_t)ek_fixed_shl(12 - room, 25) - quarter);
	int32_t r = r1 < r2 ? r1 : r2, power = power1 > power2 ? power1 : power2;
	int32_t p = (int32_t)(((int64_t)r + root + 1) / 2), q = 2 * (r - root);
	int32_t q2 = ek_srdhm(q, q);
	int32_t top = ek_srdhm(q, r) + ek_srdhm(ek_srdhm(q, q2), alpha_n);
	int32_t factor = ek_add32(ek_add32(alpha_i, q), ek_srdhm(alpha_d, q2));
	int32_t below = ek_add32(ek_srdhm(p, factor), ek_srdhm(alpha_f, q));
	int32_t rest = ek_srdhm(ek_rdbpot(top, 6), ek_fixed_reciprocal1(below));
	return ek_fixed_shl(ek_add32(ek_srdhm(power, log2), rest), 1);
}

#endif
