/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_f32_vfp - vector_f32_neon.h's names for ARMv7, whose vectors flush what is very small to zero: four
 * floats, each by an instruction of its own
 */
#ifndef KERNELS_SIMD_VECTOR_F32_VFP_H
#define KERNELS_SIMD_VECTOR_F32_VFP_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/math/dot.h"

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_LANES 4

typedef struct {
	float lane[VECTOR_LANES];
} vector;

/* The first @n floats, zero in the other lanes. */
VECTOR_INLINE vector vector_load_first(const float *from, uint32_t n)
{
	vector v = {{0}};
	for (uint32_t i = 0; i < n && i < VECTOR_LANES; i++) {
		v.lane[i] = from[i];
	}
	return v;
}

VECTOR_INLINE void vector_store_first(float *to, uint32_t n, vector v)
{
	for (uint32_t i = 0; i < n && i < VECTOR_LANES; i++) {
		to[i] = v.lane[i];
	}
}

VECTOR_INLINE vector vector_all(float x)
{
	return (vector){{x, x, x, x}};
}

VECTOR_INLINE vector vector_mul(vector a, vector b)
{
	for (int i = 0; i < VECTOR_LANES; i++) {
		a.lane[i] *= b.lane[i];
	}
	return a;
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	for (int i = 0; i < VECTOR_LANES; i++) {
		a.lane[i] += b.lane[i];
	}
	return a;
}

VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	for (int i = 0; i < VECTOR_LANES; i++) {
		x.lane[i] = ek_clamp_f32(x.lane[i], lo.lane[i], hi.lane[i]);
	}
	return x;
}

VECTOR_INLINE vector vector_of_integers(int32x4_t x)
{
	int32_t all[VECTOR_LANES];
	vst1q_s32(all, x);
	return (vector){{(float)all[0], (float)all[1], (float)all[2], (float)all[3]}};
}

#endif
