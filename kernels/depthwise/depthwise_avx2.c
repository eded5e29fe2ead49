/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avx2
#include "kernels/x86/line_avx2.h"
#include "kernels/x86/source_pairs.h"

#include "kernels/x86/depthwise_ymm.h"
