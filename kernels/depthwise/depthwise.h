/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise - two-dimensional convolution of each channel by itself
 *
 *   acc[p][n] = bias[n] + sum over taps inside of (x[p, tap][n / multiplier] - input_zero)
 *               * (w[tap][n] - weights_zero)
 *   y[p][n]   = clamp(requant(acc[p][n], scale[n]) + output_zero, lo, hi)
 *
 * Rows of a tile are output pixels p (batch x out_h x out_w), columns output channels n < out_c =
 * in_c * multiplier.
 *
 * Rows and arguments are those of conv.h, with as many groups as input channels. Types by list, as
 * there: ek_depthwise_s8, _u8, _s16, _f32, _h8; s16 is always an int64 sum, bias64 and MBQM64. Input is
 * [batch][in_h][in_w][in_c], weights [k_h][k_w][out_c], output [batch][out_h][out_w][out_c], unless the
 * row packs weights. Rows of f32 and h8 pack none.
 *
 * Reads exactly the bytes named; writes the tile of the output. Bit-exact with entry 0 of the list
 * (float: within the order of sums).
 * Source: tflite kernels/internal/reference/depthwiseconv_uint8.h, depthwiseconv_float.h,
 * reference/integer_ops/depthwise_conv.h.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_H
#define KERNELS_DEPTHWISE_DEPTHWISE_H

#include "kernels/conv/conv.h"

extern const struct ek_conv_q_row ek_depthwise_s8[], ek_depthwise_u8[], ek_depthwise_s16[];
extern const size_t ek_depthwise_s8_count, ek_depthwise_u8_count, ek_depthwise_s16_count;
extern const struct ek_conv_f32_row ek_depthwise_f32[];
extern const size_t ek_depthwise_f32_count;
extern const struct ek_conv_h_row ek_depthwise_h8[];
extern const size_t ek_depthwise_h8_count;

#endif
