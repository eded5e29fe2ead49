/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/bucketize.h"

#define ROW(name, type, compared)                                                                  \
	void name(                                                                                 \
		int32_t *dst, const void *src, size_t n, const float *boundaries, uint32_t count)  \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			compared v = (compared)x[i];                                               \
			uint32_t first = 0, left = count;                                          \
			while (left > 0) {                                                         \
				uint32_t half = left / 2;                                          \
				if (v < (compared)boundaries[first + half]) {                      \
					left = half;                                               \
				} else {                                                           \
					first += half + 1;                                         \
					left -= half + 1;                                          \
				}                                                                  \
			}                                                                          \
			dst[i] = (int32_t)first;                                                   \
		}                                                                                  \
	}

ROW(ek_bucketize_f32, float, float)
ROW(ek_bucketize_f64, double, double)
ROW(ek_bucketize_s32, int32_t, float)
ROW(ek_bucketize_s64, int64_t, float)
