/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__sse41
#include "kernels/requant/float_requant_sse41.h"
#include "kernels/simd/source_pairs.h"

#include "kernels/depthwise/depthwise_ymm.h"
