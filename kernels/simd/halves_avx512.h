/* SPDX-License-Identifier: Apache-2.0 */
/* halves_avx512 - every other pixel of 128 bytes, of 8, 16 or 32 bytes each */
#ifndef KERNELS_SIMD_HALVES_AVX512_H
#define KERNELS_SIMD_HALVES_AVX512_H

#include <immintrin.h>
#include <stddef.h>

/* For _mm512_permutex2var_epi64(): the even pixels; @pixel / 8 more is the odd ones. */
static inline __m512i halves_even(size_t pixel)
{
	switch (pixel) {
	case 8:
		return _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
	case 16:
		return _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0);
	default:
		return _mm512_set_epi64(11, 10, 9, 8, 3, 2, 1, 0);
	}
}

#endif
