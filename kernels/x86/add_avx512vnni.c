/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/x86/pair_avx512.h"
#include "kernels/x86/pairs.h"
#include "kernels/x86/rescale_avx512.h"

#define ROW(name) name##__avx512vnni

#include "kernels/x86/add_body.h"
