/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/check_finite.h"

/* IEEE 754: infinity has all exponent bits set, NaN also a bit of the fraction. Compared as
 * integers without sign, NaN is above infinity, and all numbers are below it. */
static bool above_16(const uint8_t *at, uint32_t n, uint16_t max)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u16(at + (size_t)i * 2) & 0x7fffu) > max;
	}
	return found;
}

static bool above_32(const uint8_t *at, uint32_t n, uint32_t max)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u32(at + (size_t)i * 4) & 0x7fffffffu) > max;
	}
	return found;
}

static bool above_64(const uint8_t *at, uint32_t n, uint64_t max)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u64(at + (size_t)i * 8) & (UINT64_MAX >> 1)) > max;
	}
	return found;
}

/* Returns true if @tensor has a value above infinity (NaN), or from infinity on if @below is 1. */
static bool has_above(const struct wire_tensor *tensor, unsigned int below)
{
	switch (tensor->type) {
	case DTYPE_FLOAT16:
		return above_16(tensor->data, tensor->bytes / 2, (uint16_t)(0x7c00u - below));
	case DTYPE_FLOAT32:
		return above_32(tensor->data, tensor->bytes / 4, 0x7f800000u - below);
	case DTYPE_FLOAT64:
		return above_64(
			tensor->data, tensor->bytes / 8, UINT64_C(0x7ff0000000000000) - below);
	default:
		return false;
	}
}

static bool any(const struct wire_tensor *tensors, uint32_t n, unsigned int below)
{
	bool found = false;
	for (uint32_t i = 0; i < n && !found; i++) {
		found = has_above(&tensors[i], below);
	}
	return found;
}

bool check_finite_any_nan(const struct wire_tensor *tensors, uint32_t n)
{
	return any(tensors, n, 0);
}

bool check_finite_any_nan_or_infinity(const struct wire_tensor *tensors, uint32_t n)
{
	return any(tensors, n, 1);
}
