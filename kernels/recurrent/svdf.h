/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svdf - a layer of filters over features and time (singular value decomposition filter)
 *
 * The state holds, per batch entry and filter, the last @memory feature values, oldest first. A
 * step drops the oldest (the caller moves the state by one element), then
 *
 *   feature: state[b][f][memory - 1] = requant(sum over k of w[f][k] * (x[b][k] - input_zero))
 *   output:  y[b][u] = clamp(requant(bias[u] + sum over the rank filters f of unit u, m of
 *                      state[b][f][m] * t[f][m]) + output_zero)
 *
 * feature: rows of a tile are b, columns f. output: columns u; filters u * rank ... u * rank + rank
 * - 1. All features of a row come before its outputs.
 *
 * s8: x int8[batch][depth], w int8[filters][depth], state int16[batch][filters][memory], t
 *     int16[filters][memory], bias int32[units] or NULL, y int8[batch][units]; sums wrap in int32;
 *     features saturate to int16, outputs to int8 (the fused activation is RELU, which the output's
 *     scale stands for).
 *
 * In float the features are kernels/gemm/matvec.h's product; ek_svdf_output_f32() is the output.
 *
 * Reads exactly the bytes named. Bit-exact with entry 0 of the list.
 * Source: tflite kernels/internal/reference/svdf.h.
 */
#ifndef KERNELS_RECURRENT_SVDF_H
#define KERNELS_RECURRENT_SVDF_H

#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/math/quant.h"
#include "kernels/tile.h"

struct ek_svdf_shape {
	uint32_t batch, depth, filters, rank, memory; /* rank divides filters */
};

struct ek_svdf_q {
	struct ek_svdf_shape shape;
	const int8_t *input, *feature_weights;
	const int16_t *time_weights;
	const int32_t *bias;
	struct ek_scale feature_scale, output_scale;
	int32_t input_zero, output_zero;
	int16_t *state;
	int8_t *output;
};

struct ek_svdf_f32 {
	struct ek_svdf_shape shape;
	const float *time_weights;
	const float *bias; /* or NULL */
	const float *state;
	float *output;
};

struct ek_svdf_q_row {
	struct ek_variant variant;
	void (*feature)(const struct ek_svdf_q *args, const struct ek_tile *tile);
	void (*output)(const struct ek_svdf_q *args, const struct ek_tile *tile);
};

extern const struct ek_svdf_q_row ek_svdf_s8[];
extern const size_t ek_svdf_s8_count;

/* y[b][u] = bias[u] + sum of state[b][f][m] * t[f][m]; sums in any order. */
void ek_svdf_output_f32(const struct ek_svdf_f32 *a, const struct ek_tile *tile);

/* Rows of the list for Arm. */
void ek_svdf_feature_s8__neon(const struct ek_svdf_q *args, const struct ek_tile *tile);
#if defined(__aarch64__)
void ek_svdf_feature_s8__dotprod(const struct ek_svdf_q *args, const struct ek_tile *tile);
#endif

#endif
