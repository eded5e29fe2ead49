/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_k - the largest elements first, of equal ones the one that stands further in front
 *
 * An element is a key, which orders as its value does, and its index. A heap of items has the last
 * of them in order at its root, so that the first k of any number are kept by putting each that
 * stands before the root in its place. Taking roots off from the end sorts the heap in place.
 * Keys: of floats -0 is as 0, and all NaN stand behind everything.
 * The order is total: results do not depend on how the heap was made.
 */
#ifndef KERNELS_SEARCH_TOP_K_H
#define KERNELS_SEARCH_TOP_K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ek_item {
	int64_t key;
	uint32_t index;
};

static inline bool ek_order_before(struct ek_item a, struct ek_item b)
{
	return a.key != b.key ? a.key > b.key : a.index < b.index;
}

/* Items of n elements; the first has index @first. */
typedef void ek_order_keys_fn(struct ek_item *dst, const void *src, size_t n, uint32_t first);
ek_order_keys_fn ek_order_keys_f32, ek_order_keys_s8, ek_order_keys_u8, ek_order_keys_s16,
	ek_order_keys_s32, ek_order_keys_s64;

/* The key of a NaN; no other value has it but the smallest int64. */
#define EK_ORDER_NAN INT64_MIN

/* A heap of n + 1 items out of one of n: @item joins. */
void ek_order_push(struct ek_item *heap, size_t n, struct ek_item item);

/* The root of a heap of n >= 1 items is replaced by @item. */
void ek_order_replace(struct ek_item *heap, size_t n, struct ek_item item);

/* Of a heap of n items the last @count in order go to its end, in order; the first n - @count items
 * are a heap again. */
void ek_order_sort(struct ek_item *heap, size_t n, size_t count);

#endif
