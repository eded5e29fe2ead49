/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates - boxes by score, as NON_MAX_SUPPRESSION takes them
 *
 * Candidates wait in a heap with the best score at its root. Which of equal scores comes first is
 * what the heap's algorithm makes of it, and part of the reference's answer: std::push_heap and
 * std::pop_heap of GNU's C++ library, where of equal children the right one moves up.
 * Source: TFLite reference/non_max_suppression.h.
 */
#ifndef KERNELS_SEARCH_CANDIDATES_H
#define KERNELS_SEARCH_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

struct ek_candidate {
	int32_t box;
	float score; /* never NaN */
	int32_t seen; /* selected boxes that it has been compared with */
};

/* A heap of n + 1 candidates out of one of n. */
void ek_candidates_push(struct ek_candidate *heap, size_t n, struct ek_candidate candidate);

/* The best of a heap of n >= 1; the first n - 1 are a heap again. */
struct ek_candidate ek_candidates_pop(struct ek_candidate *heap, size_t n);

#endif
