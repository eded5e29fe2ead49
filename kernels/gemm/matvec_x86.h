/* SPDX-License-Identifier: Apache-2.0 */
/* matvec_x86 - rows of the lists of kernels/gemm/matvec.h for x86-64 */
#ifndef KERNELS_GEMM_MATVEC_X86_H
#define KERNELS_GEMM_MATVEC_X86_H

#include "kernels/gemm/matvec.h"

ek_matvec_fn ek_matvec_hybrid__avx2, ek_matvec_hybrid__avx512vnni, ek_matvec_f32__avx2;

#endif
