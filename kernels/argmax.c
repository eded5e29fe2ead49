/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/argmax.h"

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
