/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_table - a hash table of a session: int64 to string, or string to int64 (TFLite
 * kernels/hashtable.cc, experimental/resource/static_hashtable.cc)
 *
 * Filled once; keys that come twice keep their first value. Found by binary search in an order that
 * is made when it is filled: bounded, whatever the keys.
 */
#ifndef ENGINE_RUN_HASH_TABLE_H
#define ENGINE_RUN_HASH_TABLE_H

#include "engine/backend.h"
#include "engine/run/heap.h"

struct hash_table {
	uint8_t key_type, value_type; /* DTYPE_INT64 and DTYPE_STRING, or the other way round */
	struct value keys, values; /* copies, from the heap; NULL data before it is filled */
	uint32_t *order; /* indices of distinct keys, ascending by key; from the heap */
	uint32_t n;
};

/* @keys and @values have the table's types and are checked here for being as many. A second filling
 * changes nothing. -EINVAL, -EFBIG, -ENOMEM, or what ended it in the middle: then it is empty. */
int must_check hash_table_fill(struct hash_table *table, struct heap *heap,
	const struct value *keys, const struct value *values, const struct run_control *control,
	struct error *err);

/* Bytes that the values of @keys take in a tensor of the value type, the default for those that are
 * not there. @fallback: one element. -EINVAL, or what ended it. */
int must_check hash_table_measure(const struct hash_table *table, const struct value *keys,
	const struct value *fallback, const struct run_control *control, uint64_t *ret_bytes,
	struct error *err);
/* Writes them into the @bytes that were measured. -EINVAL when keys have changed since, as a client's
 * memory may, and their values do not fill it. */
int must_check hash_table_find(const struct hash_table *table, const struct value *keys,
	const struct value *fallback, const struct run_control *control, void *out, uint64_t bytes,
	struct error *err);

void hash_table_clear(struct hash_table *table, struct heap *heap);

#endif
