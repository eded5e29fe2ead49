/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/params.h"

#include <string.h>

/* Element @k of a tensor that may lie at any address. */
static int64_t read_integer(const uint8_t *bytes, unsigned int type, uint32_t k)
{
	int64_t wide = 0;
	int32_t narrow = 0;
	int16_t half = 0;
	switch (type) {
	case DTYPE_INT8:
		return (int8_t)bytes[k];
	case DTYPE_INT16:
		memcpy(&half, bytes + 2 * (size_t)k, 2);
		return half;
	case DTYPE_INT32:
		memcpy(&narrow, bytes + 4 * (size_t)k, 4);
		return narrow;
	default:
		memcpy(&wide, bytes + 8 * (size_t)k, 8);
		return wide;
	}
}

int params_read(const struct op_setup *setup, uint32_t i, struct params *ret, struct error *err)
{
	const struct tensor *t = op_tensor_in(setup, i);
	uint64_t count = op_elements(op_shape_in(setup, i));
	const uint8_t *bytes = op_constant(setup, i);
	if (t->type != DTYPE_INT8 && t->type != DTYPE_INT16 && t->type != DTYPE_INT32 &&
		t->type != DTYPE_INT64) {
		return error_set(err, -EOPNOTSUPP, "input %u: %s where a signed integer is meant",
			i, dtype_name(t->type));
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
		ret->value[k] = read_integer(bytes, t->type, k);
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
