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

WIDE_INLINE wide wide_all(int32_t x)
{
	return _mm256_set1_epi32(x);
}

/* 0, 1, 2 ... */
WIDE_INLINE wide wide_steps(void)
{
	return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
}

WIDE_INLINE wide wide_load(const int32_t *from)
{
	return _mm256_loadu_si256((const __m256i *)from);
}

WIDE_INLINE wide wide_add(wide a, wide b)
{
	return _mm256_add_epi32(a, b);
}

WIDE_INLINE wide wide_sub(wide a, wide b)
{
	return _mm256_sub_epi32(a, b);
}

/* The lower 32 bits of the products. */
WIDE_INLINE wide wide_mul(wide a, wide b)
{
	return _mm256_mullo_epi32(a, b);
}

WIDE_INLINE wide wide_shift_left(wide x, int32_t by)
{
	return _mm256_sll_epi32(x, _mm_cvtsi32_si128(by));
}

WIDE_INLINE wide wide_clamp(wide x, int32_t lo, int32_t hi)
{
	x = _mm256_max_epi32(x, _mm256_set1_epi32(lo));
	return _mm256_min_epi32(x, _mm256_set1_epi32(hi));
}

/* The bits in which they differ, beside those of @found. */
WIDE_INLINE wide wide_differs(wide found, wide a, wide b)
{
	return _mm256_or_si256(found, _mm256_xor_si256(a, b));
}

WIDE_INLINE bool wide_is_zero(wide x)
{
	return _mm256_testz_si256(x, x);
}

WIDE_INLINE wide_floats wide_to_floats(wide x)
{
	return _mm256_cvtepi32_ps(x);
}

/* To the nearest, ties to even. */
WIDE_INLINE wide wide_nearest(wide_floats v)
{
	return _mm256_cvtps_epi32(v);
}

/* What is behind the point is cut off. */
WIDE_INLINE wide wide_cut(wide_floats v)
{
	return _mm256_cvttps_epi32(v);
}

WIDE_INLINE wide_floats wide_floats_all(float x)
{
	return _mm256_set1_ps(x);
}

WIDE_INLINE wide_floats wide_floats_mul(wide_floats a, wide_floats b)
{
	return _mm256_mul_ps(a, b);
}

/* a * b + c with one rounding. */
WIDE_INLINE wide_floats wide_floats_fma(wide_floats a, wide_floats b, wide_floats c)
{
	return _mm256_fmadd_ps(a, b, c);
}

/* v + x where v is positive, v - x where it is negative; x is not negative. */
WIDE_INLINE wide_floats wide_floats_away(wide_floats v, wide_floats x)
{
	__m256 sign = _mm256_and_ps(v, _mm256_set1_ps(-0.0f));
	return _mm256_add_ps(v, _mm256_or_ps(sign, x));
}

#endif
