/* SPDX-License-Identifier: Apache-2.0 */
/* HASHTABLE_LOOKUP. Source: tflite kernels/hashtable_lookup.cc. */
#include "backends/cpu/operand/rows.h"
#include "backends/cpu/tiles.h"

/* The reference's bsearch() of GNU's C library, whose steps decide where keys are not sorted, or
 * there twice. */
static int64_t find_key(const int32_t *keys, uint32_t n, int32_t key)
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (key == keys[middle]) {
			return middle;
		}
		if (key < keys[middle]) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return ROWS_NONE;
}

static int lookup_at(const struct op_call *call, uint64_t r, int64_t *ret_row, struct error *err)
{
	const struct value *keys = op_in(call, 1);
	(void)err;
	*ret_row = find_key(keys->data, (uint32_t)keys->shape.dim[0],
		((const int32_t *)op_in(call, 0)->data)[r]);
	return 0;
}

static void lookup_init(struct op_setup *setup)
{
	struct rows *rows = setup->state;
	rows_init(rows, setup, 2, 1, lookup_at);
}

static int run_hits(const struct op_call *call, const struct rows *rows, struct error *err)
{
	uint8_t *hits = op_out(call, 1)->data;
	struct tiles t = {.total = rows->count, .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int64_t row = ROWS_NONE;
			int r = lookup_at(call, i, &row, err);
			if (r < 0) {
				return r;
			}
			hits[i] = row != ROWS_NONE;
		}
	}
	return tiles_end(&t, err);
}

static int lookup_run(const struct op_call *call, struct error *err)
{
	const struct rows *rows = call->state;
	int r = rows_run(call, rows, err);
	return r < 0 ? r : run_hits(call, rows, err);
}

const struct cpu_op op_hashtable_lookup = {.op = OP_HASHTABLE_LOOKUP,
	.state_bytes = sizeof(struct rows),
	.init = lookup_init,
	.run = lookup_run};
