/* SPDX-License-Identifier: Apache-2.0 */
/* vector_f32_x86 - what vector_f32_avx2.h and vector_f32_avx512.h share: MM(name) is an intrinsic of their
 * width */
#ifndef KERNELS_SIMD_VECTOR_F32_X86_H
#define KERNELS_SIMD_VECTOR_F32_X86_H

VECTOR_INLINE vector vector_load(const float *from)
{
	return MM(loadu_ps)(from);
}

VECTOR_INLINE void vector_store(float *to, vector v)
{
	MM(storeu_ps)(to, v);
}

VECTOR_INLINE vector vector_all(float x)
{
	return MM(set1_ps)(x);
}

/* a * b + c with one rounding. */
VECTOR_INLINE vector vector_fma(vector a, vector b, vector c)
{
	return MM(fmadd_ps)(a, b, c);
}

VECTOR_INLINE vector vector_mul(vector a, vector b)
{
	return MM(mul_ps)(a, b);
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	return MM(add_ps)(a, b);
}

/* ek_clamp_f32(): NaN passes, and a zero keeps its sign. */
VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	return MM(min_ps)(hi, MM(max_ps)(lo, x));
}

VECTOR_INLINE vector vector_div(vector a, vector b)
{
	return MM(div_ps)(a, b);
}

/* best < v ? v : best */
VECTOR_INLINE vector vector_larger(vector best, vector v)
{
	return MM(max_ps)(v, best);
}

#endif
