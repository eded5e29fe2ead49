/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/softmax/softmax.h"

#include <math.h>

#include "kernels/elementwise/lut.h"
#include "kernels/math/fixed.h"
#include "kernels/softmax/softmax_parts.h"

#define INTEGER_BITS 5 /* of a scaled difference */
#define LEAST_SUM_S16 (1 << 14) /* half of what a row's maximum alone gives */

void ek_softmax_exp8(struct ek_scale scale, int32_t diff_min, int32_t ret_table[static 256])
{
	for (int32_t i = 0; i < 256; i++) {
		ret_table[i] = -i < diff_min ? 0 : ek_fixed_exp(ek_mbqm(-i, scale), INTEGER_BITS);
	}
}

static inline int32_t share(
	int32_t e, int32_t reciprocal, int32_t shift, const struct ek_softmax_params *p)
{
	int32_t y = ek_srdhm(reciprocal, e);
	y = shift > 31 ? 0 : ek_rdbpot(y, shift); /* less than half a unit is left there */
	return ek_clamp32(y + p->out_lo, p->out_lo, p->out_hi);
}

/* Differences are cut to 8 bits for the case that somebody else writes to @src meanwhile: any result
 * will do then, but no other memory may be read. */
#define SOFTMAX_ROW(name, type, dst_type)                                                          \
	static int32_t max_##name(int32_t max, const void *src, size_t n)                          \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			max = x[i] > max ? x[i] : max;                                             \
		}                                                                                  \
		return max;                                                                        \
	}                                                                                          \
	static uint64_t sum_##name(uint64_t sum, const void *src, size_t n, int32_t max,           \
		const struct ek_softmax_params *params)                                            \
	{                                                                                          \
		const int32_t *e = params->exp8;                                                   \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum += (uint32_t)ek_rdbpot(e[(uint8_t)(max - x[i])], EK_SOFTMAX_SUM_BITS); \
		}                                                                                  \
		return sum;                                                                        \
	}                                                                                          \
	static void share_##name(void *dst, const void *src, size_t n, int32_t max, uint64_t sum,  \
		const struct ek_softmax_params *params)                                            \
	{                                                                                          \
		const int32_t *e = params->exp8;                                                   \
		const type *x = src;                                                               \
		dst_type *y = dst;                                                                 \
		int32_t shift, reciprocal = ek_softmax_invert(sum, params, &shift);                \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (dst_type)share(                                                    \
				e[(uint8_t)(max - x[i])], reciprocal, shift, params);              \
		}                                                                                  \
	}                                                                                          \
	static void softmax_##name##__c(                                                           \
		void *dst, const void *src, size_t n, const struct ek_softmax_params *params)      \
	{                                                                                          \
		int32_t max = max_##name(*(const type *)src, src, n);                              \
		uint64_t sum = sum_##name(0, src, n, max, params);                                 \
		share_##name(dst, src, n, max, sum, params);                                       \
	}                                                                                          \
	const struct ek_softmax_parts ek_softmax_parts_##name = {                                  \
		max_##name, sum_##name, share_##name};

SOFTMAX_ROW(s8, int8_t, int8_t)
SOFTMAX_ROW(u8, uint8_t, uint8_t)
SOFTMAX_ROW(s8to16, int8_t, int16_t)
SOFTMAX_ROW(u8to16, uint8_t, int16_t)

static inline int32_t exp_s16(int32_t difference, const struct ek_softmax_params *p)
{
	int32_t x = ek_add32(ek_mbqm(difference, p->scale), INT16_MAX);
	return ek_lut513_at(p->exp, ek_sat16(x));
}

static void softmax_s16__c(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params)
{
	const int16_t *x = src;
	int16_t *y = dst;
	int32_t max = x[0], sum = 0;
	for (size_t i = 1; i < n; i++) {
		max = x[i] > max ? x[i] : max;
	}
	for (size_t i = 0; i < n; i++) {
		sum = ek_add32(sum, exp_s16(x[i] - max, params));
	}
	sum = sum > LEAST_SUM_S16 ? sum : LEAST_SUM_S16;
	int32_t zeros = ek_clz32((uint32_t)sum);
	/* sum = (1 + f) * 2^(31 - zeros); f in 0..1 becomes the codes -32768..32767 */
	int64_t shifted = ((int64_t)sum << (zeros - 1)) + (1 << 13);
	int16_t f = ek_sat16((shifted >> 14) - (1 << 15) - (1 << 16));
	int32_t reciprocal = ek_lut513_at(params->reciprocal, f);
	for (size_t i = 0; i < n; i++) {
		int32_t product = exp_s16(x[i] - max, params) * reciprocal;
		int32_t v = ek_add32(product, 1 << (30 - zeros)) >> (31 - zeros);
		y[i] = (int16_t)ek_clamp32(v, 0, INT16_MAX);
	}
}

float ek_softmax_f32_max(float max, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		max = max < src[i] ? src[i] : max;
	}
	return max;
}

float ek_softmax_f32_sum(float sum, float *dst, const float *src, size_t n, float max, float beta)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = expf((src[i] - max) * beta);
		sum += dst[i];
	}
	return sum;
}

void ek_softmax_f32_share(float *dst, size_t n, float sum)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] /= sum;
	}
}

void ek_softmax_f32(float *dst, const float *src, size_t n, float beta)
{
	float max = ek_softmax_f32_max(src[0], src, n);
	float sum = ek_softmax_f32_sum(0, dst, src, n, max, beta);
	ek_softmax_f32_share(dst, n, sum);
}

const struct ek_softmax ek_softmax_s8[] = {
	{{"softmax_s8__c", 0}, softmax_s8__c},
#if defined(__x86_64__)
	{{"softmax_s8__avx2", EK_CPU_AVX2}, ek_softmax_s8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"softmax_s8__neon", EK_CPU_NEON}, ek_softmax_s8__neon},
#endif
};
const struct ek_softmax ek_softmax_u8[] = {
	{{"softmax_u8__c", 0}, softmax_u8__c},
#if defined(__x86_64__)
	{{"softmax_u8__avx2", EK_CPU_AVX2}, ek_softmax_u8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"softmax_u8__neon", EK_CPU_NEON}, ek_softmax_u8__neon},
#endif
};
const struct ek_softmax ek_softmax_s8to16[] = {
	{{"softmax_s8to16__c", 0}, softmax_s8to16__c},
#if defined(__aarch64__) || defined(__arm__)
	{{"softmax_s8to16__neon", EK_CPU_NEON}, ek_softmax_s8to16__neon},
#endif
};
const struct ek_softmax ek_softmax_u8to16[] = {
	{{"softmax_u8to16__c", 0}, softmax_u8to16__c},
#if defined(__aarch64__) || defined(__arm__)
	{{"softmax_u8to16__neon", EK_CPU_NEON}, ek_softmax_u8to16__neon},
#endif
};
const struct ek_softmax ek_softmax_s16[] = {{{"softmax_s16__c", 0}, softmax_s16__c}};
const size_t ek_softmax_s8_count = sizeof(ek_softmax_s8) / sizeof(ek_softmax_s8[0]);
const size_t ek_softmax_u8_count = sizeof(ek_softmax_u8) / sizeof(ek_softmax_u8[0]);
const size_t ek_softmax_s8to16_count = sizeof(ek_softmax_s8to16) / sizeof(ek_softmax_s8to16[0]);
const size_t ek_softmax_u8to16_count = sizeof(ek_softmax_u8to16) / sizeof(ek_softmax_u8to16[0]);
const size_t ek_softmax_s16_count = sizeof(ek_softmax_s16) / sizeof(ek_softmax_s16[0]);
