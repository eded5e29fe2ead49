/* SPDX-License-Identifier: Apache-2.0 */
/*
 * combine - rows taken into rows: what scatters and segments do with what meets in one place
 *
 *   add, multiply: dst[i] = dst[i] op src[i]
 *   largest:       dst[i] = dst[i] < src[i] ? src[i] : dst[i]
 *   smallest:      dst[i] = src[i] < dst[i] ? src[i] : dst[i]
 *
 * @dst, @src: n elements each, aligned to their type, not overlapping
 * Integers wrap. A NaN in src never wins largest or smallest, one in dst always stays. Halves are
 * widened, combined and rounded; of bools add and largest are or, multiply and smallest are and,
 * and any byte but 0 is true.
 * Source: TFLite scatter_nd.cc, unsorted_segment.cc, stablehlo_scatter.cc (std::max, std::min).
 */
#ifndef KERNELS_COMBINE_H
#define KERNELS_COMBINE_H

#include <stddef.h>
#include <stdint.h>

typedef void ek_combine_fn(void *dst, const void *src, size_t n);

struct ek_combine {
	ek_combine_fn *add, *multiply, *largest, *smallest;
};

extern const struct ek_combine ek_combine_f32, ek_combine_f64, ek_combine_f16, ek_combine_s8,
	ek_combine_s16, ek_combine_s32, ek_combine_s64, ek_combine_u8, ek_combine_u16,
	ek_combine_u32, ek_combine_bool;

#endif
