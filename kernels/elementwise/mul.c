/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/mul.h"

#if defined(__x86_64__)
#include "kernels/elementwise/elementwise_x86.h"
#elif defined(__aarch64__) || defined(__arm__)
#include "kernels/elementwise/elementwise_arm.h"
#endif

static inline int32_t mul_one(int32_t a, int32_t b, const struct ek_mul_params *p)
{
	int32_t product = ek_mul32(a - p->a_zero, b - p->b_zero);
	return ek_clamp32(ek_add32(ek_mbqm(product, p->scale), p->zero), p->lo, p->hi);
}

static inline int32_t mul_one_mixed(int32_t a, int32_t b, const struct ek_mul_params *p)
{
	int32_t product = ek_rdbpot(ek_srdhm16((int16_t)a, (int16_t)b), 8);
	return ek_clamp32(product + p->zero, p->lo, p->hi);
}

#define MUL_ROW(name, type, dst_type, one)                                                         \
	static void name(void *dst, const void *a, const void *b, size_t n, size_t a_step,         \
		size_t b_step, const struct ek_mul_params *params)                                 \
	{                                                                                          \
		const type *x = a, *y = b;                                                         \
		dst_type *z = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = (dst_type)one(x[i * a_step], y[i * b_step], params);                \
		}                                                                                  \
	}

MUL_ROW(mul_s8__c, int8_t, int8_t, mul_one)
MUL_ROW(mul_u8__c, uint8_t, uint8_t, mul_one)
MUL_ROW(mul_s16__c, int16_t, int16_t, mul_one)
MUL_ROW(mul_s16s8__c, int16_t, int8_t, mul_one_mixed)
MUL_ROW(mul_s16u8__c, int16_t, uint8_t, mul_one_mixed)

const struct ek_mul ek_mul_s8[] = {
	{{"mul_s8__c", 0}, mul_s8__c, NULL},
#if defined(__x86_64__)
	{{"mul_s8__avx2", EK_CPU_AVX2}, ek_mul_s8__avx2, ek_mul_s8_prove__avx2},
	{{"mul_s8__avx512vnni", EK_CPU_AVX512_VNNI}, ek_mul_s8__avx512vnni,
		ek_mul_s8_prove__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"mul_s8__neon", EK_CPU_NEON}, ek_mul_s8__neon, NULL},
#endif
};
const struct ek_mul ek_mul_u8[] = {
	{{"mul_u8__c", 0}, mul_u8__c, NULL},
#if defined(__x86_64__)
	{{"mul_u8__avx2", EK_CPU_AVX2}, ek_mul_u8__avx2, ek_mul_u8_prove__avx2},
	{{"mul_u8__avx512vnni", EK_CPU_AVX512_VNNI}, ek_mul_u8__avx512vnni,
		ek_mul_u8_prove__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"mul_u8__neon", EK_CPU_NEON}, ek_mul_u8__neon, NULL},
#endif
};
const struct ek_mul ek_mul_s16[] = {
	{{"mul_s16__c", 0}, mul_s16__c, NULL},
#if defined(__x86_64__)
	{{"mul_s16__avx2", EK_CPU_AVX2}, ek_mul_s16__avx2, NULL},
	{{"mul_s16__avx512vnni", EK_CPU_AVX512_VNNI}, ek_mul_s16__avx512vnni, NULL},
#elif defined(__aarch64__) || defined(__arm__)
	{{"mul_s16__neon", EK_CPU_NEON}, ek_mul_s16__neon, NULL},
#endif
};
const struct ek_mul ek_mul_s16s8[] = {{{"mul_s16s8__c", 0}, mul_s16s8__c, NULL}};
const struct ek_mul ek_mul_s16u8[] = {{{"mul_s16u8__c", 0}, mul_s16u8__c, NULL}};
const size_t ek_mul_s8_count = sizeof(ek_mul_s8) / sizeof(ek_mul_s8[0]);
const size_t ek_mul_u8_count = sizeof(ek_mul_u8) / sizeof(ek_mul_u8[0]);
const size_t ek_mul_s16_count = sizeof(ek_mul_s16) / sizeof(ek_mul_s16[0]);
const size_t ek_mul_s16s8_count = sizeof(ek_mul_s16s8) / sizeof(ek_mul_s16s8[0]);
const size_t ek_mul_s16u8_count = sizeof(ek_mul_s16u8) / sizeof(ek_mul_s16u8[0]);
