/* SPDX-License-Identifier: Apache-2.0 */
/* activation - fused activations of the recurrent operators, in float */
#ifndef BACKENDS_CPU_ACTIVATION_H
#define BACKENDS_CPU_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

/* True for NONE, RELU, RELU6, RELU_N1_TO_1 and TANH of enum activation. */
bool activation_is_known(unsigned int activation);

/* In place; ApplyActivationToVector of tflite kernels/internal/tensor_utils_common.h. */
void activation_apply(unsigned int activation, float *x, size_t n);

#endif
