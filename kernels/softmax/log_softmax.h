/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_softmax - logarithm of the softmax of one row
 *
 *   f32:    dst[i] = src[i] - max - log(sum of exp(src - max))
 *   8 bits: the same in fixed point: differences with 5 integer bits, the sum with 12
 *
 * @dst, @src: n elements each, 1 <= n; dst may be src.
 * Source: TFLite reference/log_softmax.h, integer_ops/log_softmax.h.
 */
#ifndef KERNELS_LOG_SOFTMAX_H
#define KERNELS_LOG_SOFTMAX_H

#include <stddef.h>

#include "kernels/quant.h"

void ek_log_softmax_f32(float *dst, const float *src, size_t n);

struct ek_log_softmax {
	int32_t scaled[256]; /* the difference -i, with 26 fraction bits */
	int32_t exp[256]; /* of it, with 31 fraction bits, 0 where it is below @least */
	int32_t least; /* difference of codes */
	struct ek_scale reverse; /* from 26 fraction bits to a difference of codes */
	int32_t zero, lo, hi; /* of the output, whose scale is 1/16 */
};

/* Fills @scaled and @exp by @least. @scale: from a code to 5 integer and 26 fraction bits. */
void ek_log_softmax_fill(struct ek_scale scale, struct ek_log_softmax *params);

typedef void ek_log_softmax_fn(
	void *dst, const void *src, size_t n, const struct ek_log_softmax *params);

ek_log_softmax_fn ek_log_softmax_s8, ek_log_softmax_u8;

#endif
