/* SPDX-License-Identifier: Apache-2.0 */
/*
 * div - quantised quotient of two rows
 *
 *   dst[i] = clamp(rescale((a[i] - a_zero) / (b[i] - b_zero), scale) + zero, lo, hi)
 *
 * The divisor's reciprocal in fixed point, three steps of Newton's method, is multiplied with the
 * dividend shifted up as far as it goes; one last shift takes all of that back. A shift by more
 * than the width leaves 0, and a shift up saturates.
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; steps are 0 or 1 and
 *       counted in elements. dst may be a or b.
 * Limits: no b[i] is b_zero.
 * Source: TFLite reference/div.h (DivElementwise), GetReciprocal in internal/common.h.
 */
#ifndef KERNELS_ELEMENTWISE_DIV_H
#define KERNELS_ELEMENTWISE_DIV_H

#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_div_params {
	int32_t a_zero, b_zero, zero;
	struct ek_scale scale;
	int32_t lo, hi;
};

typedef void ek_div_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_div_params *params);

extern ek_div_fn ek_div_s8, ek_div_u8, ek_div_s16;

#endif
