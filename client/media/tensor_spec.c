/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/tensor_spec.h"

uint64_t tensor_spec_elements(const struct tensor_spec *spec)
{
	uint64_t elements = 0;
	return shape_elements(&spec->shape, &elements) < 0 ? 0 : elements;
}

void tensor_spec_range(unsigned int type, int64_t *ret_lowest, int64_t *ret_highest)
{
	int64_t low = 0, high = 0;
	switch (type) {
	case DTYPE_BOOL:
		high = 1;
		break;
	case DTYPE_INT4:
		low = -8;
		high = 7;
		break;
	case DTYPE_INT8:
		low = INT8_MIN;
		high = INT8_MAX;
		break;
	case DTYPE_UINT8:
		high = UINT8_MAX;
		break;
	case DTYPE_INT16:
		low = INT16_MIN;
		high = INT16_MAX;
		break;
	case DTYPE_UINT16:
		high = UINT16_MAX;
		break;
	case DTYPE_INT32:
		low = INT32_MIN;
		high = INT32_MAX;
		break;
	case DTYPE_UINT32:
		high = UINT32_MAX;
		break;
	case DTYPE_UINT64: /* limited to the range of int64 */
		high = INT64_MAX;
		break;
	case DTYPE_INT64:
		low = INT64_MIN;
		high = INT64_MAX;
		break;
	default:
		break;
	}
	*ret_lowest = low;
	*ret_highest = high;
}
