/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/add.h"

#if defined(__x86_64__)
#include "kernels/elementwise/elementwise_x86.h"
#elif defined(__aarch64__) || defined(__arm__)
#include "kernels/elementwise/elementwise_arm.h"
#endif

static inline int32_t add_one(int32_t a, int32_t b, const struct ek_add_params *p)
{
	int32_t x = ek_mbqm(ek_shl32(a - p->a_zero, p->left_shift), p->a_scale);
	int32_t y = ek_mbqm(ek_shl32(b - p->b_zero, p->left_shift), p->b_scale);
	int32_t sum = ek_mbqm(x + p->sign * y, p->scale);
	return ek_clamp32(ek_add32(sum, p->zero), p->lo, p->hi);
}

static inline int32_t add_one_pot(int32_t a, int32_t b, const struct ek_add_params *p)
{
	int32_t x = ek_rdbpot(a, -p->a_scale.shift), y = ek_rdbpot(b, -p->b_scale.shift);
	return ek_clamp32(ek_sat16(x + p->sign * y), p->lo, p->hi);
}

/* The difference is of at most 16 bits and a sign. */
static inline int32_t squared_one(int32_t a, int32_t b, const struct ek_add_params *p)
{
	int32_t x = ek_mbqm(ek_shl32(a - p->a_zero, p->left_shift), p->a_scale);
	int32_t y = ek_mbqm(ek_shl32(b - p->b_zero, p->left_shift), p->b_scale);
	int32_t square = ek_mbqm(ek_mul32(x - y, x - y), p->scale);
	return ek_clamp32(ek_add32(square, p->zero), p->lo, p->hi);
}

#define ADD_ROW(name, type, one)                                                                   \
	static void name(void *dst, const void *a, const void *b, size_t n, size_t a_step,         \
		size_t b_step, const struct ek_add_params *params)                                 \
	{                                                                                          \
		const type *x = a, *y = b;                                                         \
		type *z = dst;                                                                     \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = (type)one(x[i * a_step], y[i * b_step], params);                    \
		}                                                                                  \
	}

ADD_ROW(add_s8__c, int8_t, add_one)
ADD_ROW(add_u8__c, uint8_t, add_one)
ADD_ROW(add_s16__c, int16_t, add_one)
ADD_ROW(add_s16_pot__c, int16_t, add_one_pot)
ADD_ROW(squared_difference_s8__c, int8_t, squared_one)

const struct ek_add ek_add_s8[] = {
	{{"add_s8__c", 0}, add_s8__c, NULL},
#if defined(__x86_64__)
	{{"add_s8__avx2", EK_CPU_AVX2}, ek_add_s8__avx2, ek_add_s8_prove__avx2},
	{{"add_s8__avx512vnni", EK_CPU_AVX512_VNNI}, ek_add_s8__avx512vnni,
		ek_add_s8_prove__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"add_s8__neon", EK_CPU_NEON}, ek_add_s8__neon, NULL},
#endif
};
const struct ek_add ek_add_u8[] = {
	{{"add_u8__c", 0}, add_u8__c, NULL},
#if defined(__x86_64__)
	{{"add_u8__avx2", EK_CPU_AVX2}, ek_add_u8__avx2, ek_add_u8_prove__avx2},
	{{"add_u8__avx512vnni", EK_CPU_AVX512_VNNI}, ek_add_u8__avx512vnni,
		ek_add_u8_prove__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"add_u8__neon", EK_CPU_NEON}, ek_add_u8__neon, NULL},
#endif
};
const struct ek_add ek_add_s16[] = {
	{{"add_s16__c", 0}, add_s16__c, NULL},
#if defined(__x86_64__)
	{{"add_s16__avx2", EK_CPU_AVX2}, ek_add_s16__avx2, NULL},
	{{"add_s16__avx512vnni", EK_CPU_AVX512_VNNI}, ek_add_s16__avx512vnni, NULL},
#elif defined(__aarch64__) || defined(__arm__)
	{{"add_s16__neon", EK_CPU_NEON}, ek_add_s16__neon, NULL},
#endif
};
const struct ek_add ek_add_s16_pot[] = {
	{{"add_s16_pot__c", 0}, add_s16_pot__c, NULL},
#if defined(__x86_64__)
	{{"add_s16_pot__avx2", EK_CPU_AVX2}, ek_add_s16_pot__avx2, NULL},
	{{"add_s16_pot__avx512vnni", EK_CPU_AVX512_VNNI}, ek_add_s16_pot__avx512vnni, NULL},
#elif defined(__aarch64__) || defined(__arm__)
	{{"add_s16_pot__neon", EK_CPU_NEON}, ek_add_s16_pot__neon, NULL},
#endif
};
const struct ek_add ek_squared_difference_s8[] = {
	{{"squared_difference_s8__c", 0}, squared_difference_s8__c, NULL}};
const size_t ek_add_s8_count = sizeof(ek_add_s8) / sizeof(ek_add_s8[0]);
const size_t ek_add_u8_count = sizeof(ek_add_u8) / sizeof(ek_add_u8[0]);
const size_t ek_add_s16_count = sizeof(ek_add_s16) / sizeof(ek_add_s16[0]);
const size_t ek_add_s16_pot_count = sizeof(ek_add_s16_pot) / sizeof(ek_add_s16_pot[0]);
const size_t ek_squared_difference_s8_count =
	sizeof(ek_squared_difference_s8) / sizeof(ek_squared_difference_s8[0]);
