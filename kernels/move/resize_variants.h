/* SPDX-License-Identifier: Apache-2.0 */
/* resize_variants - rows of the lists of kernels/move/resize.h for x86-64 and Arm */
#ifndef KERNELS_MOVE_RESIZE_VARIANTS_H
#define KERNELS_MOVE_RESIZE_VARIANTS_H

#include "kernels/move/resize.h"

ek_resize_fn ek_resize_s8__sse41, ek_resize_u8__sse41, ek_resize_f32__sse41;
ek_resize_fn ek_resize_s8__avx2, ek_resize_u8__avx2, ek_resize_f32__avx2;
/* Pixels of fewer than four channels are entry 0's. */
ek_resize_fn ek_resize_s8__neon, ek_resize_u8__neon;
/* On AArch64 alone: ARMv7's vectors flush what is very small to zero. */
ek_resize_fn ek_resize_f32__neon;

#endif
