/* SPDX-License-Identifier: Apache-2.0 */
/* matvec_variants - rows of the lists of kernels/gemm/matvec.h for x86-64 and Arm */
#ifndef KERNELS_GEMM_MATVEC_VARIANTS_H
#define KERNELS_GEMM_MATVEC_VARIANTS_H

#include "kernels/gemm/matvec.h"

ek_matvec_fn ek_matvec_hybrid__avx2, ek_matvec_hybrid__avx512vnni, ek_matvec_f32__avx2;
ek_matvec_fn ek_matvec_hybrid__neon;
ek_matvec_fn ek_matvec_f32__neon; /* to the bits of entry 0 */
ek_matvec_fn ek_matvec_hybrid__dotprod;

#endif
