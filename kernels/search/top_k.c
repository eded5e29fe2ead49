/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/top_k.h"

#include <string.h>

#define KEYS(name, type)                                                                           \
	void name(struct ek_item *dst, const void *src, size_t n, uint32_t first)                  \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			dst[i] = (struct ek_item){x[i], first + (uint32_t)i};                      \
		}                                                                                  \
	}

KEYS(ek_order_keys_s8, int8_t)
KEYS(ek_order_keys_u8, uint8_t)
KEYS(ek_order_keys_s16, int16_t)
KEYS(ek_order_keys_s32, int32_t)
KEYS(ek_order_keys_s64, int64_t)

/* Below the sign bit floats of one sign order as their bits do. */
static int64_t float_key(float x)
{
	int32_t bits;
	memcpy(&bits, &x, sizeof(bits));
	int64_t size = bits & 0x7fffffff;
	return x != x ? EK_ORDER_NAN : bits < 0 ? -size : size;
}

void ek_order_keys_f32(struct ek_item *dst, const void *src, size_t n, uint32_t first)
{
	const float *x = src;
	for (size_t i = 0; i < n; i++) {
		dst[i] = (struct ek_item){float_key(x[i]), first + (uint32_t)i};
	}
}

void ek_order_push(struct ek_item *heap, size_t n, struct ek_item item)
{
	while (n > 0 && ek_order_before(heap[(n - 1) / 2], item)) {
		heap[n] = heap[(n - 1) / 2];
		n = (n - 1) / 2;
	}
	heap[n] = item;
}

void ek_order_replace(struct ek_item *heap, size_t n, struct ek_item item)
{
	size_t at = 0;
	while (2 * at + 1 < n) {
		size_t child = 2 * at + 1;
		if (child + 1 < n && ek_order_before(heap[child], heap[child + 1])) {
			child++;
		}
		if (!ek_order_before(item, heap[child])) {
			break;
		}
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = item;
}

void ek_order_sort(struct ek_item *heap, size_t n, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ek_item last = heap[n - 1 - i];
		heap[n - 1 - i] = heap[0];
		if (n - 1 - i > 0) {
			ek_order_replace(heap, n - 1 - i, last);
		}
	}
}
