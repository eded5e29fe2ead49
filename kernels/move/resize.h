/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize - one row of a bilinear resize
 *
 *   dst[x][c] = (1 - wy) * (1 - wx) * row0[x0][c] + wy * (1 - wx) * row1[x0][c]
 *             + (1 - wy) * wx * row0[x1][c] + wy * wx * row1[x1][c]
 *
 * int8, int16: weights have 10 fraction bits, the sum of 20 is rounded, ties away from zero; uint8:
 * float weights, plus 0.5, cut off; float: the sum in the order above.
 *
 * @dst:        n * channels elements
 * @row0, row1: rows of the source, any number of pixels that covers all of @points
 * @points:     n columns: where they lie and the weight of the right one (wx)
 * @y:          weight of row1 (wy); its x0 and x1 are not used
 * Bit-exact with entry 0 of each list.
 * Source: TFLite reference/resize_bilinear.h (ResizeBilinear, ResizeBilinearInteger).
 */
#ifndef KERNELS_MOVE_RESIZE_H
#define KERNELS_MOVE_RESIZE_H

#include "kernels/cpu_features.h"

struct ek_resize_point {
	int32_t x0, x1; /* pixels left and right */
	union {
		int32_t fixed; /* int8, int16: may leave 0..1024 where a border is continued */
		float real; /* uint8, float */
	} weight;
};

typedef void ek_resize_fn(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y);

struct ek_resize {
	struct ek_variant variant;
	ek_resize_fn *run;
};

extern const struct ek_resize ek_resize_s8[], ek_resize_s16[], ek_resize_u8[], ek_resize_f32[];
extern const size_t ek_resize_s8_count, ek_resize_s16_count, ek_resize_u8_count,
	ek_resize_f32_count;

/* Rows of the lists for x86-64 and Arm. */
ek_resize_fn ek_resize_s8__sse41, ek_resize_u8__sse41, ek_resize_f32__sse41;
ek_resize_fn ek_resize_s8__avx2, ek_resize_u8__avx2, ek_resize_f32__avx2;
/* Pixels of fewer than four channels are entry 0's. */
ek_resize_fn ek_resize_s8__neon, ek_resize_u8__neon;
/* On AArch64 alone: ARMv7's vectors flush what is very small to zero. */
ek_resize_fn ek_resize_f32__neon;

#endif
