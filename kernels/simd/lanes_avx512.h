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

WIDE_INLINE wide wide_all(int32_t x)
{
	return _mm512_set1_epi32(x);
}

/* 0, 1, 2 ... */
WIDE_INLINE wide wide_steps(void)
{
	return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

WIDE_INLINE wide wide_load(const int32_t *from)
{
	return _mm512_loadu_si512(from);
}

WIDE_INLINE wide wide_add(wide a, wide b)
{
	return _mm512_add_epi32(a, b);
}

WIDE_INLINE wide wide_sub(wide a, wide b)
{
	return _mm512_sub_epi32(a, b);
}

/* The lower 32 bits of the products. */
WIDE_INLINE wide wide_mul(wide a, wide b)
{
	return _mm512_mullo_epi32(a, b);
}

WIDE_INLINE wide wide_shift_left(wide x, int32_t by)
{
	return _mm512_sll_epi32(x, _mm_cvtsi32_si128(by));
}

WIDE_INLINE wide wide_clamp(wide x, int32_t lo, int32_t hi)
{
	x = _mm512_max_epi32(x, _mm512_set1_epi32(lo));
	return _mm512_min_epi32(x, _mm512_set1_epi32(hi));
}

/* The bits in which they differ, beside those of @found. */
WIDE_INLINE wide wide_differs(wide found, wide a, wide b)
{
	return _mm512_or_si512(found, _mm512_xor_si512(a, b));
}

WIDE_INLINE bool wide_is_zero(wide x)
{
	return !_mm512_test_epi32_mask(x, x);
}

WIDE_INLINE wide_floats wide_to_floats(wide x)
{
	return _mm512_cvtepi32_ps(x);
}

/* To the nearest, ties to even. */
WIDE_INLINE wide wide_nearest(wide_floats v)
{
	return _mm512_cvtps_epi32(v);
}

/* What is behind the point is cut off. */
WIDE_INLINE wide wide_cut(wide_floats v)
{
	return _mm512_cvttps_epi32(v);
}

WIDE_INLINE wide_floats wide_floats_all(float x)
{
	return _mm512_set1_ps(x);
}

WIDE_INLINE wide_floats wide_floats_mul(wide_floats a, wide_floats b)
{
	return _mm512_mul_ps(a, b);
}

/* a * b + c with one rounding. */
WIDE_INLINE wide_floats wide_floats_fma(wide_floats a, wide_floats b, wide_floats c)
{
	return _mm512_fmadd_ps(a, b, c);
}

/* v + x where v is positive, v - x where it is negative; x is not negative. */
WIDE_INLINE wide_floats wide_floats_away(wide_floats v, wide_floats x)
{
	__m512 sign = _mm512_and_ps(v, _mm512_set1_ps(-0.0f));
	return _mm512_add_ps(v, _mm512_or_ps(sign, x));
}

#endif
