/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arith - sum, difference and product of two rows of plain numbers
 *
 *   dst[i] = clamp(a[i] op b[i], lo, hi)
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; at most one step is 0,
 *       both are 0 or 1, counted in elements. dst may be a or b.
 * @limits: two elements of the row's type, lo and hi; not used for complex numbers.
 * Integers wrap before the clamp. Float: NaN passes the clamp, and -0 is not below 0.
 * Source: TFLite reference/add.h, sub.h, mul.h and ActivationFunctionWithMinMax.
 */
#ifndef KERNELS_ARITH_H
#define KERNELS_ARITH_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_arith_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const void *limits);

ek_arith_fn ek_add_f32, ek_add_s32, ek_add_s64;
ek_arith_fn ek_sub_f32, ek_sub_s32, ek_sub_s64;
ek_arith_fn ek_mul_f32, ek_mul_s32, ek_mul_s64, ek_mul_u32, ek_mul_c64;

#endif
