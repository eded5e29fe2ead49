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
#ifndef KERNELS_SOFTMAX_LOG_SOFTMAX_H
#define KERNELS_SOFTMAX_LOG_SOFTMAX_H

#include <stddef.h>

#include "kernels/math/quant.h"

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

/*
 * The same to the bit for a row that comes in parts: first the maximum of all parts, then the sum over all
 * of them, then the results. The first part's @max is its first element, and its @sum is 0.
 */
struct ek_log_softmax_parts {
	int32_t (*max)(int32_t max, const void *src, size_t n);
	uint64_t (*sum)(uint64_t sum, const void *src, size_t n, int32_t max,
		const struct ek_log_softmax *params);
	void (*finish)(void *dst, const void *src, size_t n, int32_t max, uint64_t sum,
		const struct ek_log_softmax *params);
};
extern const struct ek_log_softmax_parts ek_log_softmax_parts_s8, ek_log_softmax_parts_u8;

float ek_log_softmax_f32_max(float max, const float *src, size_t n);
float ek_log_softmax_f32_sum(float sum, const float *src, size_t n, float max);
/* @log_sum: logf() of the sum */
void ek_log_softmax_f32_finish(float *dst, const float *src, size_t n, float max, float log_sum);

#endif
