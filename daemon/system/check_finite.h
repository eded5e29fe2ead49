/* SPDX-License-Identifier: Apache-2.0 */
/* check_finite - searches tensors for NaN and infinities */
#ifndef DAEMON_SYSTEM_CHECK_FINITE_H
#define DAEMON_SYSTEM_CHECK_FINITE_H

#include "base/wire/wire.h"

/* Returns true if one of the @n tensors has a NaN. Only float16, float32 and float64 can have
 * one. */
bool check_finite_any_nan(const struct wire_tensor *tensors, uint32_t n);
/* Returns true if one of the @n tensors has a NaN or an infinity. */
bool check_finite_any_nan_or_infinity(const struct wire_tensor *tensors, uint32_t n);

#endif
