/* SPDX-License-Identifier: Apache-2.0 */
/* vector_f32_avx2 - floats of one vector, by the names that the bodies for all instruction sets use */
#ifndef KERNELS_SIMD_VECTOR_F32_AVX2_H
#define KERNELS_SIMD_VECTOR_F32_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_LANES 8
#define VECTOR_REGISTERS 16

typedef __m256 vector;

VECTOR_INLINE vector vector_load(const float *from)
{
	return _mm256_loadu_ps(from);
}

VECTOR_INLINE void vector_store(float *to, vector v)
{
	_mm256_storeu_ps(to, v);
}

VECTOR_INLINE __m256i vector_lanes(uint32_t n)
{
	const __m256i lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
	return _mm256_cmpgt_epi32(
		_mm256_set1_epi32((int32_t)(n < VECTOR_LANES ? n : VECTOR_LANES)), lane);
}

/* The first @n floats, zero in the other lanes. */
VECTOR_INLINE vector vector_load_first(const float *from, uint32_t n)
{
	return _mm256_maskload_ps(from, vector_lanes(n));
}

VECTOR_INLINE void vector_store_first(float *to, uint32_t n, vector v)
{
	_mm256_maskstore_ps(to, vector_lanes(n), v);
}

VECTOR_INLINE vector vector_all(float x)
{
	return _mm256_set1_ps(x);
}

/* a * b + c with one rounding. */
VECTOR_INLINE vector vector_fma(vector a, vector b, vector c)
{
	return _mm256_fmadd_ps(a, b, c);
}

VECTOR_INLINE vector vector_mul(vector a, vector b)
{
	return _mm256_mul_ps(a, b);
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	return _mm256_add_ps(a, b);
}

VECTOR_INLINE vector vector_div(vector a, vector b)
{
	return _mm256_div_ps(a, b);
}

/* best < v ? v : best */
VECTOR_INLINE vector vector_larger(vector best, vector v)
{
	return _mm256_max_ps(v, best);
}

/* ek_clamp_f32(): NaN passes, and a zero keeps its sign. */
VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	return _mm256_min_ps(hi, _mm256_max_ps(lo, x));
}

#endif
