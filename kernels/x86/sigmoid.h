/* SPDX-License-Identifier: Apache-2.0 */
/* sigmoid - rows of the lists of kernels/unary.h for x86-64 */
#ifndef KERNELS_X86_SIGMOID_H
#define KERNELS_X86_SIGMOID_H

#include "kernels/unary.h"

ek_unary_fn ek_logistic_f32__avx512vnni, ek_tanh_f32__avx512vnni;

#endif
