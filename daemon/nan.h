/* SPDX-License-Identifier: Apache-2.0 */
/* nan - whether tensors have elements that are no numbers */
#ifndef DAEMON_NAN_H
#define DAEMON_NAN_H

#include "base/wire.h"

/* True when one of @n tensors, of type float16, float32 or float64, has a NaN; other types have
 * none. */
bool nan_any(const struct wire_tensor *tensors, uint32_t n);
/* The same for NaN and the infinities. */
bool nan_or_infinity_any(const struct wire_tensor *tensors, uint32_t n);

#endif
