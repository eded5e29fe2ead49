/* SPDX-License-Identifier: Apache-2.0 */
/* vector_f32_neon - floats of one vector, by the names that the bodies for all instruction sets use (AArch64) */
#ifndef KERNELS_SIMD_VECTOR_F32_NEON_H
#define KERNELS_SIMD_VECTOR_F32_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_LANES 4
#define VECTOR_REGISTERS 32

typedef float32x4_t vector;

VECTOR_INLINE vector vector_load(const float *from)
{
	return vld1q_f32(from);
}

VECTOR_INLINE void vector_store(float *to, vector v)
{
	vst1q_f32(to, v);
}

/* The first @n floats, zero in the other lanes. */
VECTOR_INLINE vector vector_load_first(const float *from, uint32_t n)
{
	float some[VECTOR_LANES] = {0};
	if (n >= VECTOR_LANES) {
		return vector_load(from);
	}
	for (uint32_t i = 0; i < n; i++) {
		some[i] = from[i];
	}
	return vld1q_f32(some);
}

VECTOR_INLINE void vector_store_first(float *to, uint32_t n, vector v)
{
	float all[VECTOR_LANES];
	vst1q_f32(all, v);
	for (uint32_t i = 0; i < n && i < VECTOR_LANES; i++) {
		to[i] = all[i];
	}
}

VECTOR_INLINE vector vector_all(float x)
{
	return vdupq_n_f32(x);
}

VECTOR_INLINE vector vector_mul(vector a, vector b)
{
	return vmulq_f32(a, b);
}

VECTOR_INLINE vector vector_add(vector a, vector b)
{
	return vaddq_f32(a, b);
}

VECTOR_INLINE vector vector_of_integers(int32x4_t x)
{
	return vcvtq_f32_s32(x);
}

/* a * b + c with one rounding. */
VECTOR_INLINE vector vector_fma(vector a, vector b, vector c)
{
	return vfmaq_f32(c, a, b);
}

/* The same with lane @lane of @a, a constant. */
#define VECTOR_HAS_LANES
VECTOR_INLINE vector vector_fma_lane(vector a, const int lane, vector b, vector c)
{
	return lane == 0    ? vfmaq_laneq_f32(c, b, a, 0)
		: lane == 1 ? vfmaq_laneq_f32(c, b, a, 1)
		: lane == 2 ? vfmaq_laneq_f32(c, b, a, 2)
			    : vfmaq_laneq_f32(c, b, a, 3);
}

VECTOR_INLINE vector vector_div(vector a, vector b)
{
	return vdivq_f32(a, b);
}

/* best < v ? v : best */
VECTOR_INLINE vector vector_larger(vector best, vector v)
{
	return vbslq_f32(vcltq_f32(best, v), v, best);
}

/* ek_clamp_f32(): NaN passes, and a zero keeps its sign, which FMAX and FMIN would not leave alone. */
VECTOR_INLINE vector vector_clamp(vector x, vector lo, vector hi)
{
	vector y = vbslq_f32(vcltq_f32(x, lo), lo, x);
	return vbslq_f32(vcgtq_f32(y, hi), hi, y);
}

#endif
