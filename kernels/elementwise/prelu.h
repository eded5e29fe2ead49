/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prelu - negative numbers times a factor of their own
 *
 *   f32:        dst[i] = x[i] >= 0 ? x[i] : x[i] * alpha[i]
 *   quantised:  v = x[i] - x_zero; dst[i] = clamp(zero + (v >= 0 ? rescale(v, scale)
 *                                  : rescale(v * (alpha[i] - alpha_zero), below)), lo, hi)
 *
 * @dst: n elements; @x: n elements, or one where x_step is 0; @alpha likewise; steps are 0 or 1.
 * @params: NULL for f32. Products wrap.
 * Source: TFLite reference/prelu.h, activations.cc (ApplyPrelu).
 */
#ifndef KERNELS_ELEMENTWISE_PRELU_H
#define KERNELS_ELEMENTWISE_PRELU_H

#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_prelu {
	int32_t x_zero, alpha_zero, zero, lo, hi;
	struct ek_scale scale, below;
};

typedef void ek_prelu_fn(void *dst, const void *x, const void *alpha, size_t n, size_t x_step,
	size_t alpha_step, const struct ek_prelu *params);

ek_prelu_fn ek_prelu_f32, ek_prelu_s8, ek_prelu_u8, ek_prelu_s16;

#endif
