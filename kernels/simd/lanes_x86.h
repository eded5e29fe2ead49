/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_x86 - what lanes_avx2.h and lanes_avx512.h share: MM(name) is an intrinsic of their width */
#ifndef KERNELS_SIMD_LANES_X86_H
#define KERNELS_SIMD_LANES_X86_H

WIDE_INLINE wide wide_all(int32_t x)
{
	return MM(set1_epi32)(x);
}

WIDE_INLINE wide wide_load(const int32_t *from)
{
	return MM_SI(loadu)((const wide *)from);
}

WIDE_INLINE wide wide_add(wide a, wide b)
{
	return MM(add_epi32)(a, b);
}

WIDE_INLINE wide wide_sub(wide a, wide b)
{
	return MM(sub_epi32)(a, b);
}

/* The lower 32 bits of the products. */
WIDE_INLINE wide wide_mul(wide a, wide b)
{
	return MM(mullo_epi32)(a, b);
}

WIDE_INLINE wide wide_shift_left(wide x, int32_t by)
{
	return MM(sll_epi32)(x, _mm_cvtsi32_si128(by));
}

WIDE_INLINE wide wide_clamp(wide x, int32_t lo, int32_t hi)
{
	x = MM(max_epi32)(x, MM(set1_epi32)(lo));
	return MM(min_epi32)(x, MM(set1_epi32)(hi));
}

/* The bits in which they differ, beside those of @found. */
WIDE_INLINE wide wide_differs(wide found, wide a, wide b)
{
	return MM_SI(or)(found, MM_SI(xor)(a, b));
}

WIDE_INLINE wide_floats wide_to_floats(wide x)
{
	return MM(cvtepi32_ps)(x);
}

/* To the nearest, ties to even. */
WIDE_INLINE wide wide_nearest(wide_floats v)
{
	return MM(cvtps_epi32)(v);
}

/* What is behind the point is cut off. */
WIDE_INLINE wide wide_cut(wide_floats v)
{
	return MM(cvttps_epi32)(v);
}

WIDE_INLINE wide_floats wide_floats_all(float x)
{
	return MM(set1_ps)(x);
}

WIDE_INLINE wide_floats wide_floats_mul(wide_floats a, wide_floats b)
{
	return MM(mul_ps)(a, b);
}

/* a * b + c with one rounding. */
WIDE_INLINE wide_floats wide_floats_fma(wide_floats a, wide_floats b, wide_floats c)
{
	return MM(fmadd_ps)(a, b, c);
}

/* v + x where v is positive, v - x where it is negative; x is not negative. */
WIDE_INLINE wide_floats wide_floats_away(wide_floats v, wide_floats x)
{
	wide_floats sign = MM(and_ps)(v, MM(set1_ps)(-0.0f));
	return MM(add_ps)(v, MM(or_ps)(sign, x));
}

#endif
