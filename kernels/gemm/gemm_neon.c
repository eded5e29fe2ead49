/* SPDX-License-Identifier: Apache-2.0 */
/* Without dot products: for cores that run instructions out of order, and for 32 bits. */
#define GEMM_ISA gemm_neon
#if defined(__aarch64__)
#define TILE_ROWS 6
#define GEMM_IN_ORDER 0
#else
#define TILE_ROWS 2
#define GEMM_IN_ORDER 1
#endif
#include "kernels/gemm/gemm_arm.h"
#include "kernels/gemm/gemm_neon_body.h"
