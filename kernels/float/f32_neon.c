/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies are one for all instruction sets with a vector_*.h; they stand where the first of them is. */
#include "kernels/arm/f32.h"
#include "kernels/arm/pool.h"
#include "kernels/arm/vector_neon.h"

#define ROW(name) name##__neon

#include "kernels/x86/f32_product.h"

#include "kernels/x86/f32_conv.h"
#include "kernels/x86/f32_depthwise.h"
#include "kernels/x86/f32_matmul.h"
#include "kernels/x86/f32_pool.h"
