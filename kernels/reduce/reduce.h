/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold - two numbers become one, over rows: what reductions and sliding windows are made of
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
#ifndef KERNELS_FOLD_H
#define KERNELS_FOLD_H

#include "kernels/quant.h"
#include "kernels/sum.h"

enum ek_fold {
	EK_FOLD_ADD,
	EK_FOLD_MULTIPLY,
	EK_FOLD_MINIMUM,
	EK_FOLD_MAXIMUM,
	EK_FOLD_AND,
	EK_FOLD_OR,
	EK_FOLD_LEAST,
	EK_FOLD_GREATEST,
	EK_FOLD_COUNT
};

/* By enum ek_fold; NULL where halves have none. */
typedef ek_sum_fn *const ek_fold_list[EK_FOLD_COUNT];
extern ek_fold_list ek_fold_s8, ek_fold_u8, ek_fold_s16, ek_fold_u16, ek_fold_s32, ek_fold_u32,
	ek_fold_s64, ek_fold_f16, ek_fold_f32, ek_fold_f64, ek_fold_bool;

/*
 * The same with int64 accumulators, for products of codes: EK_PRODUCT_NONE becomes src - zero,
 * another accumulator acc becomes MBQM64(acc * (src - zero)), in 32 bits.
 * Source: TFLite kernels/internal/reference/reduce.h, QuantizedReduceProd.
 */
#define EK_PRODUCT_NONE INT64_MIN
struct ek_product {
	struct ek_scale scale; /* shift at most 14 */
	int32_t zero;
};
typedef void ek_product_fn(
	int64_t *acc, const void *src, size_t n, size_t step, const struct ek_product *params);
ek_product_fn ek_product_s8, ek_product_s16;

#endif
