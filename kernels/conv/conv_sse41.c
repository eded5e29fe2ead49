/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__sse41
#define TILE_ROWS 4
#include "kernels/x86/line_sse41.h"
#include "kernels/x86/source_pairs.h"

#include "kernels/x86/conv_ymm.h"
