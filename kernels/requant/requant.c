/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requant/requant.h"

#define REQUANT_ROW(name, type, dst_type)                                                          \
	static void name(                                                                          \
		void *dst, const void *src, size_t n, const struct ek_requant_params *params)      \
	{                                                                                          \
		const type *x = src;                                                               \
		dst_type *y = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (dst_type)ek_requant_one(x[i], params);                             \
		}                                                                                  \
	}

REQUANT_ROW(requant_s16s8__c, int16_t, int8_t)
REQUANT_ROW(requant_s16s16__c, int16_t, int16_t)
REQUANT_ROW(requant_s16s32__c, int16_t, int32_t)
REQUANT_ROW(requant_s32s8__c, int32_t, int8_t)
REQUANT_ROW(requant_s32s16__c, int32_t, int16_t)

/* roundf() is a call on plain x86-64. Below 2^22 the fraction is exact, so that it can be asked for
 * explicitly. */
static inline int32_t round_away(float v)
{
	float size = v < 0 ? -v : v;
	if (!(size < 4194304.0f)) {
		return ek_round32((double)v);
	}
	int32_t whole = (int32_t)size;
	whole += size - (float)whole >= 0.5f;
	return v < 0 ? -whole : whole;
}

/* Ties go to the even neighbour. */
static inline int32_t round_even(float v)
{
	int32_t away = round_away(v);
	float size = v < 0 ? -v : v;
	bool tie = size < 4194304.0f && size - (float)(int32_t)size == 0.5f;
	return tie && away & 1 ? away - (v < 0 ? -1 : 1) : away;
}

#define QUANTIZE_LOOP(dst_type, code)                                                              \
	for (size_t i = 0; i < n; i++) {                                                           \
		int64_t v = (int64_t)(code) + p.zero;                                              \
		((dst_type *)dst)[i] = (dst_type)(v < p.lo ? p.lo : v > p.hi ? p.hi : v);          \
	}

#define QUANTIZE_ROW(name, dst_type)                                                               \
	static void name(                                                                          \
		void *dst, const float *src, size_t n, const struct ek_quantize_params *params)    \
	{                                                                                          \
		const struct ek_quantize_params p = *params;                                       \
		const float inverse = 1.0f / p.step;                                               \
		if (p.even) {                                                                      \
			QUANTIZE_LOOP(dst_type, round_even(src[i] * inverse))                      \
		} else {                                                                           \
			QUANTIZE_LOOP(dst_type, round_away(src[i] / p.step))                       \
		}                                                                                  \
	}

QUANTIZE_ROW(quantize_s8__c, int8_t)
QUANTIZE_ROW(quantize_u8__c, uint8_t)
QUANTIZE_ROW(quantize_s16__c, int16_t)

#define DEQUANTIZE_ROW(name, type)                                                                 \
	void name(float *dst, const void *src, size_t n, float step, int32_t zero)                 \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			dst[i] = step * (float)ek_sub32(x[i], zero);                               \
		}                                                                                  \
	}

DEQUANTIZE_ROW(ek_dequantize_s8, int8_t)
DEQUANTIZE_ROW(ek_dequantize_u8, uint8_t)
DEQUANTIZE_ROW(ek_dequantize_s16, int16_t)
DEQUANTIZE_ROW(ek_dequantize_s32, int32_t)

size_t ek_miss_f32(float *dst, const float *reference, size_t n, float limit)
{
	size_t first = n;
	for (size_t i = 0; i < n; i++) {
		dst[i] -= reference[i];
		if (first == n && fabsf(dst[i]) > limit) {
			first = i;
		}
	}
	return first;
}

void ek_unpack_s4(int8_t *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = (int8_t)((int8_t)(src[i / 2] << (i & 1 ? 0 : 4)) >> 4);
	}
}

