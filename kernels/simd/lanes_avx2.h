/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_avx2 - int32 and float in 8 lanes, by the names that the bodies for AVX2 and AVX512 use; lanes_avx512.h is the same for 16 */
#ifndef KERNELS_SIMD_LANES_AVX2_H
#define KERNELS_SIMD_LANES_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define WIDE_INLINE static inline __attribute__((always_inline))
#define WIDE_LANES 8

typedef __m256i wide;
typedef __m256 wide_floats;

/* The intrinsic of that name for vectors of 256 bits. */
#define MM(name) _mm256_##name
#define MM_SI(name) _mm256_##name##_si256

#include "kernels/simd/lanes_x86.h"

/* 0, 1, 2 ... */
WIDE_INLINE wide wide_steps(void)
{
	return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
}

WIDE_INLINE bool wide_is_zero(wide x)
{
	return _mm256_testz_si256(x, x);
}

#endif
