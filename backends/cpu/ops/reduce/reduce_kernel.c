/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/reduce/reduce_kernel.h"

#include "base/dtype.h"

ek_sum_fn *reduce_kernel_find(unsigned int type, enum ek_reduce op)
{
	static ek_sum_fn *const *const rows[DTYPE_COUNT] = {
		[DTYPE_INT8] = ek_reduce_s8,
		[DTYPE_UINT8] = ek_reduce_u8,
		[DTYPE_INT16] = ek_reduce_s16,
		[DTYPE_UINT16] = ek_reduce_u16,
		[DTYPE_INT32] = ek_reduce_s32,
		[DTYPE_UINT32] = ek_reduce_u32,
		[DTYPE_INT64] = ek_reduce_s64,
		[DTYPE_FLOAT16] = ek_reduce_f16,
		[DTYPE_FLOAT32] = ek_reduce_f32,
		[DTYPE_FLOAT64] = ek_reduce_f64,
		[DTYPE_BOOL] = ek_reduce_bool,
	};
	return type < DTYPE_COUNT && rows[type] ? rows[type][op] : NULL;
}
