/* SPDX-License-Identifier: Apache-2.0 */
#define YMM(name) name##__sse41
#include "kernels/x86/bytes_sse41.h"

#include "kernels/x86/resize_ymm.h"
