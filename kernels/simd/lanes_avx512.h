/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_avx512 - lanes_avx2.h with 16 lanes */
#ifndef KERNELS_SIMD_LANES_AVX512_H
#define KERNELS_SIMD_LANES_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define WIDE_INLINE static inline __attribute__((always_inline))
#define WIDE_LANES 16

typedef __m512i wide;
typedef __m512 wide_floats;

/* The intrinsic of that name for vectors of 512 bits. */
#define MM(name) _mm512_##name
#define MM_SI(name) _mm512_##name##_si512

#include "kernels/simd/lanes_x86.h"

/* 0, 1, 2 ... */
WIDE_INLINE wide wide_steps(void)
{
	return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

WIDE_INLINE bool wide_is_zero(wide x)
{
	return !_mm512_test_epi32_mask(x, x);
}

#endif
