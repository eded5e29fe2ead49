/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avxvnni
#define TILE_ROWS 6
#include "kernels/x86/line_avx2.h"
#include "kernels/x86/source_fours.h"

#include "kernels/x86/conv_ymm.h"
