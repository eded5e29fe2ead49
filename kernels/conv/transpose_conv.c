/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv/transpose_conv.h"

#include <string.h>

#include "kernels/math/dot.h"

/* The taps that may reach one output along one axis: first <= k < end, from input
 * (reach - k * dilation) / stride where that divides. */
struct hits {
	int64_t reach;
	uint32_t first, end;
};

static struct hits hits_of(const struct ek_window_axis *axis, uint32_t out)
{
	int64_t reach = (int64_t)out + axis->pad, step = axis->dilation;
	int64_t last = (int64_t)(axis->in - 1) * axis->stride; /* of the first tap */
	int64_t first = reach > last ? (reach - last + step - 1) / step : 0;
	int64_t end = reach / step + 1;
	end = end < axis->taps ? end : axis->taps;
	return (struct hits){reach, (uint32_t)(first < end ? first : end), (uint32_t)end};
}

/* Which input tap @k of the axis takes, -1 for none. */
static int64_t source(const struct ek_window_axis *axis, const struct hits *hits, uint32_t k)
{
	int64_t at = hits->reach - (int64_t)k * axis->dilation;
	return at % axis->stride == 0 ? at / axis->stride : -1;
}

/* Adds what pixel @pixel of the input gives through tap @tap to the sums of the tile's columns. */
typedef void add_fn(const struct ek_transpose_conv *a, size_t pixel, size_t tap,
	const struct ek_tile *t, void *sums);
typedef void finish_fn(
	const struct ek_transpose_conv *a, size_t row, const struct ek_tile *t, const void *sums);

static void add_plane(const struct ek_transpose_conv *a, const struct hits *hits, size_t plane,
	size_t tap_plane, const struct ek_tile *t, add_fn *add, void *sums)
{
	const struct ek_window_axis *y = &a->axis[1], *x = &a->axis[2];
	for (uint32_t ky = hits[1].first; ky < hits[1].end; ky++) {
		int64_t iy = source(y, &hits[1], ky);
		for (uint32_t kx = hits[2].first; iy >= 0 && kx < hits[2].end; kx++) {
			int64_t ix = source(x, &hits[2], kx);
			if (ix >= 0) {
				size_t pixel = (plane * y->in + (size_t)iy) * x->in + (size_t)ix;
				size_t tap = (tap_plane * y->taps + ky) * x->taps + kx;
				add(a, pixel, tap, t, sums);
			}
		}
	}
}

static void add_row(const struct ek_transpose_conv *a, uint32_t row, const struct ek_tile *t,
	add_fn *add, void *sums)
{
	struct hits hits[3];
	for (uint32_t i = 3; i-- > 0;) {
		hits[i] = hits_of(&a->axis[i], row % a->axis[i].out);
		row /= a->axis[i].out;
	}
	for (uint32_t k = hits[0].first; k < hits[0].end; k++) {
		int64_t iz = source(&a->axis[0], &hits[0], k);
		if (iz >= 0) {
			size_t plane = (size_t)row * a->axis[0].in + (size_t)iz;
			add_plane(a, hits, plane, k, t, add, sums);
		}
	}
}

static void each_row(const struct ek_transpose_conv *a, const struct ek_tile *t, add_fn *add,
	finish_fn *finish, void *sums)
{
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		memset(sums, 0, ek_transpose_conv_scratch(t->n_cols));
		add_row(a, row, t, add, sums);
		finish(a, row, t, sums);
	}
}

#define DOT_S8(x, w) ek_dot_s8(x, (int16_t)a->q.input_zero, w, a->in_c)
#define DOT_U8(x, w) ek_dot_u8(x, (int16_t)a->q.input_zero, w, (int16_t)a->q.weights_zero, a->in_c)
#define DOT_S16(x, w) ek_dot_s16(x, w, a->in_c)
#define DOT_F32(x, w) ek_dot_f32(x, w, a->in_c)

