/* SPDX-License-Identifier: Apache-2.0 */
/* lut_variants - rows of the lists of kernels/elementwise/lut.h for x86-64 and Arm */
#ifndef KERNELS_ELEMENTWISE_LUT_VARIANTS_H
#define KERNELS_ELEMENTWISE_LUT_VARIANTS_H

#include "kernels/elementwise/lut.h"

ek_lut8_fn ek_lut8__avx2;
ek_lut8_fn ek_lut8__neon;

#endif
