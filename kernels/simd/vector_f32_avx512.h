/* SPDX-License-Identifier: Apache-2.0 */
/* vector_f32_avx512 - floats of one vector, by the names that the bodies for all instruction sets use */
#ifndef KERNELS_SIMD_VECTOR_F32_AVX512_H
#define KERNELS_SIMD_VECTOR_F32_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_LANES 16
#define VECTOR_REGISTERS 32

typedef __m512 vector;

VECTOR_INLINE vector vector_load(const float *from)
{
	return _mm512_loadu_ps(from);
}

VECTOR_INLINE void vector_store(float *to, vector v)
{
	_mm512_storeu_ps(to, v);
}

VECTOR_INLINE __mmask16 vector_lanes(uint32_t n)
{
	return n >= VECTOR_LANES ? 0xFFFF : (__mmask16)((1u << n) - 1);
}

/* The first @n floats, zero in the other lanes. */
VECTOR_INLINE vector vector_load_first(const float *from, uint32_t n)
{
	return _mm512_maskz_loadu_ps(vector_lanes(n), from);
}

VECTOR_INLINE void vector_store_first(float *to, uint32_t n, vector v)
{
	_mm512_mask_storeu_ps(to, vector_lanes(n), v);
}

VECTOR_INLINE vector vector_all(float x)
{
	return _mm512_set1_ps(x);
}

/* a * b + c with one rounding. */
VECTOR_INLINE vector vector_fma(vector a, vector b, vector c)
{
	return _mm512_fmadd_ps(a, b, c);
}

VECTOR_INLINE vector vector_mul(vector a, vector b)
{
	return _mm512_mul_ps(a, b);
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	return _mm512_add_ps(a, b);
}

/* ek_clamp_f32(): NaN passes, and a zero keeps its sign. */
VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	return _mm512_min_ps(hi, _mm512_max_ps(lo, x));
}

#endif
