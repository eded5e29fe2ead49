/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/div.h"

#include "kernels/math/fixed.h"

/* Bits below the sign that repeat it: 31 for 0 and -1. */
static inline int32_t headroom_of(int32_t x)
{
	return ek_clz32((uint32_t)(x < 0 ? ~x : x)) - 1;
}

/* x * 2^shift; down with ties away from zero, up saturating. */
static inline int32_t scale_by_power(int32_t x, int32_t shift)
{
	if (shift > 0) {
		return ek_sat32((int64_t)((uint64_t)(int64_t)x << (shift > 31 ? 31 : shift)));
	}
	return shift < -31 ? 0 : ek_rdbpot(x, -shift);
}

static inline int32_t div_one(int32_t a, int32_t b, const struct ek_div_params *p)
{
	int32_t x = a - p->a_zero, y = b - p->b_zero, bits = 0;
	x = y < 0 ? -x : x;
	y = y < 0 ? -y : y;
	int32_t inverse = ek_fixed_reciprocal(y, 31, &bits);
	int32_t headroom = headroom_of(x);
	int32_t quotient = ek_srdhm(ek_shl32(x, headroom), inverse);
	int32_t scaled = ek_srdhm(quotient, p->scale.multiplier);
	int32_t shifted = scale_by_power(scaled, p->scale.shift - bits - headroom);
	return ek_clamp32(ek_sat32((int64_t)shifted + p->zero), p->lo, p->hi);
}

#define DIV_ROW(name, type)                                                                        \
	void name(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step, \
		const struct ek_div_params *params)                                                \
	{                                                                                          \
		const type *x = a, *y = b;                                                         \
		type *z = dst;                                                                     \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = (type)div_one(x[i * a_step], y[i * b_step], params);                \
		}                                                                                  \
	}

DIV_ROW(ek_div_s8, int8_t)
DIV_ROW(ek_div_u8, uint8_t)
DIV_ROW(ek_div_s16, int16_t)