void ek_pack_s4(uint8_t *dst, const int8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		uint8_t high = i + 1 < n ? (uint8_t)((uint8_t)src[i + 1] << 4) : 0;
		dst[i / 2] = (uint8_t)((src[i] & 15) | high);
	}
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const struct ek_requant ek_requant_s16s8[] = {
	{{"requant_s16s8__c", 0}, requant_s16s8__c},
#if defined(__x86_64__)
	{{"requant_s16s8__avx2", EK_CPU_AVX2}, ek_requant_s16s8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"requant_s16s8__neon", EK_CPU_NEON}, ek_requant_s16s8__neon},
#endif
};
const struct ek_requant ek_requant_s16s16[] = {
	{{"requant_s16s16__c", 0}, requant_s16s16__c},
#if defined(__x86_64__)
	{{"requant_s16s16__avx2", EK_CPU_AVX2}, ek_requant_s16s16__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"requant_s16s16__neon", EK_CPU_NEON}, ek_requant_s16s16__neon},
#endif
};
const struct ek_requant ek_requant_s16s32[] = {
	{{"requant_s16s32__c", 0}, requant_s16s32__c},
#if defined(__x86_64__)
	{{"requant_s16s32__avx2", EK_CPU_AVX2}, ek_requant_s16s32__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"requant_s16s32__neon", EK_CPU_NEON}, ek_requant_s16s32__neon},
#endif
};
const struct ek_requant ek_requant_s32s8[] = {
	{{"requant_s32s8__c", 0}, requant_s32s8__c},
#if defined(__x86_64__)
	{{"requant_s32s8__avx2", EK_CPU_AVX2}, ek_requant_s32s8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"requant_s32s8__neon", EK_CPU_NEON}, ek_requant_s32s8__neon},
#endif
};
const struct ek_requant ek_requant_s32s16[] = {
	{{"requant_s32s16__c", 0}, requant_s32s16__c},
#if defined(__x86_64__)
	{{"requant_s32s16__avx2", EK_CPU_AVX2}, ek_requant_s32s16__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"requant_s32s16__neon", EK_CPU_NEON}, ek_requant_s32s16__neon},
#endif
};
const size_t ek_requant_s16s8_count = COUNT(ek_requant_s16s8);
const size_t ek_requant_s16s16_count = COUNT(ek_requant_s16s16);
const size_t ek_requant_s16s32_count = COUNT(ek_requant_s16s32);
const size_t ek_requant_s32s8_count = COUNT(ek_requant_s32s8);
const size_t ek_requant_s32s16_count = COUNT(ek_requant_s32s16);

const struct ek_quantize ek_quantize_s8[] = {
	{{"quantize_s8__c", 0}, quantize_s8__c},
#if defined(__x86_64__)
	{{"quantize_s8__avx2", EK_CPU_AVX2}, ek_quantize_s8__avx2},
#elif defined(__aarch64__)
	{{"quantize_s8__neon", EK_CPU_NEON}, ek_quantize_s8__neon},
#endif
};
const struct ek_quantize ek_quantize_u8[] = {
	{{"quantize_u8__c", 0}, quantize_u8__c},
#if defined(__x86_64__)
	{{"quantize_u8__avx2", EK_CPU_AVX2}, ek_quantize_u8__avx2},
#elif defined(__aarch64__)
	{{"quantize_u8__neon", EK_CPU_NEON}, ek_quantize_u8__neon},
#endif
};
const struct ek_quantize ek_quantize_s16[] = {
	{{"quantize_s16__c", 0}, quantize_s16__c},
#if defined(__x86_64__)
	{{"quantize_s16__avx2", EK_CPU_AVX2}, ek_quantize_s16__avx2},
#elif defined(__aarch64__)
	{{"quantize_s16__neon", EK_CPU_NEON}, ek_quantize_s16__neon},
#endif
};
const size_t ek_quantize_s8_count = COUNT(ek_quantize_s8);
const size_t ek_quantize_u8_count = COUNT(ek_quantize_u8);
const size_t ek_quantize_s16_count = COUNT(ek_quantize_s16);
