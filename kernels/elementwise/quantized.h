/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantized - functions of one quantised number, by integer arithmetic
 *
 * ek_quantized_<function>() is the formula of one code; 8 bits go through a table of its 256 results
 * (lut.h), int16 through the rows below. v is the code's distance from its zero point; every result
 * is clamped to lo..hi after the zero point of the output is added.
 *
 *   abs:         rescale(|v|, scale)
 *   leaky_relu:  rescale(v, v >= 0 ? scale : below), negated below 0 where it flips
 *   sqrt:        sqrt(src_step * v) / step in floats, cut to an integer; v >= 0
 *   rsqrt:       rescale(2^20 / sqrt(v), scale / 2^20), the highest code for v = 0; v >= 0
 *   hard_swish:  v * (v in -3..3 mapped to 0..1); multipliers of scale and below have 16 bits
 *
 * Source: TFLite kernels/elementwise.cc (AbsEvalQuantized, SqrtEval, RsqrtEvalQuantizedInt8),
 * reference/leaky_relu.h, reference/hard_swish.h.
 */
#ifndef KERNELS_ELEMENTWISE_QUANTIZED_H
#define KERNELS_ELEMENTWISE_QUANTIZED_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_quantized {
	int32_t src_zero, zero, lo, hi;
	struct ek_scale scale, below;
	bool flips;
	float src_step, step;
};

typedef int32_t ek_quantized_one_fn(int32_t x, const struct ek_quantized *p);

ek_quantized_one_fn ek_quantized_abs, ek_quantized_leaky_relu, ek_quantized_sqrt,
	ek_quantized_rsqrt, ek_quantized_hard_swish;

/* @dst, @src: n codes; dst may be src. */
typedef void ek_quantized_s16_fn(
	int16_t *dst, const int16_t *src, size_t n, const struct ek_quantized *p);

ek_quantized_s16_fn ek_quantized_abs_s16, ek_quantized_leaky_relu_s16, ek_quantized_sqrt_s16;

/* Index of the first of n codes that is below @limit, or n. */
size_t ek_quantized_find_below_s8(const int8_t *src, size_t n, int32_t limit);
size_t ek_quantized_find_below_s16(const int16_t *src, size_t n, int32_t limit);

#endif
