/* SPDX-License-Identifier: Apache-2.0 */
/* Without dot products: for cores that run instructions in order. Products of five rows need five
 * registers, so that there is one row less. */
#define GEMM_ISA gemm_inorder
#define TILE_ROWS 5
#define GEMM_IN_ORDER 1
#include "kernels/gemm/gemm_arm.h"
#include "kernels/gemm/gemm_neon_body.h"
