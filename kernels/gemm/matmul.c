/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/matmul.h"

#include "kernels/gemm/matmul_variants.h"
#include "kernels/math/dot.h"

static uint64_t packs_nothing(const struct ek_matmul_shape *shape)
{
	(void)shape;
	return 0;
}

static uint64_t no_scratch(const struct ek_matmul_shape *shape)
{
	(void)shape;
	return 0;
}

static int32_t rescale(const struct ek_matmul_q *a, int64_t acc, uint32_t n)
{
	int32_t y = ek_round32((double)acc * a->scale[n]);
	return ek_clamp32(ek_add32(y, a->output_zero), a->lo, a->hi);
}

static int32_t requant_s8(const struct ek_matmul_q *a, int32_t acc, uint32_t n)
{
	if (!a->fixed) {
		return rescale(a, acc, n);
	}
	return ek_clamp32(ek_add32(ek_mbqm(acc, a->fixed[n]), a->output_zero), a->lo, a->hi);
}

static int32_t acc32(const struct ek_matmul_q *a, int32_t sum, uint32_t n)
{
	return a->bias32 ? ek_add32(sum, a->bias32[n]) : sum;
}

static int64_t acc_s16(const struct ek_matmul_q *a, int64_t sum, uint32_t n)
{
	int64_t bias = a->bias64 ? a->bias64[n] : a->bias32 ? a->bias32[n] : 0;
	int64_t acc = (int64_t)((uint64_t)sum + (uint64_t)bias);
	return a->wide ? acc : (int32_t)acc;
}

static void matmul_s8__c(const struct ek_matmul_q *a, const struct ek_tile *t, void *scratch)
{
	(void)scratch;
	size_t depth = a->shape.depth;
	const int8_t *w = a->w;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		const int8_t *from = (const int8_t *)a->a + m * depth;
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			size_t at = (size_t)m * a->shape.cols + n;
			int32_t sum = ek_dot_s8(from, (int16_t)a->input_zero, w + n * depth, depth);
			int32_t y = requant_s8(a, acc32(a, sum, n), n);
			if (a->output_s16) {
				((int16_t *)a->output)[at] = (int16_t)y;
			} else {
				((int8_t *)a->output)[at] = (int8_t)y;
			}
		}
	}
}

static void matmul_u8__c(const struct ek_matmul_q *a, const struct ek_tile *t, void *scratch)
{
	(void)scratch;
	size_t depth = a->shape.depth;
	int16_t zero = (int16_t)a->weights_zero;
	const uint8_t *w = a->w;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		const uint8_t *from = (const uint8_t *)a->a + m * depth;
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			size_t at = (size_t)m * a->shape.cols + n;
			int32_t sum =
				ek_dot_u8(from, (int16_t)a->input_zero, w + n * depth, zero, depth);
			int32_t y = rescale(a, acc32(a, sum, n), n);
			if (a->output_s16) {
				((int16_t *)a->output)[at] = (int16_t)y;
			} else {
				((uint8_t *)a->output)[at] = (uint8_t)y;
			}
		}
	}
}

static void matmul_s16__c(const struct ek_matmul_q *a, const struct ek_tile *t, void *scratch)
{
	(void)scratch;
	size_t depth = a->shape.depth;
	const int8_t *w = a->w;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		const int16_t *row = (const int16_t *)a->a + m * depth;
		int16_t *y = (int16_t *)a->output + (size_t)m * a->shape.cols;
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			int64_t sum = ek_dot_s16(row, w + n * depth, depth);
			y[n] = (int16_t)rescale(a, acc_s16(a, sum, n), n);
		}
	}
}

static void matmul_f32__c(const struct ek_matmul_f32 *a, const struct ek_tile *t)
{
	size_t depth = a->shape.depth;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		float *y = a->output + (size_t)m * a->shape.cols;
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			float sum = ek_dot_f32(a->a + m * depth, a->w + n * depth, depth);
			y[n] = ek_clamp_f32(a->bias ? sum + a->bias[n] : sum, a->lo, a->hi);
		}
	}
}

static float dot_h8(const struct ek_matmul_h *a, uint32_t m, uint32_t n)
{
	size_t depth = a->shape.depth, blocks = depth / a->block;
	const int8_t *row = a->a + m * depth, *w = a->w + n * depth;
	const float *scale = a->scale + n * blocks;
	float sum = 0;
	for (size_t b = 0; b < blocks; b++) {
		size_t at = b * a->block;
		int32_t dot = ek_dot_s8(row + at, (int16_t)a->row[m].zero, w + at, a->block);
		sum += (float)dot * (a->row[m].scale * scale[b]);
	}
	return sum;
}

