/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matvec - products of one row of activations with the rows of a weight matrix, added to sums that
 * stand there already: what recurrent operators with float activations are made of
 *
 *   f32:    sum[n] += w[n] . x
 *   hybrid: sum[n] += (sum over k of (code[k] - zero) * w[n][k]) * f(row's scale * weights' scale)
 *
 * f32:    x float[columns], w float[rows][columns]; the products summed in any order, which is that of
 *         entry 0 in every row of the list
 * hybrid: x int8 codes[columns] with their scale and zero point (kernels/hybrid/hybrid.h), w
 *         int8[rows][columns]; the inner sum wraps in int32, then one conversion, one product and
 *         one sum in float: the same bits from every entry
 *
 * Reads exactly the bytes named, of rows [first, end) only; writes sum[first] .. sum[end - 1].
 * Source: tflite kernels/internal/reference/portable_tensor_utils.cc
 * (MatrixBatchVectorMultiplyAccumulate).
 */
#ifndef KERNELS_GEMM_MATVEC_H
#define KERNELS_GEMM_MATVEC_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu_features.h"
#include "kernels/hybrid/hybrid_row.h"

struct ek_matvec {
	const void *w; /* NULL: there is no such product */
	uint32_t columns;
	float scale; /* of int8 weights */
};

struct ek_matvec_x {
	const void *x;
	struct ek_hybrid_row row; /* of codes */
};

typedef void ek_matvec_fn(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum);

struct ek_matvec_row {
	struct ek_variant variant;
	ek_matvec_fn *add;
};

extern const struct ek_matvec_row ek_matvec_f32[], ek_matvec_hybrid[];
extern const size_t ek_matvec_f32_count, ek_matvec_hybrid_count;

/* Rows of the lists for x86-64 and Arm. */
ek_matvec_fn ek_matvec_hybrid__avx2, ek_matvec_hybrid__avx512vnni, ek_matvec_f32__avx2;
ek_matvec_fn ek_matvec_hybrid__neon;
ek_matvec_fn ek_matvec_f32__neon; /* to the bits of entry 0 */
ek_matvec_fn ek_matvec_hybrid__dotprod;

#endif
