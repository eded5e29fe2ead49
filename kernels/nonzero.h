/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonzero - where something stands
 *
 * @src: elements of one width; an element is zero when none of the type's bits is set but, of
 *       floats, the sign: -0 is zero, NaN is not
 */
#ifndef KERNELS_NONZERO_H
#define KERNELS_NONZERO_H

#include <stddef.h>
#include <stdint.h>

/* The first of elements @from to @n - 1 that is not zero; @n where all are. */
typedef size_t ek_nonzero_fn(const void *src, size_t from, size_t n);
ek_nonzero_fn ek_nonzero_8, ek_nonzero_32, ek_nonzero_64, ek_nonzero_f32;

#endif
