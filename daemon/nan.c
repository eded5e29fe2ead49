/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/nan.h"

/* IEEE 754: all exponent bits and some bit of the fraction; without the sign, above infinity. */
static bool nan_16(const uint8_t *at, uint32_t n)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u16(at + (size_t)i * 2) & 0x7fffu) > 0x7c00u;
	}
	return found;
}

static bool nan_32(const uint8_t *at, uint32_t n)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u32(at + (size_t)i * 4) & 0x7fffffffu) > 0x7f800000u;
	}
	return found;
}

static bool nan_64(const uint8_t *at, uint32_t n)
{
	bool found = false;
	for (uint32_t i = 0; i < n; i++) {
		found |= (bytes_get_u64(at + (size_t)i * 8) & (UINT64_MAX >> 1)) >
			UINT64_C(0x7ff0000000000000);
	}
	return found;
}

static bool nan_in(const struct wire_tensor *tensor)
{
	switch (tensor->type) {
	case DTYPE_FLOAT16:
		return nan_16(tensor->data, tensor->bytes / 2);
	case DTYPE_FLOAT32:
		return nan_32(tensor->data, tensor->bytes / 4);
	case DTYPE_FLOAT64:
		return nan_64(tensor->data, tensor->bytes / 8);
	default:
		return false;
	}
}

bool nan_any(const struct wire_tensor *tensors, uint32_t n)
{
	bool found = false;
	for (uint32_t i = 0; i < n && !found; i++) {
		found = nan_in(&tensors[i]);
	}
	return found;
}
