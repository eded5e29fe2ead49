/* SPDX-License-Identifier: Apache-2.0 */
/* elementwise_arm - rows of the lists of codes in kernels/elementwise/add.h and mul.h for NEON */
#ifndef KERNELS_ELEMENTWISE_ELEMENTWISE_ARM_H
#define KERNELS_ELEMENTWISE_ELEMENTWISE_ARM_H

#include "kernels/elementwise/add_params.h"
#include "kernels/elementwise/mul_params.h"

ek_add_fn ek_add_s8__neon, ek_add_u8__neon, ek_add_s16__neon, ek_add_s16_pot__neon;
ek_mul_fn ek_mul_s8__neon, ek_mul_u8__neon, ek_mul_s16__neon;

#endif
