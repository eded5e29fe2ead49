/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avxvnni
#define TILE_ROWS 6
#include "kernels/requant/float_requant_avx2.h"
#include "kernels/simd/source_fours.h"

#include "kernels/gemm/matmul_ymm.h"
