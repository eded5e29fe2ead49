/* SPDX-License-Identifier: Apache-2.0 */
/* codes - rows of the lists of kernels/requant.h, softmax.h and sum.h for NEON */
#ifndef KERNELS_ARM_CODES_H
#define KERNELS_ARM_CODES_H

#include "kernels/requant.h"
#include "kernels/softmax.h"
#include "kernels/sum.h"

ek_requant_fn ek_requant_s16s8__neon, ek_requant_s16s16__neon, ek_requant_s16s32__neon,
	ek_requant_s32s8__neon, ek_requant_s32s16__neon;

ek_softmax_fn ek_softmax_s8__neon, ek_softmax_u8__neon, ek_softmax_s8to16__neon,
	ek_softmax_u8to16__neon;

/* ARMv7: what compilers make of plain C for AArch64 is as good. */
ek_sum_fn ek_sum_s8__neon, ek_sum_u8__neon, ek_sum_s16__neon;

#endif
