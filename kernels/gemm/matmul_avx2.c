/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avx2
#define TILE_ROWS 5
#include "kernels/x86/line_avx2.h"
#include "kernels/x86/source_pairs.h"

#include "kernels/x86/matmul_ymm.h"
