/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/tensor_spec.h"

uint64_t tensor_spec_elements(const struct tensor_spec *spec)
{
	uint64_t elements = 0;
	return shape_elements(&spec->shape, &elements) < 0 ? 0 : elements;
}

void tensor_spec_range(unsigned int type, int64_t *ret_lowest, int64_t *ret_highest)
{
	static const struct {
		int64_t lowest, highest;
	} ranges[DTYPE_COUNT] = {
		[DTYPE_BOOL] = {0, 1},
		[DTYPE_INT4] = {-8, 7},
		[DTYPE_INT8] = {INT8_MIN, INT8_MAX},
		[DTYPE_UINT8] = {0, UINT8_MAX},
		[DTYPE_INT16] = {INT16_MIN, INT16_MAX},
		[DTYPE_UINT16] = {0, UINT16_MAX},
		[DTYPE_INT32] = {INT32_MIN, INT32_MAX},
		[DTYPE_UINT32] = {0, UINT32_MAX},
		[DTYPE_UINT64] = {0, INT64_MAX}, /* limited to the range of int64 */
		[DTYPE_INT64] = {INT64_MIN, INT64_MAX},
	};
	*ret_lowest = type < DTYPE_COUNT ? ranges[type].lowest : 0;
	*ret_highest = type < DTYPE_COUNT ? ranges[type].highest : 0;
}
