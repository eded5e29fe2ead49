/* SPDX-License-Identifier: Apache-2.0 */
/* conv_plan_x86 - which convolutions conv_plan_avx512.h and conv_ymm_plan.h go through */
#ifndef KERNELS_CONV_CONV_PLAN_X86_H
#define KERNELS_CONV_CONV_PLAN_X86_H

#include "kernels/conv/conv_args.h"

#define BLOCK_BYTES 24576
#define FEW_BYTES 2048 /* of the rows that one output row reads, whatever the products are */
#define ROW_COSTS 64 /* bytes that a row costs besides its own */

static inline uint32_t conv_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint64_t conv_reach(const struct ek_window_axis *a)
{
	return (uint64_t)(a->taps - 1) * a->dilation + 1;
}

static inline bool one_tap_inside(const struct ek_window_axis *a)
{
	return a->taps == 1 && a->pad == 0 && (uint64_t)(a->out - 1) * a->stride < a->in;
}

/*
 * What is gone through here at all; the rest is entry 0's: groups, no output, and a filter so far
 * dilated that copying the rows between its taps would take longer than its products, or that they are
 * more than @most_bytes.
 */
static inline bool conv_is_walked(const struct ek_conv_shape *s, uint64_t most_bytes)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	if (s->groups > 1 || y->out == 0 || x->out == 0) {
		return false;
	}
	uint64_t width = (uint64_t)(x->out - 1) * x->stride + conv_reach(x);
	uint64_t bytes = (width * s->in_c + ROW_COSTS) * conv_reach(y);
	uint64_t products = (uint64_t)x->out * s->out_c * ek_conv_depth(s);
	bool by_pixel = one_tap_inside(y) && one_tap_inside(x);
	return by_pixel || bytes <= FEW_BYTES || (bytes <= most_bytes && bytes / 8 <= products);
}

#endif
