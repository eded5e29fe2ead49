/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/fold.h"

#include "base/dtype.h"

ek_sum_fn *fold_find(unsigned int type, enum ek_fold op)
{
	static ek_sum_fn *const *const rows[DTYPE_COUNT] = {
		[DTYPE_INT8] = ek_fold_s8,
		[DTYPE_UINT8] = ek_fold_u8,
		[DTYPE_INT16] = ek_fold_s16,
		[DTYPE_UINT16] = ek_fold_u16,
		[DTYPE_INT32] = ek_fold_s32,
		[DTYPE_UINT32] = ek_fold_u32,
		[DTYPE_INT64] = ek_fold_s64,
		[DTYPE_FLOAT16] = ek_fold_f16,
		[DTYPE_FLOAT32] = ek_fold_f32,
		[DTYPE_FLOAT64] = ek_fold_f64,
		[DTYPE_BOOL] = ek_fold_bool,
	};
	return type < DTYPE_COUNT && rows[type] ? rows[type][op] : NULL;
}
