/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/arith_q.h"

#include "kernels/math/fixed.h"
#if defined(__x86_64__)
#include "kernels/elementwise/arith_q_x86.h"
#elif defined(__aarch64__) || defined(__arm__)
#include "kernels/elementwise/arith_q_arm.h"
#endif

static inline int32_t add_one(int32_t a, int32_t b, const struct ek_arith_q *p)
{
	int32_t x = ek_mbqm(ek_shl32(a - p->a_zero, p->left_shift), p->a_scale);
	int32_t y = ek_mbqm(ek_shl32(b - p->b_zero, p->left_shift), p->b_scale);
	int32_t sum = ek_mbqm(x + p->sign * y, p->scale);
	return ek_clamp32(ek_add32(sum, p->zero), p->lo, p->hi);
}

static inline int32_t add_one_pot(int32_t a, int32_t b, const struct ek_arith_q *p)
{
	int32_t x = ek_rdbpot(a, -p->a_scale.shift), y = ek_rdbpot(b, -p->b_scale.shift);
	return ek_clamp32(ek_sat16(x + p->sign * y), p->lo, p->hi);
}

/* The difference is of at most 16 bits and a sign. */
static inline int32_t squared_one(int32_t a, int32_t b, const struct ek_arith_q *p)
{
	int32_t x = ek_mbqm(ek_shl32(a - p->a_zero, p->left_shift), p->a_scale);
	int32_t y = ek_mbqm(ek_shl32(b - p->b_zero, p->left_shift), p->b_scale);
	int32_t square = ek_mbqm(ek_mul32(x - y, x - y), p->scale);
	return ek_clamp32(ek_add32(square, p->zero), p->lo, p->hi);
}

static inline int32_t mul_one(int32_t a, int32_t b, const struct ek_arith_q *p)
{
	int32_t product = ek_mul32(a - p->a_zero, b - p->b_zero);
	return ek_clamp32(ek_add32(ek_mbqm(product, p->scale), p->zero), p->lo, p->hi);
}

static inline int32_t mul_one_mixed(int32_t a, int32_t b, const struct ek_arith_q *p)
{
	int32_t product = ek_rdbpot(ek_srdhm16((int16_t)a, (int16_t)b), 8);
	return ek_clamp32(product + p->zero, p->lo, p->hi);
}

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

static inline int32_t div_one(int32_t a, int32_t b, const struct ek_arith_q *p)
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

#define ROW(linkage, name, type, dst_type, one)                                                    \
	linkage void name(void *dst, const void *a, const void *b, size_t n, size_t a_step,        \
		size_t b_step, const struct ek_arith_q *params)                                    \
	{                                                                                          \
		const type *x = a, *y = b;                                                         \
		dst_type *z = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = (dst_type)one(x[i * a_step], y[i * b_step], params);                \
		}                                                                                  \
	}

ROW(static, add_s8__c, int8_t, int8_t, add_one)
ROW(static, add_u8__c, uint8_t, uint8_t, add_one)
ROW(static, add_s16__c, int16_t, int16_t, add_one)
ROW(static, add_s16_pot__c, int16_t, int16_t, add_one_pot)
ROW(static, squared_difference_s8__c, int8_t, int8_t, squared_one)
ROW(static, mul_s8__c, int8_t, int8_t, mul_one)
ROW(static, mul_u8__c, uint8_t, uint8_t, mul_one)
ROW(static, mul_s16__c, int16_t, int16_t, mul_one)
ROW(static, mul_s16s8__c, int16_t, int8_t, mul_one_mixed)
ROW(static, mul_s16u8__c, int16_t, uint8_t, mul_one_mixed)
ROW(extern, ek_div_s8, int8_t, int8_t, div_one)
ROW(extern, ek_div_u8, uint8_t, uint8_t, div_one)
ROW(extern, ek_div_s16, int16_t, int16_t, div_one)

/* @prove_avx2, @prove_avx512vnni: the row's prove(), which only x86-64 has. */
#if defined(__x86_64__)
#define VARIANTS(name, prove_avx2, prove_avx512vnni)                                               \
	{{#name "__avx2", EK_CPU_AVX2}, ek_##name##__avx2, prove_avx2},                            \
		{{#name "__avx512vnni", EK_CPU_AVX512_VNNI}, ek_##name##__avx512vnni,              \
			prove_avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
#define VARIANTS(name, prove_avx2, prove_avx512vnni)                                               \
	{{#name "__neon", EK_CPU_NEON}, ek_##name##__neon, NULL},
#else
#define VARIANTS(name, prove_avx2, prove_avx512vnni)
#endif

#define LIST(name, ...)                                                                            \
	const struct ek_arith_q_row ek_##name[] = {                                                \
		{{#name "__c", 0}, name##__c, NULL}, __VA_ARGS__};                                 \
	const size_t ek_##name##_count = sizeof(ek_##name) / sizeof(ek_##name[0]);
#define LIST_PROVEN(name)                                                                          \
	LIST(name, VARIANTS(name, ek_##name##_prove__avx2, ek_##name##_prove__avx512vnni))

LIST_PROVEN(add_s8)
LIST_PROVEN(add_u8)
LIST(add_s16, VARIANTS(add_s16, NULL, NULL))
LIST(add_s16_pot, VARIANTS(add_s16_pot, NULL, NULL))
LIST(squared_difference_s8)
LIST_PROVEN(mul_s8)
LIST_PROVEN(mul_u8)
LIST(mul_s16, VARIANTS(mul_s16, NULL, NULL))
LIST(mul_s16s8)
LIST(mul_s16u8)
