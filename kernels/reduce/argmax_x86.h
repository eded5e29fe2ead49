/* SPDX-License-Identifier: Apache-2.0 */
/* argmax_x86 - rows of the lists of kernels/reduce/argmax.h for x86-64 */
#ifndef KERNELS_REDUCE_ARGMAX_X86_H
#define KERNELS_REDUCE_ARGMAX_X86_H

#include "kernels/reduce/argmax.h"

ek_arg_fn ek_argmax_s8__sse41, ek_argmax_u8__sse41;

#endif
