/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/candidates.h"

void ek_candidates_push(struct ek_candidate *heap, size_t n, struct ek_candidate candidate)
{
	while (n > 0 && heap[(n - 1) / 2].score < candidate.score) {
		heap[n] = heap[(n - 1) / 2];
		n = (n - 1) / 2;
	}
	heap[n] = candidate;
}

/* The hole at the root goes down to a leaf, then the last candidate up from there. */
struct ek_candidate ek_candidates_pop(struct ek_candidate *heap, size_t n)
{
	struct ek_candidate best = heap[0], last = heap[n - 1];
	size_t hole = 0;
	n--;
	while (2 * hole + 1 < n) {
		size_t child = 2 * hole + 2;
		if (child == n || heap[child].score < heap[child - 1].score) {
			child--;
		}
		heap[hole] = heap[child];
		hole = child;
	}
	if (n > 0) {
		ek_candidates_push(heap, hole, last);
	}
	return best;
}
