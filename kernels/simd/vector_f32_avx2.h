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

/* The intrinsic of that name for vectors of 256 bits. */
#define MM(name) _mm256_##name

#include "kernels/simd/vector_f32_x86.h"

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

#endif
