/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select - one of two rows, element by element
 *
 *   dst[i] = condition[i] ? x[i] : y[i]
 *
 * The number in the name is an element's bytes. @condition: one byte each, any but 0 is true. Steps
 * are 0 or 1, counted in elements: 0 for an operand of one element. dst may be x or y.
 * Source: TFLite reference_ops.h, Select.
 */
#ifndef KERNELS_ELEMENTWISE_SELECT_H
#define KERNELS_ELEMENTWISE_SELECT_H

#include <stddef.h>
#include <stdint.h>

struct ek_select {
	const uint8_t *condition;
	const void *x, *y;
	size_t condition_step, x_step, y_step;
};

typedef void ek_select_fn(void *dst, const struct ek_select *s, size_t n);

extern ek_select_fn ek_select_1, ek_select_2, ek_select_4, ek_select_8;

#endif
