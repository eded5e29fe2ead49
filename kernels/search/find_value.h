/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find_value - where in a row a number stands
 *
 * @x: n elements. The index of the first that equals @value (any zero for f32 and @value 0), or is
 * below 0; n where there is none. @value is one of the row's type.
 */
#ifndef KERNELS_SEARCH_FIND_VALUE_H
#define KERNELS_SEARCH_FIND_VALUE_H

#include <stddef.h>
#include <stdint.h>

typedef size_t ek_find_fn(const void *x, size_t n, int64_t value);

extern ek_find_fn ek_find_s8, ek_find_u8, ek_find_s16, ek_find_s32, ek_find_s64, ek_find_f32;

/*
 * The first of elements @from to @n - 1 that is not zero; @n where all are. An element is zero when
 * none of its type's bits is set but, of floats, the sign: -0 is zero, NaN is not.
 */
typedef size_t ek_find_nonzero_fn(const void *x, size_t from, size_t n);
extern ek_find_nonzero_fn ek_find_nonzero_8, ek_find_nonzero_32, ek_find_nonzero_64,
	ek_find_nonzero_f32;

/* @value is not used. */
extern ek_find_fn ek_find_negative_s32;

#endif
