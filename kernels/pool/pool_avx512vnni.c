/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of 256 bits, as with AVX2; pixels of few channels are read and written by masks. */
#define YMM(name) name##__avx512vnni
#include "kernels/simd/bytes_avx2.h"

#include "kernels/pool/pool_ymm.h"
