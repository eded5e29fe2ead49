/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce_window - a window that slides over all dimensions, folded to one element where it stands
 *
 *   y[o] = op(..op(op(init, x[tap 0]), x[tap 1])..), taps in row-major order
 *
 * Along each axis tap k of output o stands at p = o * stride + k * dilation - pad; where p is a
 * multiple of base below in * base, the tap is element p / base, else it is init. Behind the last
 * axis lie rows of @inner elements that the window does not move along: theirs is one kernel call.
 * Source: TFLite kernels/stablehlo_reduce_window.cc, which dilates and pads into copies first.
 */
#ifndef KERNELS_REDUCE_REDUCE_WINDOW_H
#define KERNELS_REDUCE_REDUCE_WINDOW_H

#include "kernels/reduce/sum.h"

#define EK_REDUCE_WINDOW_RANK 8

struct ek_reduce_axis {
	int64_t in, out; /* elements */
	int64_t taps, stride, dilation,
		base; /* at least 1; base: 1 and the gaps between elements */
	int64_t pad; /* before the first element; negative: so many are cut off */
};

struct ek_reduce_window {
	ek_sum_fn *fold;
	size_t element_bytes, inner;
	uint32_t rank;
	struct ek_reduce_axis axis[EK_REDUCE_WINDOW_RANK];
};

/* Elements @first to @first + @n - 1 of the row of output @output, counted over all axes. @init: n
 * times the element that all starts with. @dst and @src are the whole tensors. */
void ek_reduce_window(const struct ek_reduce_window *w, void *dst, const void *src, size_t output,
	size_t first, size_t n, const void *init);

#endif
