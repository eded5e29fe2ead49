/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_parts - the steps of an 8-bit softmax that all its rows have in common */
#ifndef KERNELS_SOFTMAX_SOFTMAX_PARTS_H
#define KERNELS_SOFTMAX_SOFTMAX_PARTS_H

#include "kernels/math/fixed.h"
#include "kernels/softmax/softmax_params.h"

#define EK_SOFTMAX_SUM_BITS 12 /* integer bits of the sum */

/* The reciprocal of @sum, and the shift that takes its product with an exponential to out_bits. The
 * sum of 8192 equal exponentials leaves 32 bits (the reference's is undefined then) and saturates.
 * One below that of the row's maximum alone (the exponential of 0) is of a row that somebody else
 * writes to meanwhile: it is taken for that, since the shift would be below 0. */
static inline int32_t ek_softmax_invert(
	uint64_t sum, const struct ek_softmax_params *p, int32_t *ret_shift)
{
	const uint32_t least = UINT32_C(1) << (31 - EK_SOFTMAX_SUM_BITS);
	uint32_t sum32 = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
	int32_t bits;
	sum32 = sum32 < least ? least : sum32;
	int32_t reciprocal = ek_fixed_reciprocal((int32_t)sum32, EK_SOFTMAX_SUM_BITS, &bits);
	*ret_shift = bits + 31 - p->out_bits;
	return reciprocal;
}

#endif
