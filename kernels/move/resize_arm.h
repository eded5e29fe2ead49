/* SPDX-License-Identifier: Apache-2.0 */
/* resize_arm - rows of the lists of kernels/move/resize.h for NEON */
#ifndef KERNELS_MOVE_RESIZE_ARM_H
#define KERNELS_MOVE_RESIZE_ARM_H

#include "kernels/move/resize.h"

/* Pixels of fewer than four channels are entry 0's. */
ek_resize_fn ek_resize_s8__neon, ek_resize_u8__neon;

#if defined(__aarch64__)
/* ARMv7's vectors flush what is very small to zero. */
ek_resize_fn ek_resize_f32__neon;
#endif

#endif
