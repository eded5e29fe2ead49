/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/hash_table.h"

#include <string.h>

#include "base/strings.h"

#define KEYS_AT_ONCE 64 /* sorted or looked up between two looks at the deadline */

/* One element of a tensor of either type. */
struct item {
	const uint8_t *data;
	uint32_t length;
};

/* A tensor of int64 or of strings, opened. */
struct list {
	uint8_t type;
	const uint8_t *numbers;
	struct strings strings;
	uint32_t n;
};

static int list_open(
	struct list *list, unsigned int type, const struct value *value, struct error *err)
{
	uint64_t n = 0;
	if (shape_elements(&value->shape, &n) < 0 ||
		(type == DTYPE_INT64 && value->bytes < 8 * n)) {
		return error_set(err, -EINVAL, "a tensor of no size");
	}
	*list = (struct list){.type = (uint8_t)type, .numbers = value->data, .n = (uint32_t)n};
	return type == DTYPE_STRING
		? strings_open(&list->strings, value->data, value->bytes, n, err)
		: 0;
}

static struct item list_get(const struct list *list, uint32_t i)
{
	struct item item = {list->numbers + 8 * (size_t)i, 8};
	if (list->type == DTYPE_STRING) {
		item.data = strings_get(&list->strings, i, &item.length);
	}
	return item;
}

/* Any total order does. */
static int compare(struct item a, struct item b)
{
	uint32_t least = a.length < b.length ? a.length : b.length;
	int order = least ? memcmp(a.data, b.data, least) : 0;
	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Keys are compared by value, then by position, so that the first of equals comes first. */
static bool comes_before(const struct list *keys, uint32_t a, uint32_t b)
{
	int order = compare(list_get(keys, a), list_get(keys, b));
	return order < 0 || (order == 0 && a < b);
}

static void sift_down(const struct list *keys, uint32_t *order, uint32_t at, uint32_t n)
{
	for (uint32_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
		if (child + 1 < n && comes_before(keys, order[child], order[child + 1])) {
			child++;
		}
		if (!comes_before(keys, order[at], order[child])) {
			return;
		}
		uint32_t was = order[at];
		order[at] = order[child];
		order[child] = was;
		at = child;
	}
}

static int check_time(const struct run_control *control, uint32_t i, struct error *err)
{
	int r = i % KEYS_AT_ONCE ? 0 : run_control_check(control);
	return r < 0 ? error_set(err, r, "given up in the middle of the table") : 0;
}

/* Heapsort: no more than n log n, whatever the keys. */
static int sort(const struct list *keys, uint32_t *order, const struct run_control *control,
	struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; i < keys->n; i++) {
		order[i] = i;
	}
	for (uint32_t i = keys->n / 2; r == 0 && i > 0; i--) {
		sift_down(keys, order, i - 1, keys->n);
		r = check_time(control, i, err);
	}
	for (uint32_t end = keys->n; r == 0 && end > 1; end--) {
		uint32_t last = order[0];
		order[0] = order[end - 1];
		order[end - 1] = last;
		sift_down(keys, order, 0, end - 1);
		r = check_time(control, end, err);
	}
	return r;
}

static uint32_t drop_equals(const struct list *keys, uint32_t *order)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < keys->n; i++) {
		if (i == 0 ||
			compare(list_get(keys, order[kept - 1]), list_get(keys, order[i])) != 0) {
			order[kept++] = order[i];
		}
	}
	return kept;
}

static int copy(struct heap *heap, struct value *to, const struct value *from, struct error *err)
{
	int r = heap_alloc(heap, from->bytes, &to->data, err);
	if (r == 0) {
		to->bytes = from->bytes;
		to->shape = from->shape;
		memcpy(to->data, from->data, (size_t)from->bytes);
	}
	return r;
}

void hash_table_clear(struct hash_table *table, struct heap *heap)
{
	heap_free(heap, table->keys.data);
	heap_free(heap, table->values.data);
	heap_free(heap, table->order);
	table->keys = table->values = (struct value){0};
	table->order = NULL;
	table->n = 0;
}

