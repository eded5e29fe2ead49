/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain-C rows gather what a pixel sees into a patch, where padding is the zero point, so that
 * it adds nothing, like in the formula; then every output channel is one dot product with weights
 * in the file's order.
 */
#include "kernels/conv/conv.h"

#include <string.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/math/dot.h"

/* One row of taps; a whole run at once where the elements lie side by side. */
static void patch_row(const struct ek_window_axis *axis, const struct ek_taps *taps,
	const uint8_t *picture_row, size_t pixel_bytes, size_t tap_bytes, uint8_t *patch)
{
	const uint8_t *from = picture_row +
		(size_t)(taps->origin + (int64_t)taps->first * axis->dilation) * pixel_bytes;
	uint32_t n = taps->end - taps->first;
	patch += taps->first * tap_bytes;
	if (axis->dilation == 1 && tap_bytes == pixel_bytes) {
		memcpy(patch, from, n * tap_bytes);
		return;
	}
	for (uint32_t k = 0; k < n; k++) {
		memcpy(patch + k * tap_bytes, from + (size_t)k * axis->dilation * pixel_bytes,
			tap_bytes);
	}
}

void ek_conv_patch(const struct ek_conv_shape *shape, const void *input, size_t element_bytes,
	int pad, struct ek_pixel pixel, uint32_t group, void *patch)
{
	const struct ek_window *w = &shape->window;
	struct ek_taps y = ek_window_taps(&w->y, pixel.y), x = ek_window_taps(&w->x, pixel.x);
	size_t pixel_bytes = shape->in_c * element_bytes, tap_bytes = pixel_bytes / shape->groups;
	size_t row_bytes = w->x.in * pixel_bytes, patch_row_bytes = w->x.taps * tap_bytes;
	const uint8_t *picture =
		(const uint8_t *)input + pixel.batch * (w->y.in * row_bytes) + group * tap_bytes;
	uint8_t *to = patch;
	bool inside = y.end - y.first == w->y.taps && x.end - x.first == w->x.taps;
	if (!inside) {
		memset(to, pad, w->y.taps * patch_row_bytes);
	}
	for (uint32_t k = y.first; k < y.end && x.first < x.end; k++) {
		size_t at = (size_t)(y.origin + (int64_t)k * w->y.dilation) * row_bytes;
		patch_row(
			&w->x, &x, picture + at, pixel_bytes, tap_bytes, to + k * patch_row_bytes);
	}
}

/* Output row @row, channels [first, end) of one group, from their patch. */
typedef void dots_fn(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end);

struct source {
	const struct ek_conv_shape *shape;
	const void *input;
	size_t element_bytes;
	int pad;
	const struct ek_hybrid_row
		*row; /* not NULL: padding is the zero point of the batch entry */
};

/* The tile's pixels by the groups of its columns. */
static void each_patch(const struct source *from, const struct ek_tile *t, void *patch,
	dots_fn *dots, const void *args)
{
	const struct ek_conv_shape *s = from->shape;
	uint32_t per_group = s->out_c / s->groups, last = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		struct ek_pixel pixel = ek_window_pixel(&s->window, row);
		int pad = from->row ? from->row[pixel.batch].zero : from->pad;
		for (uint32_t n = t->first_col; n < last;) {
			uint32_t group = n / per_group, end = (group + 1) * per_group;
			end = end < last ? end : last;
			ek_conv_patch(
				s, from->input, from->element_bytes, pad, pixel, group, patch);
			dots(args, patch, row, n, end);
			n = end;
		}
	}
}

static int32_t requant(const struct ek_conv_q *a, int32_t sum, uint32_t n)
{
	int32_t acc = a->bias32 ? ek_add32(sum, a->bias32[n]) : sum;
	int32_t y = a->ties_up ? ek_mbqm_up(acc, a->scale[n]) : ek_mbqm(acc, a->scale[n]);
	return ek_clamp32(ek_add32(y, a->output_zero), a->lo, a->hi);
}

