/* SPDX-License-Identifier: Apache-2.0 */
/* lut_x86 - rows of the list of kernels/elementwise/lut.h for x86-64 */
#ifndef KERNELS_ELEMENTWISE_LUT_X86_H
#define KERNELS_ELEMENTWISE_LUT_X86_H

#include "kernels/elementwise/lut.h"

ek_lut8_fn ek_lut8__avx2;

#endif
