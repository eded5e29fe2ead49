/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/params.h"

#include <string.h>

int params_read(const struct op_setup *setup, uint32_t i, struct params *ret, struct error *err)
{
	const struct tensor *t = op_tensor_in(setup, i);
	uint64_t count = params_elements(op_shape_in(setup, i));
	const uint8_t *bytes = op_constant(setup, i);
	if (t->type != DTYPE_INT32 && t->type != DTYPE_INT64) {
		return error_set(err, -EOPNOTSUPP, "input %u: %s where int32 or int64 is meant", i,
			dtype_name(t->type));
	}
	if (count > PARAMS_MAX) {
		return error_set(
			err, -EINVAL, "input %u: %llu values", i, (unsigned long long)count);
	}
	if (count && !bytes) {
		return error_set(err, -EOPNOTSUPP, "input %u: values known only to a run", i);
	}
	ret->count = (uint32_t)count;
	for (uint32_t k = 0; k < count; k++) {
		int32_t narrow;
		if (t->type == DTYPE_INT64) {
			memcpy(&ret->value[k], bytes + 8 * k, 8);
		} else {
			memcpy(&narrow, bytes + 4 * k, 4);
			ret->value[k] = narrow;
		}
	}
	return 0;
}

int params_axis(int64_t axis, uint32_t rank, uint32_t *ret_axis, struct error *err)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank) {
		return error_set(err, -EINVAL, "axis %lld of %u dimensions", (long long)axis, rank);
	}
	*ret_axis = (uint32_t)(axis < 0 ? axis + rank : axis);
	return 0;
}

int params_read_axis(const struct op_setup *setup, uint32_t i, uint32_t rank, uint32_t *ret_axis,
	struct error *err)
{
	struct params p;
	int r = params_read(setup, i, &p, err);
	if (r < 0) {
		return r;
	}
	if (p.count != 1) {
		return error_set(err, -EINVAL, "input %u: %u axes where one is meant", i, p.count);
	}
	return params_axis(p.value[0], rank, ret_axis, err);
}

uint64_t params_product(const struct shape *shape, uint32_t first, uint32_t last)
{
	uint64_t n = 1;
	for (uint32_t i = first; i < last; i++) {
		n *= (uint64_t)shape->dim[i];
	}
	return n;
}
