/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/overlap.h"

void ek_overlap_push(struct ek_candidate *heap, size_t n, struct ek_candidate candidate)
{
	while (n > 0 && heap[(n - 1) / 2].score < candidate.score) {
		heap[n] = heap[(n - 1) / 2];
		n = (n - 1) / 2;
	}
	heap[n] = candidate;
}

/* The hole at the root goes down to a leaf, then the last candidate up from there. */
struct ek_candidate ek_overlap_pop(struct ek_candidate *heap, size_t n)
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
		ek_overlap_push(heap, hole, last);
	}
	return best;
}

/* std::min and std::max: the first of equals, and of a NaN and a number. */
static float least(float a, float b)
{
	return b < a ? b : a;
}

static float most(float a, float b)
{
	return a < b ? b : a;
}

float ek_overlap_ratio(const float *a, const float *b)
{
	float a_top = least(a[0], a[2]), a_bottom = most(a[0], a[2]);
	float a_left = least(a[1], a[3]), a_right = most(a[1], a[3]);
	float b_top = least(b[0], b[2]), b_bottom = most(b[0], b[2]);
	float b_left = least(b[1], b[3]), b_right = most(b[1], b[3]);
	float a_area = (a_bottom - a_top) * (a_right - a_left);
	float b_area = (b_bottom - b_top) * (b_right - b_left);
	if (a_area <= 0 || b_area <= 0) {
		return 0;
	}
	float height = most(least(a_bottom, b_bottom) - most(a_top, b_top), 0);
	float width = most(least(a_right, b_right) - most(a_left, b_left), 0);
	float shared = height * width, joined = a_area + b_area - shared;
	return joined == 0 ? 0 : shared / joined;
}