static void matmul_h8__c(const struct ek_matmul_h *a, const struct ek_tile *t, void *scratch)
{
	(void)scratch;
	for (uint32_t m = t->first_row; m < t->first_row + t->n_rows; m++) {
		float *y = a->output + (size_t)m * a->shape.cols;
		for (uint32_t n = t->first_col; n < t->first_col + t->n_cols; n++) {
			float sum = dot_h8(a, m, n);
			y[n] = ek_clamp_f32(a->bias ? sum + a->bias[n] : sum, a->lo, a->hi);
		}
	}
}

const struct ek_matmul_q_row ek_matmul_s8[] = {
	{{"matmul_s8__c", 0}, 1, packs_nothing, NULL, no_scratch, matmul_s8__c},
#if defined(__x86_64__)
	{{"matmul_s8__sse41", EK_CPU_SSE41}, 8, ek_matmul_packed_bytes__sse41,
		ek_matmul_s8_pack__sse41, ek_matmul_scratch_bytes__sse41, ek_matmul_s8__sse41},
	{{"matmul_s8__avx2", EK_CPU_AVX2}, 16, ek_matmul_packed_bytes__avx2,
		ek_matmul_s8_pack__avx2, ek_matmul_scratch_bytes__avx2, ek_matmul_s8__avx2},
	{{"matmul_s8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 16, ek_matmul_packed_bytes__avxvnni,
		ek_matmul_s8_pack__avxvnni, ek_matmul_scratch_bytes__avxvnni,
		ek_matmul_s8__avxvnni},
	{{"matmul_s8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_matmul_packed_bytes__avx512vnni,
		ek_matmul_s8_pack__avx512vnni, ek_matmul_scratch_bytes__avx512vnni,
		ek_matmul_s8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"matmul_s8__neon", EK_CPU_NEON}, 16, ek_matmul_packed_bytes__neon,
		ek_matmul_s8_pack__neon, ek_matmul_scratch_bytes__neon, ek_matmul_s8__neon},
#if defined(__aarch64__)
	{{"matmul_s8__inorder", EK_CPU_NEON | EK_CPU_IN_ORDER}, 16, ek_matmul_packed_bytes__inorder,
		ek_matmul_s8_pack__inorder, ek_matmul_scratch_bytes__inorder,
		ek_matmul_s8__inorder},
	{{"matmul_s8__dotprod", EK_CPU_DOTPROD}, 16, ek_matmul_packed_bytes__dotprod,
		ek_matmul_s8_pack__dotprod, ek_matmul_scratch_bytes__dotprod,
		ek_matmul_s8__dotprod},
	{{"matmul_s8__i8mm", EK_CPU_I8MM}, 16, ek_matmul_packed_bytes__i8mm,
		ek_matmul_s8_pack__i8mm, ek_matmul_scratch_bytes__i8mm, ek_matmul_s8__i8mm},
#endif
#endif
};
const struct ek_matmul_q_row ek_matmul_u8[] = {
	{{"matmul_u8__c", 0}, 1, packs_nothing, NULL, no_scratch, matmul_u8__c},
#if defined(__x86_64__)
	{{"matmul_u8__sse41", EK_CPU_SSE41}, 8, ek_matmul_packed_bytes__sse41,
		ek_matmul_u8_pack__sse41, ek_matmul_scratch_bytes__sse41, ek_matmul_u8__sse41},
	{{"matmul_u8__avx2", EK_CPU_AVX2}, 16, ek_matmul_packed_bytes__avx2,
		ek_matmul_u8_pack__avx2, ek_matmul_scratch_bytes__avx2, ek_matmul_u8__avx2},
	{{"matmul_u8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 16, ek_matmul_packed_bytes__avxvnni,
		ek_matmul_u8_pack__avxvnni, ek_matmul_scratch_bytes__avxvnni,
		ek_matmul_u8__avxvnni},
	{{"matmul_u8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_matmul_packed_bytes__avx512vnni,
		ek_matmul_u8_pack__avx512vnni, ek_matmul_scratch_bytes__avx512vnni,
		ek_matmul_u8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"matmul_u8__neon", EK_CPU_NEON}, 16, ek_matmul_packed_bytes__neon,
		ek_matmul_u8_pack__neon, ek_matmul_scratch_bytes__neon, ek_matmul_u8__neon},
#if defined(__aarch64__)
	{{"matmul_u8__inorder", EK_CPU_NEON | EK_CPU_IN_ORDER}, 16, ek_matmul_packed_bytes__inorder,
		ek_matmul_u8_pack__inorder, ek_matmul_scratch_bytes__inorder,
		ek_matmul_u8__inorder},
	{{"matmul_u8__dotprod", EK_CPU_DOTPROD}, 16, ek_matmul_packed_bytes__dotprod,
		ek_matmul_u8_pack__dotprod, ek_matmul_scratch_bytes__dotprod,
		ek_matmul_u8__dotprod},
	{{"matmul_u8__i8mm", EK_CPU_I8MM}, 16, ek_matmul_packed_bytes__i8mm,
		ek_matmul_u8_pack__i8mm, ek_matmul_scratch_bytes__i8mm, ek_matmul_u8__i8mm},
#endif
#endif
};
const struct ek_matmul_q_row ek_matmul_s16[] = {
	{{"matmul_s16__c", 0}, 1, packs_nothing, NULL, no_scratch, matmul_s16__c},
#if defined(__x86_64__)
	{{"matmul_s16__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_matmul_s16_packed_bytes__avx512vnni,
		ek_matmul_s16_pack__avx512vnni, ek_matmul_s16_scratch_bytes__avx512vnni,
		ek_matmul_s16__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"matmul_s16__neon", EK_CPU_NEON}, 16, ek_matmul_s16_packed_bytes__neon,
		ek_matmul_s16_pack__neon, ek_matmul_s16_scratch_bytes__neon, ek_matmul_s16__neon},
#endif
};
const struct ek_matmul_f32_row ek_matmul_f32[] = {
	{{"matmul_f32__c", 0}, 1, packs_nothing, NULL, matmul_f32__c},
#if defined(__x86_64__)
	{{"matmul_f32__avx2", EK_CPU_AVX2}, 16, ek_matmul_f32_packed_bytes__avx2,
		ek_matmul_f32_pack__avx2, ek_matmul_f32__avx2},
	{{"matmul_f32__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_matmul_f32_packed_bytes__avx512vnni,
		ek_matmul_f32_pack__avx512vnni, ek_matmul_f32__avx512vnni},
#elif defined(__aarch64__)
	{{"matmul_f32__neon", EK_CPU_NEON}, 16, ek_matmul_f32_packed_bytes__neon,
		ek_matmul_f32_pack__neon, ek_matmul_f32__neon},
#elif defined(__arm__)
	{{"matmul_f32__vfpv4", EK_CPU_VFPV4}, 4, ek_matmul_f32_packed_bytes__vfpv4,
		ek_matmul_f32_pack__vfpv4, ek_matmul_f32__vfpv4},
#endif
};
const struct ek_matmul_h_row ek_matmul_h8[] = {
	{{"matmul_h8__c", 0}, 1, NULL, NULL, no_scratch, matmul_h8__c},
#if defined(__x86_64__)
	{{"matmul_h8__avx2", EK_CPU_AVX2}, 1, NULL, NULL, no_scratch, ek_matmul_h8__avx2},
	{{"matmul_h8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_matmul_h8_packed_bytes__avx512vnni,
		ek_matmul_h8_pack__avx512vnni, ek_matmul_h8_scratch_bytes__avx512vnni,
		ek_matmul_h8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"matmul_h8__neon", EK_CPU_NEON}, 1, NULL, NULL, no_scratch, ek_matmul_h8__neon},
#if defined(__aarch64__)
	{{"matmul_h8__dotprod", EK_CPU_DOTPROD}, 1, NULL, NULL, no_scratch, ek_matmul_h8__dotprod},
#endif
#endif
};
const size_t ek_matmul_s8_count = sizeof(ek_matmul_s8) / sizeof(ek_matmul_s8[0]);
const size_t ek_matmul_u8_count = sizeof(ek_matmul_u8) / sizeof(ek_matmul_u8[0]);
const size_t ek_matmul_s16_count = sizeof(ek_matmul_s16) / sizeof(ek_matmul_s16[0]);
const size_t ek_matmul_f32_count = sizeof(ek_matmul_f32) / sizeof(ek_matmul_f32[0]);
const size_t ek_matmul_h8_count = sizeof(ek_matmul_h8) / sizeof(ek_matmul_h8[0]);
