/* SPDX-License-Identifier: Apache-2.0 */
/* sum_arm - rows of the lists of kernels/reduce/sum.h for NEON */
#ifndef KERNELS_REDUCE_SUM_ARM_H
#define KERNELS_REDUCE_SUM_ARM_H

#include "kernels/reduce/sum.h"

/* ARMv7: what compilers make of plain C for AArch64 is as good. */
ek_sum_fn ek_sum_s8__neon, ek_sum_u8__neon, ek_sum_s16__neon;

#endif
