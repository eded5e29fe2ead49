/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/arith_q_x86.h"
#include "kernels/elementwise/elementwise_rows_avx512.h"
#include "kernels/requant/rescale_avx512.h"

#define ROW(name) name##__avx512vnni

#include "kernels/elementwise/add_x86.h"
