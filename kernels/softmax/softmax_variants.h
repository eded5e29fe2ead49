/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_variants - rows of the lists of kernels/softmax/softmax.h for x86-64 and Arm */
#ifndef KERNELS_SOFTMAX_SOFTMAX_VARIANTS_H
#define KERNELS_SOFTMAX_SOFTMAX_VARIANTS_H

#include "kernels/softmax/softmax.h"

/* Rows of fewer than 64 elements are entry 0. */
ek_softmax_fn ek_softmax_s8__avx2, ek_softmax_u8__avx2;
ek_softmax_fn ek_softmax_s8__neon, ek_softmax_u8__neon, ek_softmax_s8to16__neon,
	ek_softmax_u8to16__neon;

#endif
