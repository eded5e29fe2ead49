/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - how a filter slides over pictures in NHWC
 *
 * Tap k of output o reads input o * stride - pad + k * dilation; taps outside of the picture are
 * left out.
 */
#ifndef KERNELS_CONV_WINDOW_H
#define KERNELS_CONV_WINDOW_H

#include <stdint.h>

struct ek_window_axis {
	uint32_t in, out; /* sizes, at least 1 */
	uint32_t taps; /* of the filter, at least 1 */
	uint32_t stride, dilation; /* at least 1 */
	uint32_t pad; /* before the first element */
};

struct ek_window {
	uint32_t batch;
	struct ek_window_axis y, x;
};

/* The taps of one output position that lie inside: first <= k < end, at input origin + k *
 * dilation. */
struct ek_taps {
	int64_t origin;
	uint32_t first, end;
};

/* x / step, rounded up; divisions of 64 bits are calls on 32-bit processors. */
static inline int64_t ek_window_steps(int64_t x, int64_t step)
{
	return step == 1 ? x : (x + step - 1) / step;
}

static inline struct ek_taps ek_window_taps(const struct ek_window_axis *axis, uint32_t out)
{
	int64_t step = axis->dilation;
	int64_t origin = (int64_t)out * axis->stride - axis->pad;
	int64_t first = origin < 0 ? ek_window_steps(-origin, step) : 0;
	int64_t end = origin < axis->in ? ek_window_steps(axis->in - origin, step) : 0;
	end = end > axis->taps ? axis->taps : end;
	first = first > end ? end : first;
	return (struct ek_taps){origin, (uint32_t)first, (uint32_t)end};
}

/* Output pixel @row of batch x out_h x out_w. */
struct ek_pixel {
	uint32_t batch, y, x;
};

static inline struct ek_pixel ek_window_pixel(const struct ek_window *w, uint32_t row)
{
	if (row == 0) { /* four divisions are long for a small picture */
		return (struct ek_pixel){0, 0, 0};
	}
	uint32_t x = row % w->x.out, rest = row / w->x.out;
	return (struct ek_pixel){rest / w->y.out, rest % w->y.out, x};
}

#endif
