/* SPDX-License-Identifier: Apache-2.0 */
#define ROW(name) name##__neon

#include "kernels/recurrent/lstm_cell_body.h"

#include "kernels/math/fixed16.h"

/* ek_fixed16_exp() of eight: VQRDMULH is ek_srdhm16(). */
ALWAYS_INLINE int16x8_t exp8(int16x8_t d, const int32_t integer_bits)
{
	static const int16_t power[7] = {EK_FIXED16(1672461947), EK_FIXED16(1302514674),
		EK_FIXED16(790015084), EK_FIXED16(290630308), EK_FIXED16(39332535),
		EK_FIXED16(720401), EK_FIXED16(242)};
	const int16x8_t eighth = vdupq_n_s16(EK_FIXED16(1895147668));
	const int16x8_t third = vdupq_n_s16(EK_FIXED16(715827883));
	const int32_t fraction = 15 - integer_bits;
	const int16x8_t quarter = vdupq_n_s16((int16_t)(1 << (fraction - 2)));
	int16x8_t w = vandq_s16(d, vsubq_s16(quarter, vdupq_n_s16(1)));
	w = vsubq_s16(w, quarter);
	int16x8_t x = vqshlq_s16(w, vdupq_n_s16((int16_t)integer_bits));
	x = vaddq_s16(x, vdupq_n_s16(1 << 12));
	int16x8_t x2 = vqrdmulhq_s16(x, x), x3 = vqrdmulhq_s16(x2, x), x4 = vqrdmulhq_s16(x2, x2);
	int16x8_t cubic = vaddq_s16(vrshrq_n_s16(x4, 2), x3); /* x4 is not below zero */
	int16x8_t tail = vaddq_s16(vqrdmulhq_s16(cubic, third), x2);
	tail = vrshrq_n_s16(vsraq_n_s16(tail, tail, 15), 1);
	int16x8_t r = vqaddq_s16(eighth, vqrdmulhq_s16(eighth, vaddq_s16(x, tail)));
	const int16x8_t rest = vsubq_s16(w, d);
	for (int32_t k = -2; k < integer_bits && k <= 4; k++) {
		const uint16x8_t has = vtstq_s16(rest, vdupq_n_s16((int16_t)(1 << (fraction + k))));
		r = vbslq_s16(has, vqrdmulhq_s16(r, vdupq_n_s16(power[k + 2])), r);
	}
	return vbslq_s16(vceqq_s16(d, vdupq_n_s16(0)), vdupq_n_s16(INT16_MAX), r);
}

/* ek_fixed16_reciprocal1() */
ALWAYS_INLINE int16x8_t reciprocal8(int16x8_t a)
{
	const int16x8_t half = vaddq_s16(vshrq_n_s16(a, 1), vdupq_n_s16(1 << 14));
	int16x8_t x = vqrdmulhq_s16(half, vdupq_n_s16(-EK_FIXED16(1010580540)));
	x = vaddq_s16(x, vdupq_n_s16(EK_FIXED16(1515870810)));
#pragma GCC unroll 3
	for (int i = 0; i < 3; i++) {
		int16x8_t miss = vsubq_s16(vdupq_n_s16(1 << 13), vqrdmulhq_s16(half, x));
		x = vaddq_s16(x, vqshlq_n_s16(vqrdmulhq_s16(x, miss), 2));
	}
	return x;
}

/* -|x| */
ALWAYS_INLINE int16x8_t below8(int16x8_t x)
{
	return vminq_s16(x, vnegq_s16(x));
}

ALWAYS_INLINE int16x8_t logistic8(int16x8_t x)
{
	const int16x8_t zero = vdupq_n_s16(0);
	int16x8_t y = vqshlq_n_s16(reciprocal8(exp8(below8(x), 3)), 1);
	y = vbslq_s16(vcltq_s16(x, zero), vsubq_s16(vdupq_n_s16(INT16_MAX), y), y);
	return vbslq_s16(vceqq_s16(x, zero), vdupq_n_s16(1 << 14), y);
}

ALWAYS_INLINE int16x8_t tanh8(int16x8_t x, int32_t integer_bits)
{
	const int16x8_t zero = vdupq_n_s16(0);
	int16x8_t y = reciprocal8(exp8(below8(x), integer_bits + 1));
	y = vqshlq_n_s16(vsubq_s16(y, vdupq_n_s16(1 << 13)), 2);
	y = vbslq_s16(vcltq_s16(x, zero), vnegq_s16(y), y);
	return vbslq_s16(vceqq_s16(x, zero), zero, y);
}

ALWAYS_INLINE int16x8_t load_first(const int16_t *from, size_t n)
{
	int16_t some[8] = {0};
	memcpy(some, from, n * sizeof(*some));
	return vld1q_s16(some);
}

ALWAYS_INLINE void store_first(int16_t *to, size_t n, int16x8_t v)
{
	int16_t all[8];
	vst1q_s16(all, v);
	memcpy(to, all, n * sizeof(*all));
}

void ek_lstm_logistic_s16__neon(int16_t *s, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		vst1q_s16(s + i, logistic8(vld1q_s16(s + i)));
	}
	if (i < n) {
		store_first(s + i, n - i, logistic8(load_first(s + i, n - i)));
	}
}

void ek_lstm_tanh_s16__neon(const int16_t *x, int32_t integer_bits, size_t n, int16_t *ret)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		vst1q_s16(ret + i, tanh8(vld1q_s16(x + i), integer_bits));
	}
	if (i < n) {
		store_first(ret + i, n - i, tanh8(load_first(x + i, n - i), integer_bits));
	}
}
