/* SPDX-License-Identifier: Apache-2.0 */
/* activation - fused activations of the recurrent operators, in float */
#ifndef BACKENDS_CPU_OPERAND_ACTIVATION_H
#define BACKENDS_CPU_OPERAND_ACTIVATION_H

#include <stddef.h>

/* Any of enum activation, in place; ApplyActivationToVector of tflite kernels/internal/tensor_utils_common.h. */
void activation_apply(unsigned int activation, float *x, size_t n);

#endif
