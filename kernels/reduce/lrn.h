/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lrn - local response normalisation of one pixel
 *
 *   dst[c] = src[c] * (bias + alpha * sum over k of src[k]^2)^-beta,  c - radius <= k < c + radius
 *
 * with k inside of the pixel. The upper end is left out, as the reference has it. The sum is made
 * anew for each channel: a running one would lose the small squares beside large ones.
 *
 * @dst, @src: n floats, not overlapping
 * Source: TFLite reference_ops.h, LocalResponseNormalization.
 */
#ifndef KERNELS_REDUCE_LRN_H
#define KERNELS_REDUCE_LRN_H

#include <stddef.h>

struct ek_lrn {
	size_t radius;
	float bias, alpha, beta;
};

/* Channels @first to @first + @count - 1 of a pixel of @n. */
void ek_lrn_f32(float *dst, const float *src, size_t n, size_t first, size_t count,
	const struct ek_lrn *params);

#endif
