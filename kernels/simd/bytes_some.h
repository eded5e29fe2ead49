/* SPDX-License-Identifier: Apache-2.0 */
/* bytes_some - fewer bytes than a vector has, and none beyond them read */
#ifndef KERNELS_SIMD_BYTES_SOME_H
#define KERNELS_SIMD_BYTES_SOME_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define BYTES_INLINE static inline __attribute__((always_inline))

/* @n <= 8: two halves that may overlap; three bytes that may be the same. */
BYTES_INLINE uint64_t bytes_some_8(const uint8_t *from, uint32_t n)
{
	uint64_t x = 0;
	if (n == 8) {
		memcpy(&x, from, sizeof(x));
	} else if (n >= 4) {
		uint32_t first, last;
		memcpy(&first, from, sizeof(first));
		memcpy(&last, from + n - 4, sizeof(last));
		x = first | (uint64_t)last << 8 * (n - 4);
	} else if (n) {
		const uint32_t half = n / 2;
		x = from[0] | (uint32_t)from[half] << 8 * half |
			(uint32_t)from[n - 1] << 8 * (n - 1);
	}
	return x;
}

/* @n <= 16, zero behind them. */
BYTES_INLINE __m128i bytes_some_16(const uint8_t *from, uint32_t n)
{
	if (n == 16) {
		return _mm_loadu_si128((const __m128i *)from);
	}
	const uint32_t low = n < 8 ? n : 8;
	return _mm_set_epi64x(
		(int64_t)bytes_some_8(from + low, n - low), (int64_t)bytes_some_8(from, low));
}

#endif
