/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arith - sum, difference, product and quotient of two rows of plain numbers
 *
 *   dst[i] = clamp(a[i] op b[i], lo, hi)
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; at most one step is 0,
 *       both are 0 or 1, counted in elements. dst may be a or b.
 * @limits: two elements of the row's type (floats for f16), lo and hi; not used for complex numbers,
 *          whose infinities are those of C (Annex G).
 * Integers wrap before the clamp. Float: NaN passes the clamp, and -0 is not below 0.
 * Limits: no divisor of ek_div_s32 is 0.
 * Source: TFLite reference/add.h, sub.h, mul.h, div.h and ActivationFunctionWithMinMax.
 */
#ifndef KERNELS_ELEMENTWISE_ARITH_H
#define KERNELS_ELEMENTWISE_ARITH_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_arith_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const void *limits);

ek_arith_fn ek_add_f32, ek_add_f16, ek_add_s32, ek_add_s64;
ek_arith_fn ek_sub_f32, ek_sub_s32, ek_sub_s64;
ek_arith_fn ek_mul_f32, ek_mul_f16, ek_mul_s32, ek_mul_s64, ek_mul_u32, ek_mul_c64;
ek_arith_fn ek_div_f32, ek_div_s32;

#endif
