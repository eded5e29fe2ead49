/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__avxvnni
#include "kernels/x86/product_avxvnni.h"

#include "kernels/x86/matmul_ymm.h"
