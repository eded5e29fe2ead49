/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_params - the arguments of a row of the lists of kernels/softmax/softmax.h */
#ifndef KERNELS_SOFTMAX_SOFTMAX_PARAMS_H
#define KERNELS_SOFTMAX_SOFTMAX_PARAMS_H

#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_softmax_params {
	struct ek_scale scale; /* to the argument of the exponential's table; int16 only */
	const int32_t *exp8; /* 256 entries of ek_softmax_exp8(); 8 bits only */
	int32_t out_lo, out_hi; /* range of the output's type */
	int32_t out_bits; /* 8, or 16 for an int16 output; 8 bits only */
	const int16_t *exp; /* 513 entries, int16 only */
	const int16_t *reciprocal; /* 513 entries, 1 / (1 + x), int16 only */
};

typedef void ek_softmax_fn(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params);

#endif
