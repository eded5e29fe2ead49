/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixed - exponential and reciprocal in fixed point, as gemmlowp computes them
 *
 * A number with I integer bits has F = 31 - I fraction bits. Every step is that of
 * gemmlowp/fixedpoint/fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1) and
 * of GetReciprocal in tflite kernels/internal/common.h.
 */
#ifndef KERNELS_FIXED_H
#define KERNELS_FIXED_H

#include "kernels/quant.h"

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

/* 1 / x for x other than 0, taken as unsigned, with @integer_bits integer bits: the mantissa, and
 * in @ret_bits by how many bits it stands above 31 fraction bits. */
static inline int32_t ek_fixed_reciprocal(int32_t x, int32_t integer_bits, int32_t *ret_bits)
{
	int32_t zeros = ek_clz32((uint32_t)x);
	*ret_bits = integer_bits - zeros;
	return ek_fixed_reciprocal1((int32_t)(((uint32_t)x << zeros) - (1u << 31)));
}

#endif
