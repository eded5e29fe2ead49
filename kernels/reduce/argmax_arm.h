/* SPDX-License-Identifier: Apache-2.0 */
/* argmax_arm - rows of the lists of kernels/reduce/argmax.h for NEON */
#ifndef KERNELS_REDUCE_ARGMAX_ARM_H
#define KERNELS_REDUCE_ARGMAX_ARM_H

#include "kernels/reduce/argmax.h"

/* Fewer than 16 elements, or elements apart, are entry 0's. */
ek_arg_fn ek_argmax_s8__neon, ek_argmax_u8__neon;

#endif
