/* SPDX-License-Identifier: Apache-2.0 */
/* As f32_neon.c, for ARMv7. */
#include "kernels/conv/conv_variants.h"
#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/pool/pool.h"
#include "kernels/simd/vector_f32_vfpv4.h"

#define ROW(name) name##__vfpv4

#include "kernels/gemm/gemm_f32_x86.h"

#include "kernels/conv/conv_f32_x86.h"
#include "kernels/depthwise/depthwise_f32_x86.h"
#include "kernels/gemm/matmul_f32_x86.h"
#include "kernels/pool/pool_f32_x86.h"
