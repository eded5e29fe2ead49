/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avx2
#include "kernels/simd/bytes_avx2.h"

#include "kernels/move/resize_ymm.h"
