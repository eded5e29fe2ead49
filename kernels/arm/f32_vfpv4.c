/* SPDX-License-Identifier: Apache-2.0 */
/* As f32_neon.c, for ARMv7. */
#include "kernels/arm/f32.h"
#include "kernels/arm/pool.h"
#include "kernels/arm/vector_vfpv4.h"

#define ROW(name) name##__vfpv4

#include "kernels/x86/f32_product.h"

#include "kernels/x86/f32_conv.h"
#include "kernels/x86/f32_depthwise.h"
#include "kernels/x86/f32_matmul.h"
#include "kernels/x86/f32_pool.h"
