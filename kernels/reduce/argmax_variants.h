/* SPDX-License-Identifier: Apache-2.0 */
/* argmax_variants - rows of the lists of kernels/reduce/argmax.h for x86-64 and Arm */
#ifndef KERNELS_REDUCE_ARGMAX_VARIANTS_H
#define KERNELS_REDUCE_ARGMAX_VARIANTS_H

#include "kernels/reduce/argmax.h"

ek_arg_fn ek_argmax_s8__sse41, ek_argmax_u8__sse41;
/* Fewer than 16 elements, or elements apart, are entry 0's. */
ek_arg_fn ek_argmax_s8__neon, ek_argmax_u8__neon;

#endif
