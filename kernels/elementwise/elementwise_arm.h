/* SPDX-License-Identifier: Apache-2.0 */
/* pairs - rows of the lists of codes in kernels/add.h, mul.h and lut.h for NEON */
#ifndef KERNELS_ARM_PAIRS_H
#define KERNELS_ARM_PAIRS_H

#include "kernels/add.h"
#include "kernels/lut.h"
#include "kernels/mul.h"

ek_add_fn ek_add_s8__neon, ek_add_u8__neon, ek_add_s16__neon, ek_add_s16_pot__neon;
ek_mul_fn ek_mul_s8__neon, ek_mul_u8__neon, ek_mul_s16__neon;
#if defined(__aarch64__)
ek_lut8_fn ek_lut8__neon;
#endif

#endif
