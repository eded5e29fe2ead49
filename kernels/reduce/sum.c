/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/sum.h"

/* @wide: the unsigned type of @sum_type, in which sums wrap; for float and bool the type itself. */
#define SUM_ROW(name, type, sum_type, wide, op)                                                    \
	void name(void *sums, const void *src, size_t n, size_t step)                              \
	{                                                                                          \
		const type *x = src;                                                               \
		sum_type *y = sums;                                                                \
		if (step) {                                                                        \
			for (size_t i = 0; i < n; i++) {                                           \
				y[i] = (sum_type)((wide)y[i] op(wide) x[i]);                       \
			}                                                                          \
			return;                                                                    \
		}                                                                                  \
		wide sum = (wide)*y;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum = (wide)(sum op(wide) x[i]);                                           \
		}                                                                                  \
		*y = (sum_type)sum;                                                                \
	}

static SUM_ROW(sum_s8__c, int8_t, int32_t, uint32_t, +) static SUM_ROW(
	sum_u8__c, uint8_t, int32_t, uint32_t, +) static SUM_ROW(sum_s16__c, int16_t, int32_t,
	uint32_t, +) static SUM_ROW(sum_f32__c, float, float, float, +)
	SUM_ROW(ek_sum_s32, int32_t, int32_t, uint32_t, +)
		SUM_ROW(ek_sum_s32to64, int32_t, int64_t, uint64_t, +)
			SUM_ROW(ek_sum_s64, int64_t, int64_t, uint64_t, +)
				SUM_ROW(ek_sum_bool, uint8_t, uint8_t, uint8_t, |)

					const struct ek_sum ek_sum_s8[] = {
						{{"sum_s8__c", 0}, sum_s8__c},
#if defined(__x86_64__)
						{{"sum_s8__avx2", EK_CPU_AVX2}, ek_sum_s8__avx2},
#elif defined(__arm__)
						{{"sum_s8__neon", EK_CPU_NEON}, ek_sum_s8__neon},
#endif
};
const struct ek_sum ek_sum_u8[] = {
	{{"sum_u8__c", 0}, sum_u8__c},
#if defined(__x86_64__)
	{{"sum_u8__avx2", EK_CPU_AVX2}, ek_sum_u8__avx2},
#elif defined(__arm__)
	{{"sum_u8__neon", EK_CPU_NEON}, ek_sum_u8__neon},
#endif
};
const struct ek_sum ek_sum_s16[] = {
	{{"sum_s16__c", 0}, sum_s16__c},
#if defined(__arm__)
	{{"sum_s16__neon", EK_CPU_NEON}, ek_sum_s16__neon},
#endif
};
const struct ek_sum ek_sum_f32[] = {{{"sum_f32__c", 0}, sum_f32__c}};
const size_t ek_sum_s8_count = sizeof(ek_sum_s8) / sizeof(ek_sum_s8[0]);
const size_t ek_sum_u8_count = sizeof(ek_sum_u8) / sizeof(ek_sum_u8[0]);
const size_t ek_sum_s16_count = sizeof(ek_sum_s16) / sizeof(ek_sum_s16[0]);
const size_t ek_sum_f32_count = sizeof(ek_sum_f32) / sizeof(ek_sum_f32[0]);
