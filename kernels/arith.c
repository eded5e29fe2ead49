/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/arith.h"

/* @wide: the unsigned type in which integers wrap; for float the type itself. */
#define ROW(name, type, wide, op)                                                                  \
	void name(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step, \
		const void *limits)                                                                \
	{                                                                                          \
		const type *x = a, *y = b, lo = ((const type *)limits)[0],                         \
			   hi = ((const type *)limits)[1];                                         \
		type *z = dst;                                                                     \
		for (size_t i = 0; i < n; i++) {                                                   \
			type v = (type)((wide)x[i * a_step] op(wide) y[i * b_step]);               \
			v = v < lo ? lo : v;                                                       \
			z[i] = v > hi ? hi : v;                                                    \
		}                                                                                  \
	}

ROW(ek_add_f32, float, float, +)
ROW(ek_add_s32, int32_t, uint32_t, +)
ROW(ek_add_s64, int64_t, uint64_t, +)
ROW(ek_sub_f32, float, float, -)
ROW(ek_sub_s32, int32_t, uint32_t, -)
ROW(ek_sub_s64, int64_t, uint64_t, -)
ROW(ek_mul_f32, float, float, *)
ROW(ek_mul_s32, int32_t, uint32_t, *)
ROW(ek_mul_s64, int64_t, uint64_t, *)
ROW(ek_mul_u32, uint32_t, uint32_t, *)

void ek_mul_c64(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step,
	const void *limits)
{
	const float *x = a, *y = b;
	float *z = dst;
	(void)limits;
	for (size_t i = 0; i < n; i++, x += 2 * a_step, y += 2 * b_step, z += 2) {
		float real = x[0] * y[0] - x[1] * y[1], imag = x[0] * y[1] + x[1] * y[0];
		z[0] = real;
		z[1] = imag;
	}
}
