/* SPDX-License-Identifier: Apache-2.0 */
/* nibbles - moving int4 elements, two to a byte, the first in the low half */
#ifndef KERNELS_MATH_NIBBLES_H
#define KERNELS_MATH_NIBBLES_H

#include <stddef.h>
#include <stdint.h>

/* Elements @src_at .. @src_at + n - 1 of @src become those from @dst_at on of @dst. Where the last
 * one is in a low half the high half beside it becomes 0; so rows are to be put in order. */
void ek_copy_s4(void *dst, size_t dst_at, const void *src, size_t src_at, size_t n);

#endif
