/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requant - codes of one scale become codes of another, floats become codes and back
 *
 *   requant:    dst[i] = clamp(rescale(src[i] - src_zero, scale) + zero, lo, hi)
 *   quantize:   dst[i] = clamp(round(src[i] / step) + zero, lo, hi), ties away from zero; or even, as
 *               LiteRT's default kernels do (observed of ai-edge-litert 2.3.0): round(src[i] * inverse)
 *               with the float inverse 1 / step, ties to even
 *   dequantize: dst[i] = step * (src[i] - zero), both factors as float
 *
 * @dst, @src: n elements. Types of 8 bits that only map one code to another go through lut.h.
 * Source: TFLite reference/requantize.h, quantize.h, dequantize.h and ReluX of reference_ops.h.
 */
#ifndef KERNELS_REQUANT_REQUANT_H
#define KERNELS_REQUANT_REQUANT_H

#include <stdbool.h>

#include "kernels/cpu_features.h"
#include "kernels/math/quant.h"

struct ek_requant_params {
	int32_t src_zero, zero;
	struct ek_scale scale;
	int32_t lo, hi;
};

/* The whole formula for one code; differences and sums wrap. */
static inline int32_t ek_requant_one(int32_t x, const struct ek_requant_params *p)
{
	int32_t v = ek_mbqm(ek_sub32(x, p->src_zero), p->scale);
	return ek_clamp32(ek_add32(v, p->zero), p->lo, p->hi);
}

typedef void ek_requant_fn(
	void *dst, const void *src, size_t n, const struct ek_requant_params *params);

struct ek_requant {
	struct ek_variant variant;
	ek_requant_fn *run;
};

/* Named after the types of source and destination. */
extern const struct ek_requant ek_requant_s16s8[], ek_requant_s16s16[], ek_requant_s16s32[],
	ek_requant_s32s8[], ek_requant_s32s16[];
extern const size_t ek_requant_s16s8_count, ek_requant_s16s16_count, ek_requant_s16s32_count,
	ek_requant_s32s8_count, ek_requant_s32s16_count;

struct ek_quantize_params {
	float step;
	int32_t zero, lo, hi;
	bool even;
};

typedef void ek_quantize_fn(
	void *dst, const float *src, size_t n, const struct ek_quantize_params *params);

struct ek_quantize {
	struct ek_variant variant;
	ek_quantize_fn *run;
};

extern const struct ek_quantize ek_quantize_s8[], ek_quantize_u8[], ek_quantize_s16[];
extern const size_t ek_quantize_s8_count, ek_quantize_u8_count, ek_quantize_s16_count;

typedef void ek_dequantize_fn(float *dst, const void *src, size_t n, float step, int32_t zero);

ek_dequantize_fn ek_dequantize_s8, ek_dequantize_u8, ek_dequantize_s16, ek_dequantize_s32;

/* dst[i] -= reference[i]; the index of the first result of a size above @limit, or n. NaN is not. */
size_t ek_miss_f32(float *dst, const float *reference, size_t n, float limit);

/* Nibbles, low one first, become int8 and back. @n counts elements. */
void ek_unpack_s4(int8_t *dst, const uint8_t *src, size_t n);
void ek_pack_s4(uint8_t *dst, const int8_t *src, size_t n);

/* Rows of the lists for x86-64 and Arm. */
ek_requant_fn ek_requant_s16s8__avx2, ek_requant_s16s16__avx2, ek_requant_s16s32__avx2,
	ek_requant_s32s8__avx2, ek_requant_s32s16__avx2;
ek_quantize_fn ek_quantize_s8__avx2, ek_quantize_u8__avx2, ek_quantize_s16__avx2;
ek_requant_fn ek_requant_s16s8__neon, ek_requant_s16s16__neon, ek_requant_s16s32__neon,
	ek_requant_s32s8__neon, ek_requant_s32s16__neon;
ek_quantize_fn ek_quantize_s8__neon, ek_quantize_u8__neon, ek_quantize_s16__neon;

#endif
