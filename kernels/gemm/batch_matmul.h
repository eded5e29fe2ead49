/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_matmul - product of two matrices of codes, as BATCH_MATMUL has it
 *
 *   acc[m][n] = sum over k of (a[m][k] - input_zero) * (b[n][k] - weights_zero)
 *   y[m][n]   = clamp(requant(acc[m][n], scale[0]) + output_zero, lo, hi)
 *
 * Rows of a tile are m, columns n. a is [rows][depth], b [cols][depth] (its columns side by side),
 * y [rows][cols], dense and aligned to their element.
 *
 *   s8     int8 each, sum wraps in int32
 *   s8s32  int8 each, y is the int32 sum of the bare codes: neither zero points nor scale
 *   s16    int16 each, zero points 0, sum in int64
 *   s16s8  a and y int16, b int8, as s16
 *
 * Finishes as kernels/requant/weighted.h says, without bias.
 * Source: tflite kernels/internal/reference/batch_matmul.h.
 */
#ifndef KERNELS_GEMM_BATCH_MATMUL_H
#define KERNELS_GEMM_BATCH_MATMUL_H

#include "kernels/requant/weighted.h"
#include "kernels/tile.h"

struct ek_batch_matmul {
	uint32_t rows, cols, depth;
	const void *a, *b;
	struct ek_weighted q; /* one scale */
	void *output;
};

typedef void ek_batch_matmul_fn(const struct ek_batch_matmul *args, const struct ek_tile *tile);
ek_batch_matmul_fn ek_batch_matmul_s8, ek_batch_matmul_s8s32, ek_batch_matmul_s16,
	ek_batch_matmul_s16s8;

#endif
