/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__sse41
#include "kernels/simd/bytes_sse41.h"

#include "kernels/move/resize_ymm.h"
