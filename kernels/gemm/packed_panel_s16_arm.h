/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed_panel_s16_arm - what becomes of sums of products of int16, 16 columns at a time
 *
 *   WIDE:    MBQM64, where sum and bias stay within 32 bits: a product in 64 and a rounding shift
 *   NARROW:  the sum cut to 32 bits and MBQM
 *   DOUBLE:  round(acc * scale), where the sum, or sum and bias if all of it counts, stay within 32 bits
 *   ANY:     one of the three by the formula, code by code, of sums in 64 bits
 *
 * They stay there whatever the activations are, which the magnitudes of a column's weights say.
 */
#ifndef KERNELS_GEMM_PACKED_PANEL_S16_ARM_H
#define KERNELS_GEMM_PACKED_PANEL_S16_ARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/math/quant.h"

#define S16_COLS 16

enum s16_kind {
	S16_WIDE,
	S16_NARROW,
	S16_DOUBLE,
	S16_ANY
};

/* One call. */
struct s16_output {
	const int32_t *bias32; /* at most one of the two */
	const int64_t *bias64;
	const struct ek_scale *scale; /* or */
	const double *factor;
	int32_t zero, lo, hi;
	bool wide;
};

/* Columns [first, first + n) of a call. */
struct s16_panel {
	const struct s16_output *output;
	const int8_t *weights;
	uint32_t first, n;
	enum s16_kind kind;
	int32_t start[S16_COLS]; /* of the sums: the bias, lower 32 bits; ANY: 0 */
	int32_t multiplier[S16_COLS]; /* WIDE: of 16 bits */
	int32_t left[S16_COLS], right[S16_COLS]; /* NARROW; right as VRSHL takes it */
	int64_t right64[S16_COLS]; /* WIDE */
	double factor[S16_COLS]; /* DOUBLE */
};

/* @size: of each of the panel's columns the sum of its weights' magnitudes. */
void s16_panel_init(struct s16_panel *p, const struct s16_output *o, const uint32_t *size,
	uint32_t first, uint32_t n);

/* @n rows of sums, [n][16], which began at the panel's starts, become codes at @to, @step elements
 * apart. Not for ANY. */
void s16_panel_put(
	const struct s16_panel *p, const int32_t *sums, uint32_t n, int16_t *to, size_t step);
/* The same of ANY. */
void s16_panel_put_any(
	const struct s16_panel *p, const int64_t *sums, uint32_t n, int16_t *to, size_t step);

#endif
