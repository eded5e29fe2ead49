/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/cumsum.h"

/* @wide: the type of sums, without a sign where they may wrap. */
#define ROW(suffix, type, wide)                                                                    \
	void ek_scan_##suffix(void *dst, const void *src, size_t n, ptrdiff_t step,                \
		bool exclusive, void *ret_sum)                                                     \
	{                                                                                          \
		const type *x = src;                                                               \
		type *z = dst, sum = *(type *)ret_sum;                                             \
		for (size_t i = 0; i < n; i++) {                                                   \
			ptrdiff_t at = (ptrdiff_t)i * step;                                        \
			type with = (type)((wide)sum + (wide)x[at]);                               \
			z[at] = exclusive ? sum : with;                                            \
			sum = with;                                                                \
		}                                                                                  \
		*(type *)ret_sum = sum;                                                            \
	}                                                                                          \
	void ek_range_##suffix(void *dst, size_t n, void *next, const void *step)                  \
	{                                                                                          \
		type *z = dst, value = *(type *)next;                                              \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = value;                                                              \
			value = (type)((wide)value + (wide) * (const type *)step);                 \
		}                                                                                  \
		*(type *)next = value;                                                             \
	}

ROW(f32, float, float)
ROW(s32, int32_t, uint32_t)
ROW(s64, int64_t, uint64_t)
