/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax - quantised softmax of one row
 *
 * 8 bits:  e[i] = exp8[max - src[i]]
 *          dst[i] = clamp(e[i] / sum of e * 2^out_bits + least code of the output's type)
 * int16:   e[i] and 1 / sum by two tables of 513 entries
 *
 * @dst, @src: n elements each, 1 <= n; int16 rows: n <= 65536.
 * dst may be src where both have 8 bits. Bit-exact with entry 0 of each list.
 * Source: TFLite reference/softmax.h (Softmax, SoftmaxInt16), gemmlowp fixedpoint.h.
 */
#ifndef KERNELS_SOFTMAX_SOFTMAX_H
#define KERNELS_SOFTMAX_SOFTMAX_H

#include "kernels/cpu_features.h"
#include "kernels/softmax/softmax_params.h"

struct ek_softmax {
	struct ek_variant variant;
	ek_softmax_fn *run;
};

/* Named after the input; "to16" has an int16 output. */
extern const struct ek_softmax ek_softmax_s8[], ek_softmax_u8[], ek_softmax_s8to16[],
	ek_softmax_u8to16[], ek_softmax_s16[];
extern const size_t ek_softmax_s8_count, ek_softmax_u8_count, ek_softmax_s8to16_count,
	ek_softmax_u8to16_count, ek_softmax_s16_count;

/*
 * The exponentials of the differences 0 to -255: exp(rescale(-i, scale)) with 31 fraction bits, 0
 * where -i < diff_min. @scale: from a code to 5 integer and 26 fraction bits.
 */
void ek_softmax_exp8(struct ek_scale scale, int32_t diff_min, int32_t ret_table[static 256]);

/* dst[i] = exp(beta * (src[i] - max)) / sum; dst may be src. */
void ek_softmax_f32(float *dst, const float *src, size_t n, float beta);

/*
 * The same to the bit for a row that comes in parts: first the maximum of all parts, then the sum over all
 * of them, then the results. The first part's @max is its first element, and its @sum is 0.
 */
struct ek_softmax_parts {
	int32_t (*max)(int32_t max, const void *src, size_t n);
	uint64_t (*sum)(uint64_t sum, const void *src, size_t n, int32_t max,
		const struct ek_softmax_params *params);
	void (*share)(void *dst, const void *src, size_t n, int32_t max, uint64_t sum,
		const struct ek_softmax_params *params);
};
extern const struct ek_softmax_parts ek_softmax_parts_s8, ek_softmax_parts_u8,
	ek_softmax_parts_s8to16, ek_softmax_parts_u8to16;

float ek_softmax_f32_max(float max, const float *src, size_t n);
/* Writes exponentials to @dst. */
float ek_softmax_f32_sum(float sum, float *dst, const float *src, size_t n, float max, float beta);
void ek_softmax_f32_share(float *dst, size_t n, float sum);

/* Rows of the lists for x86-64 and Arm. */
/* Rows of fewer than 64 elements are entry 0. */
ek_softmax_fn ek_softmax_s8__avx2, ek_softmax_u8__avx2;
ek_softmax_fn ek_softmax_s8__neon, ek_softmax_u8__neon, ek_softmax_s8to16__neon,
	ek_softmax_u8to16__neon;

#endif
