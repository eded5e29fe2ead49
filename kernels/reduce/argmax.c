/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/argmax.h"

#define ARG(name, type, better)                                                                    \
	size_t name(const void *src, size_t n, size_t step)                                        \
	{                                                                                          \
		const type *x = src;                                                               \
		type best = *x;                                                                    \
		size_t at = 0;                                                                     \
		for (size_t i = 1; i < n; i++) {                                                   \
			x += step;                                                                 \
			if (*x better best) {                                                      \
				best = *x;                                                         \
				at = i;                                                            \
			}                                                                          \
		}                                                                                  \
		return at;                                                                         \
	}

ARG(ek_argmax_s8, int8_t, >)
ARG(ek_argmax_u8, uint8_t, >)
ARG(ek_argmax_s32, int32_t, >)
ARG(ek_argmax_f32, float, >)
ARG(ek_argmin_s8, int8_t, <)
ARG(ek_argmin_u8, uint8_t, <)
ARG(ek_argmin_s32, int32_t, <)
ARG(ek_argmin_f32, float, <)

const struct ek_arg ek_argmax_s8_list[] = {
	{{"argmax_s8__c", 0}, ek_argmax_s8},
#if defined(__x86_64__)
	{{"argmax_s8__sse41", EK_CPU_SSE41}, ek_argmax_s8__sse41},
#elif defined(__aarch64__) || defined(__arm__)
	{{"argmax_s8__neon", EK_CPU_NEON}, ek_argmax_s8__neon},
#endif
};
const struct ek_arg ek_argmax_u8_list[] = {
	{{"argmax_u8__c", 0}, ek_argmax_u8},
#if defined(__x86_64__)
	{{"argmax_u8__sse41", EK_CPU_SSE41}, ek_argmax_u8__sse41},
#elif defined(__aarch64__) || defined(__arm__)
	{{"argmax_u8__neon", EK_CPU_NEON}, ek_argmax_u8__neon},
#endif
};
const size_t ek_argmax_s8_count = sizeof(ek_argmax_s8_list) / sizeof(ek_argmax_s8_list[0]);
const size_t ek_argmax_u8_count = sizeof(ek_argmax_u8_list) / sizeof(ek_argmax_u8_list[0]);
