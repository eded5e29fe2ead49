/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argmax - where the largest or smallest of n elements stands
 *
 * @src: n elements, 1 <= n, @step elements apart
 * Gives the first of equals. A NaN is never moved to; one in first place stays the answer.
 * Source: TFLite reference/arg_min_max.h.
 */
#ifndef KERNELS_REDUCE_ARGMAX_H
#define KERNELS_REDUCE_ARGMAX_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu_features.h"

typedef size_t ek_arg_fn(const void *src, size_t n, size_t step);

ek_arg_fn ek_argmax_s8, ek_argmax_u8, ek_argmax_s32, ek_argmax_f32;
ek_arg_fn ek_argmin_s8, ek_argmin_u8, ek_argmin_s32, ek_argmin_f32;

/* Lists for two of them, whose entry 0 they are. Where somebody else
 * writes to @src meanwhile, another entry may give any number up to n. */
struct ek_arg {
	struct ek_variant variant;
	ek_arg_fn *run;
};
extern const struct ek_arg ek_argmax_s8_list[], ek_argmax_u8_list[];
extern const size_t ek_argmax_s8_count, ek_argmax_u8_count;

/* Rows of the lists for x86-64 and Arm. */
ek_arg_fn ek_argmax_s8__sse41, ek_argmax_u8__sse41;
/* Fewer than 16 elements, or elements apart, are entry 0's. */
ek_arg_fn ek_argmax_s8__neon, ek_argmax_u8__neon;

#endif
