/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dtype.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned int bits;
} types[DTYPE_COUNT] = {
	[DTYPE_FLOAT32] = {"float32", 32},
	[DTYPE_FLOAT16] = {"float16", 16},
	[DTYPE_INT32] = {"int32", 32},
	[DTYPE_UINT8] = {"uint8", 8},
	[DTYPE_INT64] = {"int64", 64},
	[DTYPE_STRING] = {"string", 0},
	[DTYPE_BOOL] = {"bool", 8},
	[DTYPE_INT16] = {"int16", 16},
	[DTYPE_COMPLEX64] = {"complex64", 64},
	[DTYPE_INT8] = {"int8", 8},
	[DTYPE_FLOAT64] = {"float64", 64},
	[DTYPE_COMPLEX128] = {"complex128", 128},
	[DTYPE_UINT64] = {"uint64", 64},
	[DTYPE_RESOURCE] = {"resource", 0},
	[DTYPE_VARIANT] = {"variant", 0},
	[DTYPE_UINT32] = {"uint32", 32},
	[DTYPE_UINT16] = {"uint16", 16},
	[DTYPE_INT4] = {"int4", 4},
	[DTYPE_BFLOAT16] = {"bfloat16", 16},
};

const char *dtype_name(unsigned int dtype)
{
	return dtype < DTYPE_COUNT ? types[dtype].name : "unknown";
}

int dtype_find(const char *name)
{
	for (int i = 0; i < DTYPE_COUNT; i++) {
		if (strcmp(types[i].name, name) == 0) {
			return i;
		}
	}
	return -1;
}

unsigned int dtype_bits(unsigned int dtype)
{
	return dtype < DTYPE_COUNT ? types[dtype].bits : 0;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0])) == 0;
}

bool shape_known(const struct shape *shape)
{
	for (unsigned int i = 0; i < shape->rank; i++) {
		if (shape->dim[i] < 0) {
			return false;
		}
	}
	return true;
}

int shape_elements(const struct shape *shape, uint64_t *ret_elements)
{
	uint64_t product = 1;
	bool empty = false;
	if (shape->rank > SHAPE_MAX_RANK) {
		return -ERANGE;
	}
	for (unsigned int i = 0; i < shape->rank; i++) {
		int32_t dim = shape->dim[i];
		if (dim < 0 || dim > SHAPE_MAX_DIM) {
			return -ERANGE;
		}
		empty |= dim == 0;
		product *= dim == 0 ? 1 : (uint64_t)dim;
		if (product > INT32_MAX) {
			return -ERANGE;
		}
	}
	*ret_elements = empty ? 0 : product;
	return 0;
}

int shape_bytes(const struct shape *shape, unsigned int dtype, uint64_t *ret_bytes)
{
	uint64_t elements = 0;
	if (dtype_bits(dtype) == 0) {
		return -EINVAL;
	}
	int r = shape_elements(shape, &elements);
	if (r < 0) {
		return r;
	}
	*ret_bytes = (elements * dtype_bits(dtype) + 7) / 8;
	return 0;
}

char *shape_format(char *out, size_t size, const struct shape *shape)
{
	size_t used = 0;
	snprintf(out, size, "-");
	for (unsigned int i = 0; i < shape->rank && used < size; i++) {
		const char *separator = i ? "x" : "";
		int n = shape->dim[i] < 0
			? snprintf(out + used, size - used, "%s?", separator)
			: snprintf(out + used, size - used, "%s%d", separator, (int)shape->dim[i]);
		used += n > 0 ? (size_t)n : 0;
	}
	return out;
}