static int32_t requant_s16(const struct ek_conv_q *a, int64_t sum, uint32_t n)
{
	int64_t bias = a->bias64 ? a->bias64[n] : a->bias32 ? a->bias32[n] : 0;
	int64_t acc = (int64_t)((uint64_t)sum + (uint64_t)bias);
	int32_t y = a->wide ? ek_mbqm64(acc, a->scale[n]) : ek_mbqm((int32_t)acc, a->scale[n]);
	return ek_clamp32(ek_add32(y, a->output_zero), a->lo, a->hi);
}

static void dots_s8(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end)
{
	const struct ek_conv_q *a = args;
	size_t depth = ek_conv_depth(&a->shape);
	const int8_t *w = a->weights;
	int8_t *y = (int8_t *)a->output + row * a->shape.out_c;
	for (uint32_t n = first; n < end; n++) {
		int32_t sum = ek_dot_s8(patch, (int16_t)a->input_zero, w + n * depth, depth);
		y[n] = (int8_t)requant(a, sum, n);
	}
}

static void dots_u8(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end)
{
	const struct ek_conv_q *a = args;
	size_t depth = ek_conv_depth(&a->shape);
	const uint8_t *w = a->weights;
	uint8_t *y = (uint8_t *)a->output + row * a->shape.out_c;
	for (uint32_t n = first; n < end; n++) {
		int32_t sum = ek_dot_u8(patch, (int16_t)a->input_zero, w + n * depth,
			(int16_t)a->weights_zero, depth);
		y[n] = (uint8_t)requant(a, sum, n);
	}
}

static void dots_s16(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end)
{
	const struct ek_conv_q *a = args;
	size_t depth = ek_conv_depth(&a->shape);
	const int8_t *w = a->weights;
	int16_t *y = (int16_t *)a->output + row * a->shape.out_c;
	for (uint32_t n = first; n < end; n++) {
		y[n] = (int16_t)requant_s16(a, ek_dot_s16(patch, w + n * depth, depth), n);
	}
}

static void dots_f32(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end)
{
	const struct ek_conv_f32 *a = args;
	size_t depth = ek_conv_depth(&a->shape);
	float *y = a->output + row * a->shape.out_c;
	for (uint32_t n = first; n < end; n++) {
		float sum = ek_dot_f32(patch, a->weights + n * depth, depth);
		y[n] = ek_clamp_f32(a->bias ? sum + a->bias[n] : sum, a->lo, a->hi);
	}
}

static void dots_h8(const void *args, const void *patch, size_t row, uint32_t first, uint32_t end)
{
	const struct ek_conv_h *a = args;
	const struct ek_window *window = &a->shape.window;
	size_t depth = ek_conv_depth(&a->shape);
	struct ek_hybrid_row from = a->row[row / ((size_t)window->y.out * window->x.out)];
	float *y = a->output + row * a->shape.out_c;
	for (uint32_t n = first; n < end; n++) {
		int32_t dot = ek_dot_s8(patch, (int16_t)from.zero, a->weights + n * depth, depth);
		float sum = (float)dot * (from.scale * a->scale[n]);
		y[n] = ek_clamp_f32(a->bias ? sum + a->bias[n] : sum, a->lo, a->hi);
	}
}

static void conv_s8__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	const struct source from = {&a->shape, a->input, sizeof(int8_t), a->input_zero, NULL};
	each_patch(&from, tile, scratch, dots_s8, a);
}

static void conv_u8__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	const struct source from = {&a->shape, a->input, sizeof(uint8_t), a->input_zero, NULL};
	each_patch(&from, tile, scratch, dots_u8, a);
}

static void conv_s16__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	const struct source from = {&a->shape, a->input, sizeof(int16_t), 0, NULL};
	each_patch(&from, tile, scratch, dots_s16, a);
}

static void conv_f32__c(const struct ek_conv_f32 *a, const struct ek_tile *tile, void *scratch)
{
	const struct source from = {&a->shape, a->input, sizeof(float), 0, NULL};
	each_patch(&from, tile, scratch, dots_f32, a);
}

static void conv_h8__c(const struct ek_conv_h *a, const struct ek_tile *tile, void *scratch)
{
	const struct source from = {&a->shape, a->input, sizeof(int8_t), 0, a->row};
	each_patch(&from, tile, scratch, dots_h8, a);
}

static uint64_t packs_nothing(const struct ek_conv_shape *shape)
{
	(void)shape;
	return 0;
}

