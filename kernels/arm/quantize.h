/* SPDX-License-Identifier: Apache-2.0 */
/* quantize - rows of the lists of kernels/requant.h from floats to codes, for AArch64 */
#ifndef KERNELS_ARM_QUANTIZE_H
#define KERNELS_ARM_QUANTIZE_H

#include "kernels/requant.h"

ek_quantize_fn ek_quantize_s8__neon, ek_quantize_u8__neon, ek_quantize_s16__neon;

#endif
