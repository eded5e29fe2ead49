/* SPDX-License-Identifier: Apache-2.0 */
/* add_params - the arguments of a row of the lists of kernels/elementwise/add.h */
#ifndef KERNELS_ELEMENTWISE_ADD_PARAMS_H
#define KERNELS_ELEMENTWISE_ADD_PARAMS_H

#include <stddef.h>

#include "kernels/math/quant.h"
#include "kernels/requant/float_requant.h"

struct ek_add_params {
	int32_t a_zero, b_zero, zero;
	int32_t left_shift;
	int32_t sign; /* 1, or -1 to subtract */
	struct ek_scale a_scale, b_scale, scale;
	int32_t lo, hi;
	struct ek_float_requant line; /* zero, or from the row's prove() */
};

typedef void ek_add_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_add_params *params);

#endif
