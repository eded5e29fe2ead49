/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOPK_V2: of equal values the one in front comes first. Source: tflite kernels/topk_v2.cc.
 *
 * The k first elements so far are a heap, which is sorted at the end of the row.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/sort.h"
#include "backends/cpu/tiles.h"

struct topk_state {
	uint64_t rows, row, k;
	uint32_t element_bytes;
	bool short_indices;
	ek_order_keys_fn *keys;
};

static void topk_init(struct op_setup *setup)
{
	struct topk_state *s = setup->state;
	const struct shape *in = op_shape_in(setup, 0);
	const struct tensor *t = op_tensor_in(setup, 0);
	s->rows = op_gemm(in, 0, in->rank - 1u);
	s->row = (uint64_t)in->dim[in->rank - 1];
	s->k = (uint64_t)op_shape_out(setup, 0)->dim[in->rank - 1];
	s->element_bytes = (uint32_t)op_accept_element_bytes(t);
	s->short_indices = op_tensor_out(setup, 1)->type == DTYPE_INT16;
	s->keys = sort_keys_of(t->type);
	setup->scratch_bytes = s->k * sizeof(struct ek_item);
}

#define BLOCK 64 /* elements that become items at a time */

static void offer(const struct topk_state *s, struct ek_item *heap, uint64_t *held,
	const struct ek_item *items, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (*held < s->k) {
			ek_order_push(heap, (size_t)(*held)++, items[i]);
		} else if (ek_order_before(items[i], heap[0])) {
			ek_order_replace(heap, (size_t)s->k, items[i]);
		}
	}
}

/* @src: the row. Its first k elements come to stand in the scratch memory. */
static int select_row(const struct op_call *call, const char *src, struct error *err)
{
	const struct topk_state *s = call->state;
	uint64_t held = 0;
	struct ek_item items[BLOCK];
	struct tiles t = {.total = s->row, .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i += BLOCK) {
			uint64_t left = t.at + t.count - i, n = left < BLOCK ? left : BLOCK;
			s->keys(items, src + i * s->element_bytes, (size_t)n, (uint32_t)i);
			offer(s, call->scratch, &held, items, n);
		}
	}
	int r = tiles_end(&t, err);
	return r < 0 ? r : sort_run(call->scratch, held, call->control, err);
}

static void write_row(const struct op_call *call, uint64_t row, const char *src)
{
	const struct topk_state *s = call->state;
	const struct ek_item *items = call->scratch;
	char *values = op_out(call, 0)->data, *indices = op_out(call, 1)->data;
	for (uint64_t i = 0; i < s->k; i++) {
		uint64_t at = row * s->k + i;
		uint32_t index = items[i].index;
		memcpy(values + at * s->element_bytes, src + (size_t)index * s->element_bytes,
			s->element_bytes);
		if (s->short_indices) {
			((int16_t *)indices)[at] = (int16_t)index;
		} else {
			((int32_t *)indices)[at] = (int32_t)index;
		}
	}
}

static int topk_run(const struct op_call *call, struct error *err)
{
	const struct topk_state *s = call->state;
	const char *src = op_in(call, 0)->data;
	struct tiles t = {
		.total = s->k ? s->rows : 0, .control = call->control, .each = tiles_rows(s->row)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			const char *row = src + i * s->row * s->element_bytes;
			int r = select_row(call, row, err);
			if (r < 0) {
				return r;
			}
			write_row(call, i, row);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_topk_v2 = {.op = OP_TOPK_V2,
	.state_bytes = sizeof(struct topk_state),
	.init = topk_init,
	.run = topk_run};
