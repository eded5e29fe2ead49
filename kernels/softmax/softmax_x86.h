/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_x86 - rows of the lists of kernels/softmax/softmax.h for x86-64 */
#ifndef KERNELS_SOFTMAX_SOFTMAX_X86_H
#define KERNELS_SOFTMAX_SOFTMAX_X86_H

#include "kernels/softmax/softmax.h"

/* Rows of fewer than 64 elements are entry 0. */
ek_softmax_fn ek_softmax_s8__avx2, ek_softmax_u8__avx2;

#endif
