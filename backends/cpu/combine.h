/* SPDX-License-Identifier: Apache-2.0 */
/* combine - the kernels of kernels/combine.h by type */
#ifndef BACKENDS_CPU_COMBINE_H
#define BACKENDS_CPU_COMBINE_H

#include "base/dtype.h"
#include "kernels/combine.h"

/* NULL for a type that has none. */
const struct ek_combine *combine_of(unsigned int dtype);

#endif
