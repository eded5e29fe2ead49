/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UNIQUE: values in the order in which they appear first, and for each element which it is.
 * Source: tflite kernels/unique.cc.
 *
 * Items are sorted, so that equal ones stand side by side, the first of them in front. The
 * reference keeps values in a std::map, where a NaN finds the smallest value so far, and where
 * everything finds a NaN that was there first: so it is here.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/sort.h"
#include "backends/cpu/tiles.h"

struct unique_state {
	uint64_t count;
	uint32_t element_bytes;
	bool is_float, wide; /* the input; the indices are int64 */
	ek_order_keys_fn *keys;
};

static void unique_init(struct op_setup *setup)
{
	struct unique_state *s = setup->state;
	const struct tensor *t = op_tensor_in(setup, 0);
	s->count = op_elements(op_shape_in(setup, 0));
	s->element_bytes = (uint32_t)op_accept_element_bytes(t);
	s->is_float = t->type == DTYPE_FLOAT32;
	s->wide = op_tensor_out(setup, 1)->type == DTYPE_INT64;
	s->keys = sort_keys_of(t->type);
	setup->scratch_bytes = s->count * (sizeof(struct ek_item) + sizeof(uint32_t));
}

static int make_keys(
	const struct op_call *call, struct ek_item *items, struct tiles t, struct error *err)
{
	const struct unique_state *s = call->state;
	const char *src = op_in(call, 0)->data;
	while (tiles_next(&t)) {
		s->keys(items + t.at, src + t.at * s->element_bytes, (size_t)t.count,
			(uint32_t)t.at);
	}
	return tiles_end(&t, err);
}

/* The keys that NaN have in the reference's map. */
static int settle_nan(struct ek_item *items, struct tiles t, struct error *err)
{
	int64_t smallest = t.total ? items[0].key : 0;
	bool nan_first = smallest == EK_ORDER_NAN;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			if (nan_first || items[i].key == EK_ORDER_NAN) {
				items[i].key = smallest;
			} else if (items[i].key < smallest) {
				smallest = items[i].key;
			}
		}
	}
	return tiles_end(&t, err);
}

/* first[i]: the first element that equals element i. */
static int find_firsts(
	const struct ek_item *items, struct tiles t, uint32_t *first, struct error *err)
{
	uint32_t leader = 0;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			if (i == 0 || items[i].key != items[i - 1].key) {
				leader = items[i].index;
			}
			first[items[i].index] = leader;
		}
	}
	return tiles_end(&t, err);
}

/* Numbers those that are the first of their kind; *ret_count: how many there are. */
static int number_firsts(const uint32_t *first, struct tiles t, struct ek_item *numbers,
	uint32_t *ret_count, struct error *err)
{
	uint32_t count = 0;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			if (first[i] == i) {
				numbers[i].index = count++;
			}
		}
	}
	*ret_count = count;
	return tiles_end(&t, err);
}

/* Of @n elements from @from on. */
static void write_outputs(
	const struct op_call *call, const uint32_t *first, uint64_t from, uint64_t n)
{
	const struct unique_state *s = call->state;
	const struct ek_item *numbers = call->scratch;
	const char *src = op_in(call, 0)->data;
	char *values = op_out(call, 0)->data;
	void *indices = op_out(call, 1)->data;
	for (uint64_t i = from; i < from + n; i++) {
		uint32_t number = numbers[first[i]].index;
		if (first[i] == i) {
			memcpy(values + (size_t)number * s->element_bytes,
				src + i * s->element_bytes, s->element_bytes);
		}
		if (s->wide) {
			((int64_t *)indices)[i] = number;
		} else {
			((int32_t *)indices)[i] = (int32_t)number;
		}
	}
}

static int unique_run(const struct op_call *call, struct error *err)
{
	const struct unique_state *s = call->state;
	struct ek_item *items = call->scratch;
	uint32_t *first = (uint32_t *)(items + s->count), count = 0;
	const struct tiles all = {.total = s->count, .control = call->control};
	int r = make_keys(call, items, all, err);
	r = r < 0 || !s->is_float ? r : settle_nan(items, all, err);
	r = r < 0 ? r : sort_heap(items, s->count, call->control, err);
	r = r < 0 ? r : sort_run(items, s->count, call->control, err);
	r = r < 0 ? r : find_firsts(items, all, first, err);
	r = r < 0 ? r : number_firsts(first, all, items, &count, err);
	if (r < 0) {
		return r;
	}
	const struct shape shape = {.rank = 1, .dim = {(int32_t)count}};
	r = op_give_output(call, 0, &shape, (uint64_t)count * s->element_bytes, err);
	if (r < 0) {
		return r;
	}
	struct tiles t = all;
	while (tiles_next(&t)) {
		write_outputs(call, first, t.at, t.count);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_unique = {.op = OP_UNIQUE,
	.state_bytes = sizeof(struct unique_state),
	.init = unique_init,
	.run = unique_run};
