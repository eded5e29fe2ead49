/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/indices.h"

int indices_refuse(
	const struct indices *x, uint64_t k, int64_t value, int64_t limit, struct error *err)
{
	if (value < 0) {
		return error_set(err, -EINVAL, "%s[%llu] is %lld, must not be negative", x->name,
			(unsigned long long)k, (long long)value);
	}
	return error_set(err, -EINVAL, "%s[%llu] is %lld, must be below %lld", x->name,
		(unsigned long long)k, (long long)value, (long long)limit);
}

int indices_read_vector(const struct indices *x, uint64_t k, uint32_t n, const struct shape *shape,
	uint64_t *ret, struct error *err)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < n; i++) {
		int64_t value = 0;
		int r = indices_read(x, k + i, shape->dim[i], &value, err);
		if (r < 0) {
			return r;
		}
		at = at * (uint64_t)shape->dim[i] + (uint64_t)value;
	}
	*ret = at;
	return 0;
}
