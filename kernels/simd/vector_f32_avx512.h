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

/* The intrinsic of that name for vectors of 512 bits. */
#define MM(name) _mm512_##name

#include "kernels/simd/vector_f32_x86.h"

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

#endif
