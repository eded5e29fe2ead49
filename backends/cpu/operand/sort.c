/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/sort.h"

#include "backends/cpu/tiles.h"
#include "kernels/search/rank.h"

#define SORT_TILE 1024 /* items; each goes down some 20 levels */

ek_order_keys_fn *sort_keys_of(unsigned int dtype)
{
	static ek_order_keys_fn *const keys[DTYPE_COUNT] = {
		[DTYPE_FLOAT32] = ek_order_keys_f32,
		[DTYPE_INT8] = ek_order_keys_s8,
		[DTYPE_UINT8] = ek_order_keys_u8,
		[DTYPE_INT16] = ek_order_keys_s16,
		[DTYPE_INT32] = ek_order_keys_s32,
		[DTYPE_INT64] = ek_order_keys_s64,
	};
	return dtype < DTYPE_COUNT ? keys[dtype] : NULL;
}

int sort_heap(
	struct ek_item *items, uint64_t n, const struct run_control *control, struct error *err)
{
	struct tiles t = {.total = n, .control = control, .each = SORT_TILE};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			ek_order_push(items, (size_t)i, items[i]);
		}
	}
	return tiles_end(&t, err);
}

int sort_run(struct ek_item *heap, uint64_t n, const struct run_control *control, struct error *err)
{
	struct tiles t = {.total = n, .control = control, .each = SORT_TILE};
	while (tiles_next(&t)) {
		ek_order_sort(heap, (size_t)(n - t.at), (size_t)t.count);
	}
	return tiles_end(&t, err);
}

int sort_ranks(uint32_t *order, const float *values, size_t n, uint32_t *scratch,
	const struct run_control *control, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < n; i++) {
		order[i] = (uint32_t)i;
	}
	for (size_t run = 1; r == 0 && run < n; run *= 2) {
		ek_rank_merge(order, values, n, run, scratch);
		r = n > SORT_TILE ? run_control_check(control) : 0;
	}
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}
