/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_kernel - the kernel for a type and an operation */
#ifndef BACKENDS_CPU_OPS_REDUCE_REDUCE_KERNEL_H
#define BACKENDS_CPU_OPS_REDUCE_REDUCE_KERNEL_H

#include "kernels/reduce/reduce.h"

/* @type: enum dtype. NULL for a type that does not have the operation. */
ek_sum_fn *reduce_kernel_find(unsigned int type, enum ek_reduce op);

#endif
