/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/combine.h"

const struct ek_combine *combine_of(unsigned int dtype)
{
	static const struct ek_combine *const kernels[DTYPE_COUNT] = {
		[DTYPE_FLOAT32] = &ek_combine_f32,
		[DTYPE_FLOAT64] = &ek_combine_f64,
		[DTYPE_FLOAT16] = &ek_combine_f16,
		[DTYPE_INT8] = &ek_combine_s8,
		[DTYPE_INT16] = &ek_combine_s16,
		[DTYPE_INT32] = &ek_combine_s32,
		[DTYPE_INT64] = &ek_combine_s64,
		[DTYPE_UINT8] = &ek_combine_u8,
		[DTYPE_UINT16] = &ek_combine_u16,
		[DTYPE_UINT32] = &ek_combine_u32,
		[DTYPE_BOOL] = &ek_combine_bool,
	};
	return dtype < DTYPE_COUNT ? kernels[dtype] : NULL;
}
