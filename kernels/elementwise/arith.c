/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/arith.h"

#include "kernels/math/f16.h"

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
ROW(ek_div_f32, float, float, /)

/* Sums and products of halves are rounded twice, to float and to half; the second rounding leaves
 * what one alone would give, because a float has more than twice the bits. */
#define ROW_F16(name, op)                                                                          \
	void name(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step, \
		const void *limits)                                                                \
	{                                                                                          \
		const uint16_t *x = a, *y = b;                                                     \
		const float lo = ((const float *)limits)[0], hi = ((const float *)limits)[1];      \
		uint16_t *z = dst;                                                                 \
		for (size_t i = 0; i < n; i++) {                                                   \
			float v = ek_f16_get(x[i * a_step]) op ek_f16_get(y[i * b_step]);          \
			v = v < lo ? lo : v;                                                       \
			z[i] = ek_f16_from(v > hi ? hi : v);                                       \
		}                                                                                  \
	}

ROW_F16(ek_add_f16, +)
ROW_F16(ek_mul_f16, *)

/* The one quotient that is no int32 saturates. A divisor that became 0 since it was looked at, in memory
 * that a client writes meanwhile, is taken for -1: some answer, and no trap. */
static inline int32_t divide32(int32_t x, int32_t y)
{
	return y == -1 || y == 0 ? (x == INT32_MIN ? INT32_MAX : -x) : x / y;
}

void ek_div_s32(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step,
	const void *limits)
{
	const int32_t *x = a, *y = b, lo = ((const int32_t *)limits)[0],
		      hi = ((const int32_t *)limits)[1];
	int32_t *z = dst;
	for (size_t i = 0; i < n; i++) {
		int32_t v = divide32(x[i * a_step], y[i * b_step]);
		v = v < lo ? lo : v;
		z[i] = v > hi ? hi : v;
	}
}

void ek_mul_c64(void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step,
	const void *limits)
{
	const float _Complex *x = a, *y = b;
	float _Complex *z = dst;
	(void)limits;
	for (size_t i = 0; i < n; i++) {
		z[i] = x[i * a_step] * y[i * b_step];
	}
}
