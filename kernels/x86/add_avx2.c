/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/x86/pair_avx2.h"
#include "kernels/x86/pairs.h"
#include "kernels/x86/rescale_avx2.h"

#define ROW(name) name##__avx2

#include "kernels/x86/add_body.h"
