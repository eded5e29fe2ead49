/* SPDX-License-Identifier: Apache-2.0 */
/* sum_variants - rows of the lists of kernels/reduce/sum.h for x86-64 and Arm */
#ifndef KERNELS_REDUCE_SUM_VARIANTS_H
#define KERNELS_REDUCE_SUM_VARIANTS_H

#include "kernels/reduce/sum.h"

ek_sum_fn ek_sum_s8__avx2, ek_sum_u8__avx2;
/* On ARMv7 alone: what compilers make of plain C for AArch64 is as good. */
ek_sum_fn ek_sum_s8__neon, ek_sum_u8__neon, ek_sum_s16__neon;

#endif
