/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce - two numbers become one, over rows: what reductions and sliding windows are made of
 *
 *   step 1: acc[i] = op(acc[i], src[i]);     step 0: acc[0] = op(..op(acc[0], src[0]).., src[n - 1])
 *
 * Accumulators have the type of the elements. Integer sums and products wrap. AND and OR take
 * everything but 0 for true and give 0 or 1. Where the two are equal all extremes keep the
 * accumulator; where one is NaN, MINIMUM and MAXIMUM give src, LEAST and GREATEST the accumulator.
 * Halves are widened, computed as floats and rounded; one that is picked keeps its bits. For bool,
 * sums and maxima are OR, products and minima AND.
 * Source: TFLite kernels/stablehlo_reduce_window.cc (MINIMUM, MAXIMUM), reduce.cc, scatter_nd.cc,
 * unsorted_segment.cc, stablehlo_scatter.cc (std::max, std::min).
 */
#ifndef KERNELS_REDUCE_REDUCE_H
#define KERNELS_REDUCE_REDUCE_H

#include "kernels/math/quant.h"
#include "kernels/reduce/sum.h"

enum ek_reduce {
	EK_REDUCE_ADD,
	EK_REDUCE_MULTIPLY,
	EK_REDUCE_MINIMUM,
	EK_REDUCE_MAXIMUM,
	EK_REDUCE_AND,
	EK_REDUCE_OR,
	EK_REDUCE_LEAST,
	EK_REDUCE_GREATEST,
	EK_REDUCE_COUNT
};

/* By enum ek_reduce; NULL where halves have none. */
typedef ek_sum_fn *const ek_reduce_list[EK_REDUCE_COUNT];
extern ek_reduce_list ek_reduce_s8, ek_reduce_u8, ek_reduce_s16, ek_reduce_u16, ek_reduce_s32,
	ek_reduce_u32, ek_reduce_s64, ek_reduce_f16, ek_reduce_f32, ek_reduce_f64, ek_reduce_bool;

/*
 * The same with int64 accumulators, for products of codes: EK_GEMM_NONE becomes src - zero,
 * another accumulator acc becomes MBQM64(acc * (src - zero)), in 32 bits.
 * Source: TFLite kernels/internal/reference/reduce.h, QuantizedReduceProd.
 */
#define EK_GEMM_NONE INT64_MIN
struct ek_gemm {
	struct ek_scale scale; /* shift at most 14 */
	int32_t zero;
};
typedef void ek_gemm_fn(
	int64_t *acc, const void *src, size_t n, size_t step, const struct ek_gemm *params);
ek_gemm_fn ek_gemm_s8, ek_gemm_s16;

#endif
