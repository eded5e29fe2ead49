/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avx2
#include "kernels/x86/bytes_avx2.h"

#include "kernels/x86/pool_ymm.h"
