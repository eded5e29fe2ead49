/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixed16 - logistic function and hyperbolic tangent of 16-bit fixed point, as the integer LSTM has
 * them
 *
 * A number with I integer bits has 15 - I fraction bits. The steps are those of gemmlowp
 * fixedpoint/fixedpoint.h in int16: exp_on_negative_values and one_over_one_plus_x_for_x_in_0_1,
 * whose constants of 32 bits are rounded to 16.
 */
#ifndef KERNELS_MATH_FIXED16_H
#define KERNELS_MATH_FIXED16_H

#include "kernels/math/quant.h"

/* A constant with 31 fraction bits, rounded to 15. */
#define EK_FIXED16(c) ((int16_t)(((c) + (1 << 15)) >> 16))

/* exp(d) with 15 fraction bits, for d <= 0 with @integer_bits (0..7) integer bits. */
static inline int16_t ek_fixed16_exp(int16_t d, int32_t integer_bits)
{
	/* exp(-2^k), k = -2..4 */
	static const int16_t power[7] = {EK_FIXED16(1672461947), EK_FIXED16(1302514674),
		EK_FIXED16(790015084), EK_FIXED16(290630308), EK_FIXED16(39332535),
		EK_FIXED16(720401), EK_FIXED16(242)};
	const int16_t eighth = EK_FIXED16(1895147668); /* exp(-1/8) */
	const int16_t third = EK_FIXED16(715827883);
	if (d == 0) {
		return INT16_MAX;
	}
	int32_t fraction = 15 - integer_bits;
	int16_t quarter = (int16_t)(1 << (fraction - 2));
	int16_t w = (int16_t)((d & (quarter - 1)) - quarter); /* in [-1/4, 0) */
	int16_t x = (int16_t)(ek_sat16((int64_t)w * (1 << integer_bits)) + (1 << 12)); /* + 1/8 */
	int16_t x2 = ek_srdhm16(x, x), x3 = ek_srdhm16(x2, x), x4 = ek_srdhm16(x2, x2);
	int16_t cubic = (int16_t)(ek_rdbpot(x4, 2) + x3);
	int16_t tail = (int16_t)ek_rdbpot((int16_t)(ek_srdhm16(cubic, third) + x2), 1);
	int16_t r = ek_sat16(eighth + ek_srdhm16(eighth, (int16_t)(x + tail)));
	int16_t rest = (int16_t)(w - d);
	for (int32_t k = -2; k < integer_bits && k <= 4; k++) {
		if (rest & (1 << (fraction + k))) {
			r = ek_srdhm16(r, power[k + 2]);
		}
	}
	return r;
}

/* 1 / (1 + a) with 13 fraction bits for 0 <= a < 1 with 15. Three steps of Newton's method. */
static inline int16_t ek_fixed16_reciprocal1(int16_t a)
{
	int16_t half = (int16_t)((a + (1 << 15)) / 2);
	const int16_t slope = -EK_FIXED16(1010580540); /* 32/17 */
	int16_t x = (int16_t)(EK_FIXED16(1515870810) + ek_srdhm16(half, slope)); /* 48/17 - ... */
	for (int i = 0; i < 3; i++) {
		int16_t miss = (int16_t)((1 << 13) - ek_srdhm16(half, x));
		x = (int16_t)(x + ek_sat16((int64_t)ek_srdhm16(x, miss) * 4));
	}
	return x;
}

/* -|x|; the lowest code has no positive twin. */
static inline int16_t ek_fixed16_below(int16_t x)
{
	return (int16_t)(x > 0 ? -x : x);
}

/* 1 / (1 + exp(-x)) with 15 fraction bits, x with 3 integer bits. */
static inline int16_t ek_fixed16_logistic(int16_t x)
{
	if (x == 0) {
		return 1 << 14;
	}
	int16_t e = ek_fixed16_exp(ek_fixed16_below(x), 3);
	int16_t y = ek_sat16((int64_t)ek_fixed16_reciprocal1(e) * 2);
	return x < 0 ? (int16_t)(INT16_MAX - y) : y;
}

/* tanh(x) with 15 fraction bits, x with @integer_bits (0..6) integer bits. */
static inline int16_t ek_fixed16_tanh(int16_t x, int32_t integer_bits)
{
	if (x == 0) {
		return 0;
	}
	/* exp(-2|x|): the same bits with one integer bit more. */
	int16_t e = ek_fixed16_exp(ek_fixed16_below(x), integer_bits + 1);
	int16_t y = ek_sat16((int64_t)(ek_fixed16_reciprocal1(e) - (1 << 13)) * 4);
	return (int16_t)(x < 0 ? -y : y);
}

#endif
