/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/x86/f32.h"
#include "kernels/x86/vector_avx512.h"

#define ROW(name) name##__avx512vnni

#include "kernels/x86/f32_product.h"

#include "kernels/x86/f32_conv.h"
#include "kernels/x86/f32_depthwise.h"
#include "kernels/x86/f32_matmul.h"
