/* SPDX-License-Identifier: Apache-2.0 */
/* lut_avx512 - a table of 256 bytes in four registers */
#ifndef KERNELS_SIMD_LUT_AVX512_H
#define KERNELS_SIMD_LUT_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define LUT_INLINE static inline __attribute__((always_inline))

struct lut {
	__m512i part[4];
};

LUT_INLINE struct lut lut_of(const uint8_t table[static 256])
{
	struct lut l;
	for (int i = 0; i < 4; i++) {
		l.part[i] = _mm512_loadu_si512(table + 64 * i);
	}
	return l;
}

/* The entries of 64 codes: their upper bit chooses between the halves. */
LUT_INLINE __m512i lut_find(const struct lut *l, __m512i codes)
{
	__m512i low = _mm512_permutex2var_epi8(l->part[0], codes, l->part[1]);
	__m512i high = _mm512_permutex2var_epi8(l->part[2], codes, l->part[3]);
	return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), low, high);
}

LUT_INLINE __mmask64 lut_first(size_t n)
{
	return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

#endif
