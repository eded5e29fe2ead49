/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/nonzero.h"

#define ROW(name, type)                                                                            \
	size_t name(const void *src, size_t from, size_t n)                                        \
	{                                                                                          \
		const type *x = src;                                                               \
		while (from < n && x[from] == 0) {                                                 \
			from++;                                                                    \
		}                                                                                  \
		return from;                                                                       \
	}

ROW(ek_nonzero_8, uint8_t)
ROW(ek_nonzero_32, uint32_t)
ROW(ek_nonzero_64, uint64_t)
ROW(ek_nonzero_f32, float)
