/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/find_value.h"

#define FIND(name, type, condition)                                                                \
	size_t name(const void *x, size_t n, int64_t value)                                        \
	{                                                                                          \
		const type *p = x, v = (type)value;                                                \
		(void)v;                                                                           \
		size_t i = 0;                                                                      \
		while (i < n && !(condition)) {                                                    \
			i++;                                                                       \
		}                                                                                  \
		return i;                                                                          \
	}

FIND(ek_find_s8, int8_t, p[i] == v)
FIND(ek_find_u8, uint8_t, p[i] == v)
FIND(ek_find_s16, int16_t, p[i] == v)
FIND(ek_find_s32, int32_t, p[i] == v)
FIND(ek_find_s64, int64_t, p[i] == v)
FIND(ek_find_f32, float, p[i] == v)
FIND(ek_find_negative_s32, int32_t, p[i] < 0)

#define NONZERO(name, type)                                                                        \
	size_t name(const void *p, size_t from, size_t n)                                          \
	{                                                                                          \
		const type *x = p;                                                                 \
		while (from < n && x[from] == 0) {                                                 \
			from++;                                                                    \
		}                                                                                  \
		return from;                                                                       \
	}

NONZERO(ek_find_nonzero_8, uint8_t)
NONZERO(ek_find_nonzero_32, uint32_t)
NONZERO(ek_find_nonzero_64, uint64_t)
NONZERO(ek_find_nonzero_f32, float)
