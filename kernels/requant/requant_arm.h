/* SPDX-License-Identifier: Apache-2.0 */
/* requant_arm - rows of the lists of kernels/requant/requant.h for Arm */
#ifndef KERNELS_REQUANT_REQUANT_ARM_H
#define KERNELS_REQUANT_REQUANT_ARM_H

#include "kernels/requant/requant.h"

ek_requant_fn ek_requant_s16s8__neon, ek_requant_s16s16__neon, ek_requant_s16s32__neon,
	ek_requant_s32s8__neon, ek_requant_s32s16__neon;
#if defined(__aarch64__)
ek_quantize_fn ek_quantize_s8__neon, ek_quantize_u8__neon, ek_quantize_s16__neon;
#endif

#endif
