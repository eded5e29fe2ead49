/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matmul - product of activations and weights, as FULLY_CONNECTED has it
 *
 *   acc[m][n] = bias[n] + sum over k of (a[m][k] - input_zero) * (w[n][k] - weights_zero)
 *   y[m][n]   = clamp(round(acc[m][n] * scale[n]) + output_zero, lo, hi)
 *
 * The product with scale is in double and rounds half away from zero; int8 with fixed is requantised
 * by MBQM(acc, fixed[n]) in its place. Rows of a tile are m, columns n.
 *
 * Types by list, all dense and aligned to their element:
 *   ek_matmul_s8   a int8,  w int8,  bias32, sum wraps in int32
 *   ek_matmul_u8   a uint8, w uint8, as s8; the only one with weights_zero
 *   ek_matmul_s16  a int16, w int8, input_zero 0; wide: sum in int64, else cut to int32; either
 *                  bias
 *   ek_matmul_f32  float, sum in any order, clamp lets NaN pass; rows other than entry 0 agree to
 *                  the bit: bias, then fused multiply-adds from the first k on
 *   ek_matmul_h8   hybrid: a int8 codes of float rows, w int8, y float; below
 * a is [rows][depth], w [cols][depth] unless the row packs it, y [rows][cols] of a's type, or int16
 * where output_s16 is set.
 *
 * Hybrid products have a scale and a zero point for each row of a (kernels/hybrid/hybrid.h), and a scale
 * for each of the depth / block blocks of a row of w (one block: a scale per channel):
 *
 *   y[m][n] = clamp(bias[n] + sum over b of scale(m) * scale[n][b]
 *             * (sum over k in b of (a[m][k] - zero(m)) * w[n][k]), lo, hi)
 *
 * The inner sum wraps in int32, the outer one is in float, from the first block to the last.
 *
 * Reads exactly the bytes named; writes the tile of the output and scratch. Bit-exact with entry 0
 * of the list (float: within the order of sums).
 * Source: tflite kernels/internal/reference/fully_connected.h, integer_ops/fully_connected.h; fixed:
 * optimized/sparse_ops/fully_connected.h.
 */
#ifndef KERNELS_GEMM_MATMUL_H
#define KERNELS_GEMM_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/hybrid/hybrid_row.h"
#include "kernels/math/quant.h"
#include "kernels/tile.h"

struct ek_matmul_shape {
	uint32_t rows, cols, depth;
};

struct ek_matmul_q {
	struct ek_matmul_shape shape;
	const void *a;
	const void *w;
	const int32_t *bias32; /* [cols]; at most one of the two, none is zero */
	const int64_t *bias64;
	const double *scale; /* [cols], finite, >= 0 */
	const struct ek_scale *fixed; /* s8: [cols], used in place of scale; else NULL */
	int32_t input_zero, weights_zero, output_zero;
	int32_t lo, hi;
	bool wide, output_s16;
	void *output;
};

struct ek_matmul_f32 {
	struct ek_matmul_shape shape;
	const float *a, *w;
	const float *bias; /* [cols] or NULL */
	float lo, hi;
	float *output;
};

struct ek_matmul_h {
	struct ek_matmul_shape shape;
	const int8_t *a, *w;
	const struct ek_hybrid_row *row; /* [rows] */
	const float *scale; /* [cols][depth / block] */
	uint32_t block; /* divides depth */
	const float *bias; /* [cols] or NULL */
	float lo, hi;
	bool is_packed; /* w is what the row packed */
	float *output;
};

struct ek_matmul_q_row {
	struct ek_variant variant;
	uint32_t col_step; /* first_col of a tile is a multiple of it */
	/* Bytes of packed weights; 0: the file's order is read. @pack fills them, 64-byte aligned,
	 * from all of @args but a and output; @run gets the same ones but for the weights. */
	uint64_t (*packed_bytes)(const struct ek_matmul_shape *shape);
	void (*pack)(const struct ek_matmul_q *args, void *packed);
	/* Scratch of one call, 64-byte aligned. */
	uint64_t (*scratch_bytes)(const struct ek_matmul_shape *shape);
	void (*run)(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);
};

struct ek_matmul_f32_row {
	struct ek_variant variant;
	uint32_t col_step;
	uint64_t (*packed_bytes)(const struct ek_matmul_shape *shape);
	void (*pack)(const struct ek_matmul_f32 *args, void *packed);
	void (*run)(const struct ek_matmul_f32 *args, const struct ek_tile *tile);
};

/* Reads weights in the file's order as well as packed ones; packed_bytes NULL, or 0: only those. */
struct ek_matmul_h_row {
	struct ek_variant variant;
	uint32_t col_step;
	uint64_t (*packed_bytes)(const struct ek_matmul_h *args);
	void (*pack)(const struct ek_matmul_h *args, void *packed);
	/* Scratch of one call, 64-byte aligned. */
	uint64_t (*scratch_bytes)(const struct ek_matmul_shape *shape);
	void (*run)(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
};

extern const struct ek_matmul_q_row ek_matmul_s8[], ek_matmul_u8[], ek_matmul_s16[];
extern const size_t ek_matmul_s8_count, ek_matmul_u8_count, ek_matmul_s16_count;
extern const struct ek_matmul_f32_row ek_matmul_f32[];
extern const size_t ek_matmul_f32_count;
extern const struct ek_matmul_h_row ek_matmul_h8[];
extern const size_t ek_matmul_h8_count;

#endif
