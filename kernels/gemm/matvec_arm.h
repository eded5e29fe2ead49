/* SPDX-License-Identifier: Apache-2.0 */
/* matvec_arm - rows of the lists of kernels/gemm/matvec.h for Arm */
#ifndef KERNELS_GEMM_MATVEC_ARM_H
#define KERNELS_GEMM_MATVEC_ARM_H

#include "kernels/gemm/matvec.h"

ek_matvec_fn ek_matvec_hybrid__neon;
#if defined(__aarch64__)
ek_matvec_fn ek_matvec_f32__neon; /* to the bits of entry 0 */
ek_matvec_fn ek_matvec_hybrid__dotprod;
#endif

#endif
