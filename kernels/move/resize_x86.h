/* SPDX-License-Identifier: Apache-2.0 */
/* resize_x86 - rows of the lists of kernels/move/resize.h for x86-64 */
#ifndef KERNELS_MOVE_RESIZE_X86_H
#define KERNELS_MOVE_RESIZE_X86_H

#include "kernels/move/resize.h"

ek_resize_fn ek_resize_s8__sse41, ek_resize_u8__sse41, ek_resize_f32__sse41;
ek_resize_fn ek_resize_s8__avx2, ek_resize_u8__avx2, ek_resize_f32__avx2;

#endif
