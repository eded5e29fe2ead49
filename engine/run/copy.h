/* SPDX-License-Identifier: Apache-2.0 */
/* copy - tensors of any size are copied with looks at the control of the run */
#ifndef ENGINE_RUN_COPY_H
#define ENGINE_RUN_COPY_H

#include <string.h>

#include "engine/backend.h"

#define COPY_AT_ONCE (UINT64_C(1) << 20) /* bytes between two looks: some 100 us */

/* memcpy(). 0, or -ETIMEDOUT or -ECANCELED with a part copied; what is no longer than COPY_AT_ONCE is
 * copied without a look. */
static inline int must_check copy_bytes(void *dst, const void *src, uint64_t bytes,
	const struct run_control *control, struct error *err)
{
	for (uint64_t at = 0, n = 0; at < bytes; at += n) {
		const int r = at ? run_control_check(control) : 0;
		if (r < 0) {
			return error_set(err, r, "given up while a tensor was copied");
		}
		n = bytes - at < COPY_AT_ONCE ? bytes - at : COPY_AT_ONCE;
		memcpy((char *)dst + at, (const char *)src + at, (size_t)n);
	}
	return 0;
}

/* memset(), as copy_bytes(). */
static inline int must_check copy_fill(
	void *dst, int value, uint64_t bytes, const struct run_control *control, struct error *err)
{
	for (uint64_t at = 0, n = 0; at < bytes; at += n) {
		const int r = at ? run_control_check(control) : 0;
		if (r < 0) {
			return error_set(err, r, "given up while a tensor was set");
		}
		n = bytes - at < COPY_AT_ONCE ? bytes - at : COPY_AT_ONCE;
		memset((char *)dst + at, value, (size_t)n);
	}
	return 0;
}

#endif
