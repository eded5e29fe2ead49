/* SPDX-License-Identifier: Apache-2.0 */
/* row_buffer_neon - the sums of output pixels, 16 channels each, become codes; channels are read */
#ifndef KERNELS_DEPTHWISE_ROW_BUFFER_NEON_H
#define KERNELS_DEPTHWISE_ROW_BUFFER_NEON_H

#include "kernels/depthwise/row_buffer_arm.h"
#include "kernels/gemm/packed_panel_neon.h"

#if defined(__aarch64__)
#define STRIP_PIXELS 4
#else
#define STRIP_PIXELS 2
#endif

/* What the loops over pixels are made for: 16 channels that fit, by either rounding; fewer that fit; and
 * others. */
enum row_buffer_kind {
	ROW_BUFFER_FULL,
	ROW_BUFFER_AWAY,
	ROW_BUFFER_FEW,
	ROW_BUFFER_OTHER
};

ALWAYS_INLINE enum row_buffer_kind row_buffer_kind(const struct row_buffer_work *w)
{
	return !w->panel->fits                    ? ROW_BUFFER_OTHER
		: w->n != GEMM_COLS               ? ROW_BUFFER_FEW
		: w->panel->rounding == GEMM_FULL ? ROW_BUFFER_FULL
						  : ROW_BUFFER_AWAY;
}

ALWAYS_INLINE void row_buffer_store(
	const bool few, const struct row_buffer_work *w, uint8_t *to, uint8x16_t codes)
{
	if (!few) {
		vst1q_u8(to, codes);
	} else if (w->n == 8) {
		vst1_u8(to, vget_low_u8(codes));
	} else {
		panel_store_some(to, codes, w->n);
	}
}

/* @n neighbouring pixels of an output row; @few: of fewer than 16 channels. */
ALWAYS_INLINE void row_buffer_put_pixels(const int n, const bool few,
	const enum gemm_rounding rounding, const struct row_buffer_work *w,
	const struct panel_output *o, int32x4_t acc[STRIP_PIXELS][4], uint8_t *to)
{
	const size_t step = w->args->shape.out_c;
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		const struct panel_scale scale = panel_scale(w->panel, 4 * j);
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			acc[u][j] = panel_requant(rounding, scale, acc[u][j]);
		}
	}
#pragma GCC unroll 4
	for (int u = 0; u < n; u++, to += step) {
		row_buffer_store(few, w, to,
			panel_codes(rounding, true, o, acc[u][0], acc[u][1], acc[u][2], acc[u][3]));
	}
}

ALWAYS_INLINE void row_buffer_put(const int n, const enum row_buffer_kind kind,
	const struct row_buffer_work *w, const struct panel_output *o,
	int32x4_t acc[STRIP_PIXELS][4], uint8_t *to)
{
	const bool few = kind == ROW_BUFFER_FEW;
	if (kind == ROW_BUFFER_FULL || (few && w->panel->rounding == GEMM_FULL)) {
		row_buffer_put_pixels(n, few, GEMM_FULL, w, o, acc, to);
	} else if (kind == ROW_BUFFER_AWAY || few) {
		row_buffer_put_pixels(n, few, GEMM_AWAY, w, o, acc, to);
	} else {
		const struct gemm_target target = {to, w->args->shape.out_c, w->n};
		int32_t sums[STRIP_PIXELS * GEMM_COLS];
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
#pragma GCC unroll 4
			for (int j = 0; j < 4; j++) {
				vst1q_s32(sums + u * GEMM_COLS + 4 * j, acc[u][j]);
			}
		}
		gemm_put(sums, (uint32_t)n, w->panel, w->output, &target);
	}
}

/* Of @count pixels from @from on, those whose 16 bytes are all inside of the input. */
static inline uint32_t row_buffer_whole(
	const struct row_buffer_work *w, const uint8_t *from, uint32_t count)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window *window = &s->window;
	const uint8_t *end = (const uint8_t *)w->args->input +
		(size_t)window->batch * window->y.in * window->x.in * s->in_c;
	size_t left = (size_t)(end - from);
	if (left >= (size_t)(count - 1) * s->in_c + 16) {
		return count;
	}
	return left < 16 ? 0 : (uint32_t)((left - 16) / s->in_c + 1);
}

#endif
