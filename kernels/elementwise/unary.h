/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary - functions of one number, element by element, for numbers without scales
 *
 *   dst[i] = f(src[i])
 *
 * @dst, @src: n elements each of the type that the name ends in; dst may be src where both have
 * one width. Integers wrap. @params: NULL but where a comment says more.
 * Sources: TFLite kernels/elementwise.cc, neg.cc, sign.cc, activations.cc, complex_support.cc,
 * reference/floor.h, ceil.h, round.h, gelu.h, hard_swish.h, fake_quant.h.
 */
#ifndef KERNELS_ELEMENTWISE_UNARY_H
#define KERNELS_ELEMENTWISE_UNARY_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu_features.h"

typedef void ek_unary_fn(void *dst, const void *src, size_t n, const void *params);

ek_unary_fn ek_abs_f32, ek_neg_f32, ek_sign_f32, ek_square_f32, ek_sqrt_f32, ek_rsqrt_f32;
ek_unary_fn ek_floor_f32, ek_ceil_f32;
ek_unary_fn ek_round_f32; /* ties to even; what rounds up to zero is +0 */

/* Computed in double and rounded once. */
ek_unary_fn ek_exp_f32, ek_log_f32, ek_sin_f32, ek_cos_f32, ek_logistic_f32, ek_tanh_f32;

/* Lists for two of them, whose entry 0 they are. */
struct ek_unary {
	struct ek_variant variant;
	ek_unary_fn *run;
};
extern const struct ek_unary ek_logistic_list[], ek_tanh_list[];
extern const size_t ek_logistic_list_count, ek_tanh_list_count;
#if defined(__x86_64__)
ek_unary_fn ek_logistic_f32__avx512vnni, ek_tanh_f32__avx512vnni;
#endif

ek_unary_fn ek_elu_f32, ek_gelu_f32, ek_gelu_tanh_f32, ek_hard_swish_f32;

ek_unary_fn
	ek_clip_f32; /* @params: float[2], lo and hi; NaN passes, and so does -0 where lo is 0 */
ek_unary_fn ek_leaky_relu_f32; /* @params: float, the factor of negative numbers */
ek_unary_fn ek_fake_quant_f32; /* @params: struct ek_fake_quant */

/* Floats that are steps of @scale from @lo on, up to @hi. */
struct ek_fake_quant {
	float lo, hi, scale, inverse; /* inverse: 1 / scale */
};

ek_unary_fn ek_sign_f64;
ek_unary_fn ek_neg_s8, ek_neg_s16, ek_neg_s32, ek_neg_s64;
ek_unary_fn ek_abs_s16, ek_abs_s32, ek_sign_s32;
ek_unary_fn ek_not_b; /* bytes: 0 gives 1, all others 0 */

/* From complex numbers of two floats to one float. */
ek_unary_fn ek_real_c64, ek_imag_c64;
ek_unary_fn ek_abs_c64; /* computed in double and rounded once */

#endif
