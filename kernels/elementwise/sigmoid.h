/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigmoid - logistic and tanh of int16 codes
 *
 *   v = (src[i] * multiplier, rounded) >> shift, a number with 12 fraction bits, times 3;
 *   dst[i] = the function of it, interpolated between the 256 points of the table
 *
 * @dst, @src: n elements; dst may be src.
 * @table: 65536 * logistic(i / 24), adjusted to halve the error of interpolation; the same for
 * both. Source: TFLite integer_ops/logistic.h and tanh.h (int16), sigmoid_table_uint16 of
 * kernels/internal/common.h.
 */
#ifndef KERNELS_ELEMENTWISE_SIGMOID_H
#define KERNELS_ELEMENTWISE_SIGMOID_H

#include <stddef.h>
#include <stdint.h>

struct ek_sigmoid_s16_params {
	int32_t multiplier; /* 0..2^15 */
	int32_t shift; /* 0..31 */
	const uint16_t *table;
};

typedef void ek_sigmoid_s16_fn(
	int16_t *dst, const int16_t *src, size_t n, const struct ek_sigmoid_s16_params *params);

ek_sigmoid_s16_fn ek_logistic_s16, ek_tanh_s16;

#endif
