/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find - where a row has a number that an operator can't take
 *
 * @x: n elements. The index of the first that equals @value (any zero for f32 and @value 0), or is
 * below 0; n where there is none. @value is one of the row's type.
 */
#ifndef KERNELS_FIND_H
#define KERNELS_FIND_H

#include <stddef.h>
#include <stdint.h>

typedef size_t ek_find_fn(const void *x, size_t n, int64_t value);

extern ek_find_fn ek_find_s8, ek_find_u8, ek_find_s16, ek_find_s32, ek_find_s64, ek_find_f32;

/* @value is not used. */
extern ek_find_fn ek_find_negative_s32;

#endif
