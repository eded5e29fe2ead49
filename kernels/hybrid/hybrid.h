/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid - a row of floats becomes int8 codes with a scale of its own
 *
 * What operators with float activations and integer weights do before their integer sums (dynamic
 * range quantisation): real = scale * (code - zero). The result is
 *
 *   y = sum over k of (code[k] - zero) * w[k] * scale * scale(w) + bias, in float
 *
 * Every step is one IEEE operation, in float unless double is said, so codes, scale and zero are
 * the same on every CPU. NaN has no part in a row's range and gets the code @zero, and so does every
 * value of a row with an infinite one. A range below the smallest float gives scale 0.
 *
 * @values: float[n], aligned; n may be 0.
 * @ret_codes: int8[n], written whole. Not the memory of @values.
 * Source: tflite kernels/internal/reference/portable_tensor_utils.cc.
 */
#ifndef KERNELS_HYBRID_HYBRID_H
#define KERNELS_HYBRID_HYBRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu_features.h"
#include "kernels/hybrid/hybrid_row.h"

/* How codes are made: round(zero + v * inverse) in lo .. 127, of NaN zero; the product and the sum are
 * each rounded to float, halves away from zero. */
struct ek_hybrid_code {
	float inverse;
	int32_t zero, lo;
};

/* The two passes over a row. */
struct ek_hybrid {
	struct ek_variant variant;
	/* min(0, values) and max(0, values); NaN is left out. */
	void (*range)(const float *values, size_t n, float ret_range[static 2]);
	void (*encode)(const float *values, size_t n, const struct ek_hybrid_code *code,
		int8_t *ret_codes);
};

extern const struct ek_hybrid ek_hybrid[];
extern const size_t ek_hybrid_count;

/*
 * Symmetric: scale = max|v| / 127, code = round(v * (127 / max|v|)) in -127 .. 127, halves away from zero.
 *
 * Asymmetric: lo = min(0, values), hi = max(0, values), scale = f(hi - lo) / 255 in double, rounded to float;
 * zero = round(-128 - lo / scale) in double, or round(127 - hi / scale) where that adds the smaller
 * numbers; code = round(zero + v * (1 / scale)), both in -128 .. 127.
 */
struct ek_hybrid_row ek_hybrid_quantise(const struct ek_hybrid *row, const float *values, size_t n,
	bool asymmetric, int8_t *ret_codes);

/* What lies between the two passes. False, and no code, for a row of zeros, whose codes are 0. */
bool ek_hybrid_choose(const float range[static 2], bool asymmetric, struct ek_hybrid_row *ret_row,
	struct ek_hybrid_code *ret_code);

/* Rows of the lists for x86-64 and Arm. */
void ek_hybrid_range__avx2(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx2(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
void ek_hybrid_range__avx512vnni(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx512vnni(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
void ek_hybrid_range__neon(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__neon(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);

#endif
