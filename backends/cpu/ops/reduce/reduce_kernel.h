/* SPDX-License-Identifier: Apache-2.0 */
/* fold - the kernel for a type and an operation */
#ifndef BACKENDS_CPU_FOLD_H
#define BACKENDS_CPU_FOLD_H

#include "kernels/fold.h"

/* @type: enum dtype. NULL for a type that does not have the operation. */
ek_sum_fn *fold_find(unsigned int type, enum ek_fold op);

#endif