static uint64_t patch_1(const struct ek_conv_shape *shape)
{
	return ek_conv_depth(shape);
}

static uint64_t patch_2(const struct ek_conv_shape *shape)
{
	return ek_conv_depth(shape) * sizeof(int16_t);
}

static uint64_t patch_4(const struct ek_conv_shape *shape)
{
	return ek_conv_depth(shape) * sizeof(float);
}

const struct ek_conv_q_row ek_conv_s8[] = {
	{{"conv_s8__c", 0}, 1, packs_nothing, NULL, patch_1, conv_s8__c},
#if defined(__x86_64__)
	{{"conv_s8__sse41", EK_CPU_SSE41}, 8, ek_conv_packed_bytes__sse41, ek_conv_s8_pack__sse41,
		ek_conv_scratch_bytes__sse41, ek_conv_s8__sse41},
	{{"conv_s8__avx2", EK_CPU_AVX2}, 16, ek_conv_packed_bytes__avx2, ek_conv_s8_pack__avx2,
		ek_conv_scratch_bytes__avx2, ek_conv_s8__avx2},
	{{"conv_s8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 16, ek_conv_packed_bytes__avxvnni,
		ek_conv_s8_pack__avxvnni, ek_conv_scratch_bytes__avxvnni, ek_conv_s8__avxvnni},
	{{"conv_s8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_conv_s8_packed_bytes__avx512vnni,
		ek_conv_s8_pack__avx512vnni, ek_conv_scratch_bytes__avx512vnni,
		ek_conv_s8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"conv_s8__neon", EK_CPU_NEON}, 16, ek_conv_packed_bytes__neon, ek_conv_s8_pack__neon,
		ek_conv_scratch_bytes__neon, ek_conv_s8__neon},
#if defined(__aarch64__)
	{{"conv_s8__inorder", EK_CPU_NEON | EK_CPU_IN_ORDER}, 16, ek_conv_packed_bytes__inorder,
		ek_conv_s8_pack__inorder, ek_conv_scratch_bytes__inorder, ek_conv_s8__inorder},
	{{"conv_s8__dotprod", EK_CPU_DOTPROD}, 16, ek_conv_packed_bytes__dotprod,
		ek_conv_s8_pack__dotprod, ek_conv_scratch_bytes__dotprod, ek_conv_s8__dotprod},
	{{"conv_s8__i8mm", EK_CPU_I8MM}, 16, ek_conv_packed_bytes__i8mm, ek_conv_s8_pack__i8mm,
		ek_conv_scratch_bytes__i8mm, ek_conv_s8__i8mm},
#endif
#endif
};
const struct ek_conv_q_row ek_conv_u8[] = {
	{{"conv_u8__c", 0}, 1, packs_nothing, NULL, patch_1, conv_u8__c},
#if defined(__x86_64__)
	{{"conv_u8__sse41", EK_CPU_SSE41}, 8, ek_conv_packed_bytes__sse41, ek_conv_u8_pack__sse41,
		ek_conv_scratch_bytes__sse41, ek_conv_u8__sse41},
	{{"conv_u8__avx2", EK_CPU_AVX2}, 16, ek_conv_packed_bytes__avx2, ek_conv_u8_pack__avx2,
		ek_conv_scratch_bytes__avx2, ek_conv_u8__avx2},
	{{"conv_u8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 16, ek_conv_packed_bytes__avxvnni,
		ek_conv_u8_pack__avxvnni, ek_conv_scratch_bytes__avxvnni, ek_conv_u8__avxvnni},
	{{"conv_u8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_conv_u8_packed_bytes__avx512vnni,
		ek_conv_u8_pack__avx512vnni, ek_conv_scratch_bytes__avx512vnni,
		ek_conv_u8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"conv_u8__neon", EK_CPU_NEON}, 16, ek_conv_packed_bytes__neon, ek_conv_u8_pack__neon,
		ek_conv_scratch_bytes__neon, ek_conv_u8__neon},
#if defined(__aarch64__)
	{{"conv_u8__inorder", EK_CPU_NEON | EK_CPU_IN_ORDER}, 16, ek_conv_packed_bytes__inorder,
		ek_conv_u8_pack__inorder, ek_conv_scratch_bytes__inorder, ek_conv_u8__inorder},
	{{"conv_u8__dotprod", EK_CPU_DOTPROD}, 16, ek_conv_packed_bytes__dotprod,
		ek_conv_u8_pack__dotprod, ek_conv_scratch_bytes__dotprod, ek_conv_u8__dotprod},
	{{"conv_u8__i8mm", EK_CPU_I8MM}, 16, ek_conv_packed_bytes__i8mm, ek_conv_u8_pack__i8mm,
		ek_conv_scratch_bytes__i8mm, ek_conv_u8__i8mm},
#endif
#endif
};
const struct ek_conv_q_row ek_conv_s16[] = {
	{{"conv_s16__c", 0}, 1, packs_nothing, NULL, patch_2, conv_s16__c},
#if defined(__x86_64__)
	{{"conv_s16__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_conv_s16_packed_bytes__avx512vnni,
		ek_conv_s16_pack__avx512vnni, ek_conv_s16_scratch_bytes__avx512vnni,
		ek_conv_s16__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"conv_s16__neon", EK_CPU_NEON}, 16, ek_conv_s16_packed_bytes__neon,
		ek_conv_s16_pack__neon, ek_conv_s16_scratch_bytes__neon, ek_conv_s16__neon},
#endif
};
const struct ek_conv_f32_row ek_conv_f32[] = {
	{{"conv_f32__c", 0}, 1, packs_nothing, NULL, patch_4, conv_f32__c},
#if defined(__x86_64__)
	{{"conv_f32__avx2", EK_CPU_AVX2}, 16, ek_conv_f32_packed_bytes__avx2,
		ek_conv_f32_pack__avx2, ek_conv_f32_scratch_bytes__avx2, ek_conv_f32__avx2},
	{{"conv_f32__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_conv_f32_packed_bytes__avx512vnni,
		ek_conv_f32_pack__avx512vnni, ek_conv_f32_scratch_bytes__avx512vnni,
		ek_conv_f32__avx512vnni},
#elif defined(__aarch64__)
	{{"conv_f32__neon", EK_CPU_NEON}, 16, ek_conv_f32_packed_bytes__neon,
		ek_conv_f32_pack__neon, ek_conv_f32_scratch_bytes__neon, ek_conv_f32__neon},
#elif defined(__arm__)
	{{"conv_f32__vfpv4", EK_CPU_VFPV4}, 4, ek_conv_f32_packed_bytes__vfpv4,
		ek_conv_f32_pack__vfpv4, ek_conv_f32_scratch_bytes__vfpv4, ek_conv_f32__vfpv4},
#endif
};
const struct ek_conv_h_row ek_conv_h8[] = {
	{{"conv_h8__c", 0}, 1, NULL, NULL, patch_1, conv_h8__c},
#if defined(__x86_64__)
	{{"conv_h8__avx2", EK_CPU_AVX2}, 1, NULL, NULL, patch_1, ek_conv_h8__avx2},
	{{"conv_h8__avx512vnni", EK_CPU_AVX512_VNNI}, 64, ek_conv_h8_packed_bytes__avx512vnni,
		ek_conv_h8_pack__avx512vnni, ek_conv_h8_scratch_bytes__avx512vnni,
		ek_conv_h8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"conv_h8__neon", EK_CPU_NEON}, 1, NULL, NULL, patch_1, ek_conv_h8__neon},
#if defined(__aarch64__)
	{{"conv_h8__dotprod", EK_CPU_DOTPROD}, 1, NULL, NULL, patch_1, ek_conv_h8__dotprod},
#endif
#endif
};
const size_t ek_conv_s8_count = sizeof(ek_conv_s8) / sizeof(ek_conv_s8[0]);
const size_t ek_conv_u8_count = sizeof(ek_conv_u8) / sizeof(ek_conv_u8[0]);
const size_t ek_conv_s16_count = sizeof(ek_conv_s16) / sizeof(ek_conv_s16[0]);
const size_t ek_conv_f32_count = sizeof(ek_conv_f32) / sizeof(ek_conv_f32[0]);
const size_t ek_conv_h8_count = sizeof(ek_conv_h8) / sizeof(ek_conv_h8[0]);
