/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare - which elements of two rows stand in a relation
 *
 *   dst[i] = a[i] relation b[i], 0 or 1
 *
 * @dst: n bytes; @a: n elements, or one where a_step is 0; @b likewise; steps are 0 or 1 and
 *       counted in elements.
 * @params: used by the quantised types q8 (int8), qu8 (uint8) and q16 (int16) only, whose numbers
 *          are compared as
 *   rescale((a[i] - a_zero) * 2^8, a_scale) relation rescale((b[i] - b_zero) * 2^8, b_scale)
 * An operand whose scale is above 1 (shift > 0) is compared by its sign alone, as -1 or, from the
 * zero point on, 1: the reference shifts right by a negative count there, which leaves that.
 * NaN is not equal to anything, and neither less nor greater. A bool is true when it is not 0.
 * Source: TFLite kernels/comparisons.cc, reference/comparisons.h (ComparisonWithScaling).
 */
#ifndef KERNELS_ELEMENTWISE_COMPARE_H
#define KERNELS_ELEMENTWISE_COMPARE_H

#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_compare_params {
	int32_t a_zero, b_zero;
	struct ek_scale a_scale, b_scale;
};

typedef void ek_compare_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_compare_params *params);

/* ROW(relation, type): also what backends make their tables from. */
/* clang-format off */
#define EK_COMPARE_ORDERED(ROW, relation) \
	ROW(relation, f32) ROW(relation, f16) ROW(relation, s16) ROW(relation, s32) \
	ROW(relation, s64) ROW(relation, q8) ROW(relation, qu8)
#define EK_COMPARE_ANY(ROW, relation) \
	EK_COMPARE_ORDERED(ROW, relation) ROW(relation, b) ROW(relation, q16)
#define EK_COMPARE_ROWS(ROW) \
	EK_COMPARE_ANY(ROW, equal) \
	EK_COMPARE_ANY(ROW, not_equal) \
	EK_COMPARE_ORDERED(ROW, less) \
	EK_COMPARE_ORDERED(ROW, less_equal) \
	EK_COMPARE_ORDERED(ROW, greater) \
	EK_COMPARE_ORDERED(ROW, greater_equal)
/* clang-format on */

#define DECLARE(relation, type) extern ek_compare_fn ek_##relation##_##type;
EK_COMPARE_ROWS(DECLARE)
#undef DECLARE

#endif