#define ADD(suffix, type, w_type, sum_type, dot)                                                   \
	static void add_##suffix(const struct ek_transpose_conv *a, size_t pixel, size_t tap,      \
		const struct ek_tile *t, void *sums)                                               \
	{                                                                                          \
		const type *x = (const type *)a->input + pixel * a->in_c;                          \
		const w_type *w = (const w_type *)a->weights + tap * a->tap_step +                 \
			t->first_col * a->channel_step;                                            \
		sum_type *sum = sums;                                                              \
		for (uint32_t n = 0; n < t->n_cols; n++, w += a->channel_step) {                   \
			sum[n] += dot(x, w);                                                       \
		}                                                                                  \
	}

/* Sums of 8-bit products are cut to int32 at the end: modulo 2^32 that is the same. */
#define FINISH(suffix, type)                                                                       \
	static void finish_##suffix(const struct ek_transpose_conv *a, size_t row,                 \
		const struct ek_tile *t, const void *sums)                                         \
	{                                                                                          \
		type *y = (type *)a->output + row * a->out_c + t->first_col;                       \
		const int64_t *sum = sums;                                                         \
		for (uint32_t n = 0; n < t->n_cols; n++) {                                         \
			y[n] = (type)ek_weighted_finish(&a->q, sum[n], t->first_col + n);          \
		}                                                                                  \
	}

static void finish_f32(
	const struct ek_transpose_conv *a, size_t row, const struct ek_tile *t, const void *sums)
{
	float *y = (float *)a->output + row * a->out_c + t->first_col;
	const float *sum = sums;
	for (uint32_t n = 0; n < t->n_cols; n++) {
		float v = a->bias ? sum[n] + a->bias[t->first_col + n] : sum[n];
		y[n] = ek_clamp_f32(v, a->lo_f32, a->hi_f32);
	}
}

/* Of one row of floats: what is quantised together. */
static const struct ek_hybrid_row *row_of(
	const struct ek_transpose_conv *a, size_t pixel, size_t planes, size_t rows, size_t cols)
{
	return &a->rows[pixel / (planes * rows * cols)];
}

static void add_h8(const struct ek_transpose_conv *a, size_t pixel, size_t tap,
	const struct ek_tile *t, void *sums)
{
	const int8_t *x = (const int8_t *)a->input + pixel * a->in_c;
	const int8_t *w =
		(const int8_t *)a->weights + tap * a->tap_step + t->first_col * a->channel_step;
	int16_t zero = (int16_t)row_of(a, pixel, a->axis[0].in, a->axis[1].in, a->axis[2].in)->zero;
	int64_t *sum = sums;
	for (uint32_t n = 0; n < t->n_cols; n++, w += a->channel_step) {
		sum[n] += ek_dot_s8(x, zero, w, a->in_c);
	}
}

static void finish_h8(
	const struct ek_transpose_conv *a, size_t row, const struct ek_tile *t, const void *sums)
{
	float *y = (float *)a->output + row * a->out_c + t->first_col;
	float scale = row_of(a, row, a->axis[0].out, a->axis[1].out, a->axis[2].out)->scale;
	const int64_t *sum = sums;
	for (uint32_t n = 0; n < t->n_cols; n++) {
		size_t channel = t->first_col + n;
		float v = (float)(int32_t)sum[n] * scale * a->scale[channel];
		v = a->bias ? v + a->bias[channel] : v;
		y[n] = ek_clamp_f32(v, a->lo_f32, a->hi_f32);
	}
}

#define TRANSPOSE_CONV(suffix)                                                                     \
	void ek_transpose_conv_##suffix(                                                           \
		const struct ek_transpose_conv *args, const struct ek_tile *tile, void *scratch)   \
	{                                                                                          \
		each_row(args, tile, add_##suffix, finish_##suffix, scratch);                      \
	}

/* clang-format off */
ADD(s8, int8_t, int8_t, int64_t, DOT_S8)
ADD(u8, uint8_t, uint8_t, int64_t, DOT_U8)
ADD(s16, int16_t, int8_t, int64_t, DOT_S16)
ADD(f32, float, float, float, DOT_F32)
FINISH(s8, int8_t)
FINISH(u8, uint8_t)
FINISH(s16, int16_t)
TRANSPOSE_CONV(s8)
TRANSPOSE_CONV(u8)
TRANSPOSE_CONV(s16)
TRANSPOSE_CONV(f32)
TRANSPOSE_CONV(h8)
/* clang-format on */
