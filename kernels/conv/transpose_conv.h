/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transpose_conv - transposed convolution in three dimensions; two-dimensional ones have depth 1
 *
 *   acc[o][n] = sum over taps k and inputs i with o = i * stride + k * dilation - pad, over c of
 *               (x[i][c] - input_zero) * (w[n][k][c] - weights_zero)
 *   y[o][n]   = clamp(finish(acc[o][n]))
 *
 * Rows of a tile are output pixels (batch x depth x height x width), columns output channels n.
 * Inputs are gathered by the output that they reach, so tiles do not meet.
 *
 * Types by function, all dense and aligned to their element: f32 (sum in the order of taps, plus
 * bias, clamp lets NaN pass), s8 (int8 weights), u8 (uint8 weights, the only one with
 * weights_zero), s16 (int8 weights, input_zero 0). Integers finish as kernels/requant/weighted.h says.
 * h8 (hybrid): int8 codes of float rows, one row per batch entry, int8 weights;
 * y = sum * scale of the row * scale[n] + bias in float, clamp.
 *
 * @scratch: ek_transpose_conv_scratch() bytes, aligned to 8.
 * Reads exactly the bytes named; writes the tile of the output and scratch.
 * Source: tflite kernels/internal/reference/reference_ops.h (TransposeConv),
 * integer_ops/transpose_conv.h, conv3d_transpose.h.
 */
#ifndef KERNELS_CONV_TRANSPOSE_CONV_H
#define KERNELS_CONV_TRANSPOSE_CONV_H

#include "kernels/conv/window.h"
#include "kernels/hybrid/hybrid.h"
#include "kernels/requant/weighted.h"
#include "kernels/tile.h"

struct ek_transpose_conv {
	uint32_t batch;
	/* Depth, height, width. @in and @out are of the input and of the output: any sizes; taps
	 * that leave the output are left out. */
	struct ek_window_axis axis[3];
	uint32_t in_c, out_c;
	size_t tap_step,
		channel_step; /* of the weights: elements from tap to tap, from n to n + 1 */
	const void *input; /* [batch][depth][height][width][in_c] */
	const void *weights; /* in_c elements in a row */
	struct ek_weighted q; /* integers */
	const struct ek_hybrid_row *rows; /* h8: [batch] */
	const float *scale; /* h8: [out_c] */
	const float *bias; /* f32, h8: [out_c] or NULL */
	float lo_f32, hi_f32;
	void *output; /* [batch][depth][height][width][out_c] */
};

/* Bytes for a tile of @cols columns. */
static inline uint64_t ek_transpose_conv_scratch(uint32_t cols)
{
	return (uint64_t)cols * sizeof(int64_t);
}

typedef void ek_transpose_conv_fn(
	const struct ek_transpose_conv *args, const struct ek_tile *tile, void *scratch);
ek_transpose_conv_fn ek_transpose_conv_f32, ek_transpose_conv_s8, ek_transpose_conv_u8,
	ek_transpose_conv_s16, ek_transpose_conv_h8;

#endif
