/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/rank.h"

#include <stdbool.h>
#include <string.h>

/* Two runs that follow each other, of @left and @right elements, into one. */
static void merge(
	uint32_t *dst, const uint32_t *src, size_t left, size_t right, const float *values)
{
	const uint32_t *a = src, *b = src + left, *a_end = b, *b_end = b + right;
	while (a < a_end && b < b_end) {
		*dst++ = values[*b] > values[*a] ? *b++ : *a++;
	}
	memcpy(dst, a, (size_t)(a_end - a) * sizeof(*a));
	memcpy(dst + (a_end - a), b, (size_t)(b_end - b) * sizeof(*b));
}

void ek_rank_merge(uint32_t *order, const float *values, size_t n, size_t run, uint32_t *scratch)
{
	for (size_t at = 0; at < n; at += 2 * run) {
		size_t left = n - at < run ? n - at : run;
		size_t right = n - at - left < run ? n - at - left : run;
		merge(scratch + at, order + at, left, right, values);
	}
	memcpy(order, scratch, n * sizeof(*order));
}

/* The heap's root is the least of its elements. The hole at @hole sinks along the lesser children
 * (the right one of two equals) to the bottom, and from there @index rises to where it belongs. */
static void heap_fill(uint32_t *heap, size_t hole, size_t n, uint32_t index, const float *values)
{
	size_t top = hole;
	while (2 * hole + 1 < n) {
		size_t child = 2 * hole + 2;
		child -= child == n || values[heap[child]] > values[heap[child - 1]] ? 1 : 0;
		heap[hole] = heap[child];
		hole = child;
	}
	while (hole > top && values[heap[(hole - 1) / 2]] > values[index]) {
		heap[hole] = heap[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	heap[hole] = index;
}

void ek_rank_greatest(uint32_t *order, const float *values, size_t n, size_t k)
{
	for (size_t i = 0; i < n; i++) {
		order[i] = (uint32_t)i;
	}
	for (size_t i = k / 2; i > 0; i--) {
		heap_fill(order, i - 1, k, order[i - 1], values);
	}
	for (size_t i = k; k > 0 && i < n; i++) {
		uint32_t index = order[i];
		if (values[index] > values[order[0]]) {
			order[i] = order[0];
			heap_fill(order, 0, k, index, values);
		}
	}
	for (size_t last = k; last > 1; last--) {
		uint32_t index = order[last - 1];
		order[last - 1] = order[0];
		heap_fill(order, 0, last - 1, index, values);
	}
}
