/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum - sums over rows
 *
 *   step 1: sums[i] += src[i];     step 0: sums[0] += src[0] + ... + src[n - 1], in this order
 *
 * @sums: n elements, or one where @step is 0: int32 for types of up to 16 bits and int32 ("s32"),
 *        int64 for "s32to64" and int64, float for float; bool is or'ed. Integers wrap.
 * @src:  n elements.
 * Source: TFLite reference/reduce.h (ReduceSumImpl, Mean, QuantizedMeanOrSum).
 */
#ifndef KERNELS_REDUCE_SUM_H
#define KERNELS_REDUCE_SUM_H

#include "kernels/cpu_features.h"

typedef void ek_sum_fn(void *sums, const void *src, size_t n, size_t step);

struct ek_sum {
	struct ek_variant variant;
	ek_sum_fn *run;
};

extern const struct ek_sum ek_sum_s8[], ek_sum_u8[], ek_sum_s16[], ek_sum_f32[];
extern const size_t ek_sum_s8_count, ek_sum_u8_count, ek_sum_s16_count, ek_sum_f32_count;

ek_sum_fn ek_sum_s32, ek_sum_s32to64, ek_sum_s64, ek_sum_bool;

/* Rows of the lists for x86-64 and Arm. */
ek_sum_fn ek_sum_s8__avx2, ek_sum_u8__avx2;
/* On ARMv7 alone: what compilers make of plain C for AArch64 is as good. */
ek_sum_fn ek_sum_s8__neon, ek_sum_u8__neon, ek_sum_s16__neon;

#endif
