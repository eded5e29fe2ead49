/* SPDX-License-Identifier: Apache-2.0 */
/* mul_params - the arguments of a row of the lists of kernels/elementwise/mul.h */
#ifndef KERNELS_ELEMENTWISE_MUL_PARAMS_H
#define KERNELS_ELEMENTWISE_MUL_PARAMS_H

#include <stddef.h>

#include "kernels/math/quant.h"
#include "kernels/requant/float_requant.h"

struct ek_mul_params {
	int32_t a_zero, b_zero, zero;
	struct ek_scale scale;
	int32_t lo, hi;
	struct ek_float_requant line; /* zero, or from the row's prove() */
};

typedef void ek_mul_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_mul_params *params);

#endif
