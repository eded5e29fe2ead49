/* SPDX-License-Identifier: Apache-2.0 */
/* sum_x86 - rows of the lists of kernels/reduce/sum.h for x86-64 */
#ifndef KERNELS_REDUCE_SUM_X86_H
#define KERNELS_REDUCE_SUM_X86_H

#include "kernels/reduce/sum.h"

ek_sum_fn ek_sum_s8__avx2, ek_sum_u8__avx2;

#endif
