/* SPDX-License-Identifier: Apache-2.0 */
/* strips_neon - the sums of output pixels, 16 channels each, become codes; channels are read */
#ifndef KERNELS_ARM_STRIPS_NEON_H
#define KERNELS_ARM_STRIPS_NEON_H

#include "kernels/arm/panel_neon.h"
#include "kernels/arm/strips.h"

#if defined(__aarch64__)
#define STRIP_PIXELS 4
#else
#define STRIP_PIXELS 2
#endif

ALWAYS_INLINE void strips_put_pixels(const int n, const enum product_rounding rounding,
	const bool fits, const struct strips_work *w, const struct panel_output *o,
	int32x4_t acc[STRIP_PIXELS][4], uint8_t *to)
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
		int8x16_t codes =
			panel_codes(rounding, fits, o, acc[u][0], acc[u][1], acc[u][2], acc[u][3]);
		uint8x16_t y = o->plain ? vreinterpretq_u8_s8(codes) : panel_limit(o, codes);
		if (w->n == PRODUCT_COLS) {
			vst1q_u8(to, y);
		} else {
			panel_store_some(to, y, w->n);
		}
	}
}

/* @n neighbouring pixels of an output row. */
ALWAYS_INLINE void strips_put(const int n, const struct strips_work *w,
	const struct panel_output *o, int32x4_t acc[STRIP_PIXELS][4], uint8_t *to)
{
	const struct product_panel *p = w->panel;
	if (p->rounding == PRODUCT_TOTAL) {
		strips_put_pixels(n, PRODUCT_TOTAL, false, w, o, acc, to);
	} else if (!p->fits) {
		strips_put_pixels(n, PRODUCT_AWAY, false, w, o, acc, to);
	} else if (p->rounding == PRODUCT_UP) {
		strips_put_pixels(n, PRODUCT_UP, true, w, o, acc, to);
	} else {
		strips_put_pixels(n, PRODUCT_AWAY, true, w, o, acc, to);
	}
}

/* Of @count pixels from @from on, those whose 16 bytes are all inside of the input. */
static inline uint32_t strips_whole(
	const struct strips_work *w, const uint8_t *from, uint32_t count)
{
	const struct ek_depthwise_shape *s = &w->args->shape;
	const struct ek_window *window = &s->window;
	const uint8_t *end = (const uint8_t *)w->args->input +
		(size_t)window->batch * window->y.in * window->x.in * s->in_c;
	size_t left = (size_t)(end - from), whole = left < 16 ? 0 : (left - 16) / s->in_c + 1;
	return whole < count ? (uint32_t)whole : count;
}

#endif
