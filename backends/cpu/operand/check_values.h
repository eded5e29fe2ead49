/* SPDX-License-Identifier: Apache-2.0 */
/* check_values - looks in each run for values that an operator cannot take as its second operand */
#ifndef BACKENDS_CPU_OPERAND_CHECK_VALUES_H
#define BACKENDS_CPU_OPERAND_CHECK_VALUES_H

#include "backends/cpu/op.h"

/* -EINVAL naming the first element of input 1 that is @zero (its zero point, or 0). Types float32,
 * int8, uint8, int16, int32, int64. -ETIMEDOUT and -ECANCELED as everywhere. */
int must_check check_values_nonzero(const struct op_call *call, int64_t zero, struct error *err);

/* -EINVAL naming the first element of int32 input 1 that is below 0. */
int must_check check_values_not_negative(const struct op_call *call, struct error *err);

#endif