int hash_table_fill(struct hash_table *table, struct heap *heap, const struct value *keys,
	const struct value *values, const struct run_control *control, struct error *err)
{
	struct list key_list, value_list;
	void *order = NULL;
	if (table->order) {
		return 0;
	}
	int r = copy(heap, &table->keys, keys, err);
	r = r < 0 ? r : copy(heap, &table->values, values, err);
	r = r < 0 ? r : list_open(&key_list, table->key_type, &table->keys, err);
	r = r < 0 ? r : list_open(&value_list, table->value_type, &table->values, err);
	if (r == 0 && key_list.n != value_list.n) {
		r = error_set(err, -EINVAL, "%u keys and %u values", key_list.n, value_list.n);
	}
	r = r < 0 ? r : heap_alloc(heap, 4 * (uint64_t)key_list.n, &order, err);
	r = r < 0 ? r : sort(&key_list, order, control, err);
	if (r < 0) {
		heap_free(heap, order);
		hash_table_clear(table, heap);
		return r == -EBADMSG ? -EINVAL : r;
	}
	table->order = order;
	table->n = drop_equals(&key_list, table->order);
	return 0;
}

/* The value of @key, or that of @fallback. */
static struct item look_up(const struct hash_table *table, const struct list *keys,
	const struct list *values, struct item key, struct item fallback)
{
	uint32_t low = 0, high = table->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare(list_get(keys, table->order[middle]), key);
		if (order == 0) {
			return list_get(values, table->order[middle]);
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return fallback;
}

/* What a search works on, opened. */
struct search {
	struct list keys, values, wanted, fallback;
};

static int search_open(struct search *s, const struct hash_table *table, const struct value *keys,
	const struct value *fallback, struct error *err)
{
	s->keys = s->values = (struct list){0};
	int r = list_open(&s->wanted, table->key_type, keys, err);
	r = r < 0 ? r : list_open(&s->fallback, table->value_type, fallback, err);
	if (r == 0 && s->fallback.n != 1) {
		r = error_set(err, -EINVAL, "%u default values, must be 1", s->fallback.n);
	}
	if (r == 0 && table->order) {
		r = list_open(&s->keys, table->key_type, &table->keys, err);
		r = r < 0 ? r : list_open(&s->values, table->value_type, &table->values, err);
	}
	return r == -EBADMSG ? -EINVAL : r;
}

static struct item search_next(const struct search *s, const struct hash_table *table, uint32_t i)
{
	return look_up(
		table, &s->keys, &s->values, list_get(&s->wanted, i), list_get(&s->fallback, 0));
}

int hash_table_measure(const struct hash_table *table, const struct value *keys,
	const struct value *fallback, const struct run_control *control, uint64_t *ret_bytes,
	struct error *err)
{
	struct search s;
	int r = search_open(&s, table, keys, fallback, err);
	if (r < 0) {
		return r;
	}
	*ret_bytes = table->value_type == DTYPE_STRING ? strings_head_bytes(s.wanted.n) : 0;
	for (uint32_t i = 0; r == 0 && i < s.wanted.n; i++) {
		*ret_bytes += search_next(&s, table, i).length;
		r = check_time(control, i, err);
	}
	if (r < 0) {
		return r;
	}
	return *ret_bytes <= STRINGS_MAX_BYTES
		? 0
		: error_set(err, -EFBIG, "strings of more than 2 GiB");
}

int hash_table_find(const struct hash_table *table, const struct value *keys,
	const struct value *fallback, const struct run_control *control, void *out, uint64_t bytes,
	struct error *err)
{
	struct search s;
	struct strings_writer w = {0};
	int r = search_open(&s, table, keys, fallback, err);
	if (r == 0 && table->value_type == DTYPE_STRING) {
		w = strings_writer_within(out, s.wanted.n, bytes);
	}
	for (uint32_t i = 0; r == 0 && i < s.wanted.n; i++) {
		struct item item = search_next(&s, table, i);
		if (table->value_type == DTYPE_STRING) {
			strings_put(&w, item.data, item.length);
		} else {
			memcpy((uint8_t *)out + 8 * (size_t)i, item.data, 8);
		}
		r = check_time(control, i, err);
	}
	if (r == 0 && !strings_whole(&w)) {
		r = error_set(err, -EINVAL, "the keys changed while they were looked up");
	}
	return r;
}
