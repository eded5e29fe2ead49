/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary - functions of two numbers, row by row
 *
 *   dst[i] = f(a[i], b[i])
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; steps are 0 or 1 and
 *       counted in elements. dst may be a or b.
 *
 * The functions, by the name between ek_ and the type (b is bool, one byte of 0 or 1):
 *   maximum, minimum      x > y ? x : y, x < y ? x : y: where either is NaN, y
 *   hlo_max, hlo_min      x < y ? y : x, y < x ? y : x: where either is NaN, x
 *   hlo_add, hlo_mul      integers wrap; of bool they are or, and; nothing is clamped
 *   hlo_shl               counts are taken modulo 32 and what leaves the type is lost
 *   and, or, xor          bit by bit; of bool logical
 *   right_shift           of signed types arithmetic; counts below 0 are taken as 0, those above the
 *                         width - 1 as that
 *   squared_difference    (x - y)^2; integers wrap
 *   floor_div             to minus infinity; the minimum over -1 is the minimum. Float: the
 *                         quotient of doubles, rounded down, then to float
 *   floor_mod             x - floor(x / y) * y: 0, or of y's sign; the minimum by -1 leaves 0. Float:
 *                         the exact remainder of x, and y added where the signs differ
 *   pow                   int32: x^y, -2^31 where that is no int32; y >= 0
 *   atan2                 the angle of the point (b, a)
 * Limits: no divisor of floor_div and floor_mod of integers is 0; no exponent of pow_s32 below 0.
 * Halves are widened, computed as floats and rounded; one that is picked keeps its bits. A bool is
 * true when it is not 0.
 *
 * Source: TFLite kernels/maximum_minimum.cc, floor_div.cc, floor_mod.cc, pow.cc, right_shift.cc,
 * squared_difference.cc, stablehlo_elementwise.h, stablehlo_shift_left.cc, atan2.cc.
 */
#ifndef KERNELS_ELEMENTWISE_BINARY_H
#define KERNELS_ELEMENTWISE_BINARY_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_binary_fn(
	void *dst, const void *a, const void *b, size_t n, size_t a_step, size_t b_step);

/* Which functions have which types, ROW(function, type): also what backends make their tables from.
 */
/* clang-format off */
#define EK_BINARY_UNSIGNED(ROW, name) \
	ROW(name, u8) ROW(name, u16) ROW(name, u32)
#define EK_BINARY_SIGNED(ROW, name) \
	ROW(name, s8) ROW(name, s16) ROW(name, s32)
#define EK_BINARY_NUMBERS(ROW, name) \
	EK_BINARY_SIGNED(ROW, name) ROW(name, f32) ROW(name, u8) ROW(name, s64)
#define EK_BINARY_BITS(ROW, name) \
	EK_BINARY_UNSIGNED(ROW, name) EK_BINARY_SIGNED(ROW, name)
#define EK_BINARY_HLO(ROW, name) \
	EK_BINARY_BITS(ROW, name) ROW(name, s64) ROW(name, u64) ROW(name, f32) ROW(name, f64)
#define EK_BINARY_ROWS(ROW) \
	EK_BINARY_NUMBERS(ROW, maximum) \
	EK_BINARY_NUMBERS(ROW, minimum) \
	EK_BINARY_HLO(ROW, hlo_max) \
	EK_BINARY_HLO(ROW, hlo_min) \
	EK_BINARY_HLO(ROW, hlo_add) \
	EK_BINARY_HLO(ROW, hlo_mul) \
	EK_BINARY_SIGNED(ROW, hlo_shl) \
	EK_BINARY_BITS(ROW, and) ROW(and, s64) ROW(and, u64) \
	EK_BINARY_BITS(ROW, xor) \
	EK_BINARY_BITS(ROW, right_shift) \
	ROW(squared_difference, f32) ROW(squared_difference, s32) \
	EK_BINARY_SIGNED(ROW, floor_div) ROW(floor_div, f32) \
	EK_BINARY_SIGNED(ROW, floor_mod) ROW(floor_mod, f32) ROW(floor_mod, s64) \
	ROW(pow, f32) ROW(pow, s32) \
	ROW(atan2, f32) ROW(atan2, f64)
#define EK_BINARY_ROWS_F16(ROW) \
	ROW(hlo_add, f16) ROW(hlo_mul, f16) ROW(atan2, f16)
#define EK_BINARY_ROWS_B(ROW) \
	ROW(hlo_max, b) ROW(hlo_min, b) ROW(hlo_add, b) ROW(hlo_mul, b) ROW(and, b) ROW(or, b)
/* clang-format on */

#define DECLARE(name, type) extern ek_binary_fn ek_##name##_##type;
EK_BINARY_ROWS(DECLARE)
EK_BINARY_ROWS_F16(DECLARE)
EK_BINARY_ROWS_B(DECLARE)
#undef DECLARE
extern ek_binary_fn ek_maximum_f16, ek_minimum_f16, ek_hlo_max_f16, ek_hlo_min_f16;

/*
 * dst[i] = a[i]^exponent by squaring, from the exponent's highest bit on; each float product is
 * clamped to the finite numbers, int32 products wrap. @exponent >= 1; 1 copies. This is how POW
 * computes where one exponent stretches over a tensor (TFLite optimized_ops.h,
 * IntegerExponentPow).
 */
void ek_power_f32(float *dst, const float *a, size_t n, size_t a_step, int32_t exponent);
void ek_power_s32(int32_t *dst, const int32_t *a, size_t n, size_t a_step, int32_t exponent);

#endif
