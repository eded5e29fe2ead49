/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_f32_vfpv4 - vector_f32_neon.h's names for ARMv7 with VFPv4: two floats, each by an instruction of its
 * own, since those of NEON flush what is very small to zero there. 16 pairs are registers.
 */
#ifndef KERNELS_SIMD_VECTOR_F32_VFPV4_H
#define KERNELS_SIMD_VECTOR_F32_VFPV4_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/math/dot.h"

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_LANES 2
#define VECTOR_REGISTERS 16

typedef struct {
	float low, high;
} vector;

VECTOR_INLINE vector vector_load(const float *from)
{
	return (vector){from[0], from[1]};
}

VECTOR_INLINE void vector_store(float *to, vector v)
{
	to[0] = v.low;
	to[1] = v.high;
}

/* The first @n floats, of which there is one, zero in the other lane. */
VECTOR_INLINE vector vector_load_first(const float *from, uint32_t n)
{
	return (vector){from[0], n > 1 ? from[1] : 0};
}

VECTOR_INLINE void vector_store_first(float *to, uint32_t n, vector v)
{
	to[0] = v.low;
	if (n > 1) {
		to[1] = v.high;
	}
}

VECTOR_INLINE vector vector_all(float x)
{
	return (vector){x, x};
}

/* a * b + c with one rounding. */
VECTOR_INLINE vector vector_fma(vector a, vector b, vector c)
{
	return (vector){
		__builtin_fmaf(a.low, b.low, c.low), __builtin_fmaf(a.high, b.high, c.high)};
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	return (vector){a.low + b.low, a.high + b.high};
}

VECTOR_INLINE vector vector_div(vector a, vector b)
{
	return (vector){a.low / b.low, a.high / b.high};
}

VECTOR_INLINE vector vector_larger(vector best, vector v)
{
	return (vector){
		best.low < v.low ? v.low : best.low, best.high < v.high ? v.high : best.high};
}

VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	return (vector){
		ek_clamp_f32(x.low, lo.low, hi.low), ek_clamp_f32(x.high, lo.high, hi.high)};
}

#endif
