/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l2norm - one row divided by its Euclidean length
 *
 *   f32: dst[i] = src[i] / max(sqrt(sum of src^2), 10^-6)
 *   8 bits: the same of src - zero, with a scale of 1/128 and the zero point 0 (int8) or 128 (uint8)
 *
 * @dst, @src: n elements each; dst may be src. Source: TFLite reference/l2normalization.h,
 * integer_ops/l2normalization.h.
 */
#ifndef KERNELS_L2NORM_H
#define KERNELS_L2NORM_H

#include <stddef.h>
#include <stdint.h>

/* @zero: zero point of the input; not used by f32. */
typedef void ek_l2norm_fn(void *dst, const void *src, size_t n, int32_t zero);

ek_l2norm_fn ek_l2norm_f32, ek_l2norm_s8, ek_l2norm_u8;

#endif
