/* SPDX-License-Identifier: Apache-2.0 */
/* requant_variants - rows of the lists of kernels/requant/requant.h for x86-64 and Arm */
#ifndef KERNELS_REQUANT_REQUANT_VARIANTS_H
#define KERNELS_REQUANT_REQUANT_VARIANTS_H

#include "kernels/requant/requant.h"

ek_requant_fn ek_requant_s16s8__avx2, ek_requant_s16s16__avx2, ek_requant_s16s32__avx2,
	ek_requant_s32s8__avx2, ek_requant_s32s16__avx2;
ek_quantize_fn ek_quantize_s8__avx2, ek_quantize_u8__avx2, ek_quantize_s16__avx2;
ek_requant_fn ek_requant_s16s8__neon, ek_requant_s16s16__neon, ek_requant_s16s32__neon,
	ek_requant_s32s8__neon, ek_requant_s32s16__neon;
ek_quantize_fn ek_quantize_s8__neon, ek_quantize_u8__neon, ek_quantize_s16__neon;

#endif
