/* SPDX-License-Identifier: Apache-2.0 */
/* pictures - rows of the lists of kernels/resize.h and argmax.h for NEON */
#ifndef KERNELS_ARM_PICTURES_H
#define KERNELS_ARM_PICTURES_H

#include "kernels/argmax.h"
#include "kernels/resize.h"

/* Pixels of fewer than four channels are entry 0's. */
ek_resize_fn ek_resize_s8__neon, ek_resize_u8__neon;

/* Fewer than 16 elements, or elements apart, are entry 0's. */
ek_arg_fn ek_argmax_s8__neon, ek_argmax_u8__neon;

#if defined(__aarch64__)
/* ARMv7's vectors flush what is very small to zero. */
ek_resize_fn ek_resize_f32__neon;
#endif

#endif
