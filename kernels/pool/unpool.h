/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpool - largest elements of windows with where they stood, and back; NHWC, float
 *
 * Two ways to say where: within the window (filter_y * width + filter_x + 0.1, a float: MediaPipe)
 * and within the picture ((y * width + x) * depth + channel: TFLite's perception operators).
 * Source: MediaPipe util/tflite/operations/max_pool_argmax.cc and max_unpooling.cc; tflite
 * kernels/perception/max_pool_with_argmax.cc and max_unpooling_2d.cc.
 */
#ifndef KERNELS_POOL_UNPOOL_H
#define KERNELS_POOL_UNPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/window.h"

struct ek_argmax_pool {
	const float *src;
	float *dst;
	float *in_window; /* one of the two */
	int32_t *in_picture;
	struct ek_window window;
	uint32_t depth;
	float lo, hi; /* of what goes to dst */
};

/* Rows @first to @end - 1 of the batch * output height rows there are. A window without a number
 * above -FLT_MAX gives -FLT_MAX and place 0. */
void ek_argmax_pool(const struct ek_argmax_pool *p, size_t first, size_t end);

/* One picture, zero before. in and out of the axes are those of the pooling that is undone. */
struct ek_unpool {
	float *dst;
	const float *src, *places; /* window->y.out * window->x.out * depth elements */
	const struct ek_window *window;
	size_t depth;
};

/* Elements @first to @end - 1 of src: each goes where its place in its window says; what falls
 * outside, or is no number, goes nowhere. */
void ek_unpool_window(const struct ek_unpool *u, size_t first, size_t end);

/*
 * Transposed convolution of one row of the output, rows counted over the batch:
 *
 *   dst[y][x][o] = bias[o] + sum over in_y, in_x, i of src[in_y][in_x][i] * weights[o][k_y][k_x][i]
 *
 * with k_y = y + pad - in_y * stride inside of the filter, and so k_x; summed in that order. in is
 * the size of what is spread, out that of the result.
 */
struct ek_spread {
	const float *src, *weights, *bias;
	float *dst;
	struct ek_window window;
	uint32_t in_depth, out_depth;
};
void ek_spread_row(const struct ek_spread *s, size_t row);

#endif
