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
 * Types by list, as in conv.h: ek_depthwise_s8, _u8, _s16, _f32; s16 is always an int64 sum,
 * bias64 and MBQM64; rows of f32 other than entry 0 agree to the bit, as in conv.h; ek_depthwise_h8 is hybrid as ek_conv_h8. Input is [batch][in_h][in_w][in_c], weights [k_h][k_w][out_c], output
 * [batch][out_h][out_w][out_c], unless the row packs weights.
 *
 * Reads exactly the bytes named; writes the tile of the output. Bit-exact with entry 0 of the list
 * (float: within the order of sums).
 * Source: tflite kernels/internal/reference/depthwiseconv_uint8.h, depthwiseconv_float.h,
 * reference/integer_ops/depthwise_conv.h.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_H
#define KERNELS_DEPTHWISE_DEPTHWISE_H

#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/depthwise/depthwise_args.h"
#include "kernels/tile.h"

struct ek_depthwise_q_row {
	struct ek_variant variant;
	uint32_t col_step; /* first_col of a tile is a multiple of it */
	/* Bytes of packed weights; 0: the file's order is read. @pack fills them, 64-byte aligned,
	 * from all of @args but input and output; @run gets the same ones but for the weights. */
	uint64_t (*packed_bytes)(const struct ek_depthwise_shape *shape);
	void (*pack)(const struct ek_depthwise_q *args, void *packed);
	/* Scratch of one call, 64-byte aligned. */
	uint64_t (*scratch_bytes)(const struct ek_depthwise_shape *shape);
	void (*run)(const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);
};

struct ek_depthwise_f32_row {
	struct ek_variant variant;
	uint32_t col_step;
	/* Scratch of one call, 64-byte aligned. */
	uint64_t (*scratch_bytes)(const struct ek_depthwise_shape *shape);
	void (*run)(const struct ek_depthwise_f32 *args, const struct ek_tile *tile, void *scratch);
};

struct ek_depthwise_h_row {
	struct ek_variant variant;
	uint32_t col_step;
	void (*run)(const struct ek_depthwise_h *args, const struct ek_tile *tile);
};

extern const struct ek_depthwise_q_row ek_depthwise_s8[], ek_depthwise_u8[], ek_depthwise_s16[];
extern const size_t ek_depthwise_s8_count, ek_depthwise_u8_count, ek_depthwise_s16_count;
extern const struct ek_depthwise_f32_row ek_depthwise_f32[];
extern const size_t ek_depthwise_f32_count;
extern const struct ek_depthwise_h_row ek_depthwise_h8[];
extern const size_t ek_depthwise_h8_count;

#endif
