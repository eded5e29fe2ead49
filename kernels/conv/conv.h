/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv - two-dimensional convolution
 *
 *   acc[p][n] = bias[n] + sum over taps inside, c of (x[p, tap][c] - input_zero)
 *               * (w[n][tap][c] - weights_zero)
 *   y[p][n]   = clamp(requant(acc[p][n], scale[n]) + output_zero, lo, hi)
 *
 * Rows of a tile are output pixels p (batch x out_h x out_w), columns output channels n. With
 * groups, channel n of group g sees the group's own in_c / groups input channels.
 *
 * Types by list, all dense and aligned to their element:
 *   ek_conv_s8   input int8,  weights int8,  bias32, requant = MBQM of the wrapped int32 sum
 *   ek_conv_u8   input uint8, weights uint8, as s8; the only one with weights_zero
 *   ek_conv_s16  input int16, weights int8, input_zero 0; wide: int64 sum and MBQM64, else the sum
 *                cut to int32 and MBQM; either bias
 *   ek_conv_f32  float, sum in any order, clamp lets NaN pass; rows other than entry 0 agree to the
 *                bit: bias, then fused multiply-adds in the order of a filter's weights
 *   ek_conv_h8   hybrid: input int8 codes of floats with a scale and a zero point for each batch
 *                entry (kernels/hybrid/hybrid.h), weights int8, output float; int32 sum, then
 *                y = clamp(sum * (scale(batch) * scale[n]) + bias[n], lo, hi) in float
 * Input is [batch][in_h][in_w][in_c], weights [out_c][k_h][k_w][in_c / groups], output
 * [batch][out_h][out_w][out_c], unless the row packs weights.
 *
 * Reads exactly the bytes named; writes the tile of the output and scratch. Bit-exact with entry 0
 * of the list (float: within the order of sums).
 * Source: tflite kernels/internal/reference/conv.h, reference/integer_ops/conv.h.
 */
#ifndef KERNELS_CONV_CONV_H
#define KERNELS_CONV_CONV_H

#include <stddef.h>

#include "kernels/conv/conv_args.h"
#include "kernels/cpu_features.h"
#include "kernels/tile.h"

/* A row of a list for integers. */
struct ek_conv_q_row {
	struct ek_variant variant;
	uint32_t col_step; /* first_col of a tile is a multiple of it */
	/* Bytes of packed weights; 0: the file's order is read. @pack fills them, 64-byte aligned,
	 * from all of @args but input and output; @run gets the same ones but for the weights. */
	uint64_t (*packed_bytes)(const struct ek_conv_shape *shape);
	void (*pack)(const struct ek_conv_q *args, void *packed);
	/* Scratch of one call, 64-byte aligned. */
	uint64_t (*scratch_bytes)(const struct ek_conv_shape *shape);
	void (*run)(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
};

struct ek_conv_f32_row {
	struct ek_variant variant;
	uint32_t col_step;
	uint64_t (*packed_bytes)(const struct ek_conv_shape *shape);
	void (*pack)(const struct ek_conv_f32 *args, void *packed);
	uint64_t (*scratch_bytes)(const struct ek_conv_shape *shape);
	void (*run)(const struct ek_conv_f32 *args, const struct ek_tile *tile, void *scratch);
};

/* Reads weights in the file's order as well as packed ones; packed_bytes NULL: only those. */
struct ek_conv_h_row {
	struct ek_variant variant;
	uint32_t col_step;
	uint64_t (*packed_bytes)(const struct ek_conv_h *args);
	void (*pack)(const struct ek_conv_h *args, void *packed);
	uint64_t (*scratch_bytes)(const struct ek_conv_shape *shape);
	void (*run)(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
};

extern const struct ek_conv_q_row ek_conv_s8[], ek_conv_u8[], ek_conv_s16[];
extern const size_t ek_conv_s8_count, ek_conv_u8_count, ek_conv_s16_count;
extern const struct ek_conv_f32_row ek_conv_f32[];
extern const size_t ek_conv_f32_count;
extern const struct ek_conv_h_row ek_conv_h8[];
extern const size_t ek_conv_h8_count;

/*
 * What output pixel @pixel sees of group @group, as [k_h][k_w][in_c / groups] elements of
 * @element_bytes; every byte of what lies outside of the picture is @pad.
 */
void ek_conv_patch(const struct ek_conv_shape *shape, const void *input, size_t element_bytes,
	int pad, struct ek_pixel pixel, uint32_t group, void *patch);

#endif
