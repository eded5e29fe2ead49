/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/x86/codes.h"
#include "kernels/x86/f32.h"
#include "kernels/x86/vector_avx2.h"

#define ROW(name) name##__avx2

#include "kernels/x86/f32_product.h"

#include "kernels/x86/f32_conv.h"
#include "kernels/x86/f32_depthwise.h"
#include "kernels/x86/f32_matmul.h"
#include "kernels/x86/f32_pool.h"
