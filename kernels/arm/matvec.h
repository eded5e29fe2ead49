/* SPDX-License-Identifier: Apache-2.0 */
/* matvec - the row of floats of kernels/matvec.h for AArch64, to the bits of entry 0 */
#ifndef KERNELS_ARM_MATVEC_H
#define KERNELS_ARM_MATVEC_H

#include "kernels/matvec.h"

ek_matvec_fn ek_matvec_f32__neon;

#endif
