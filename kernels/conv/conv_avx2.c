/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avx2
#define TILE_ROWS 5
#include "kernels/requant/float_requant_avx2.h"
#include "kernels/simd/source_pairs.h"

#include "kernels/conv/conv_ymm.h"
