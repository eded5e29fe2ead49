/* SPDX-License-Identifier: Apache-2.0 */
/* lut_arm - rows of the list of kernels/elementwise/lut.h for AArch64 */
#ifndef KERNELS_ELEMENTWISE_LUT_ARM_H
#define KERNELS_ELEMENTWISE_LUT_ARM_H

#include "kernels/elementwise/lut.h"

ek_lut8_fn ek_lut8__neon;

#endif
