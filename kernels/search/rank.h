/* SPDX-License-Identifier: Apache-2.0 */
/* rank - which of many numbers are the greatest. No NaN is looked for: where there are some the
 * order is any, but always one of the indices. */
#ifndef KERNELS_SEARCH_RANK_H
#define KERNELS_SEARCH_RANK_H

#include <stddef.h>
#include <stdint.h>

/*
 * One pass of a sort that puts the greatest value first and leaves equal ones as they stood: each
 * two runs of @run of the @n indices in @order become one. The passes for 1, 2, 4... < n sort the
 * indices 0..n - 1. @scratch: n.
 */
void ek_rank_merge(uint32_t *order, const float *values, size_t n, size_t run, uint32_t *scratch);

/*
 * The first @k of @order get the indices of the greatest values, greatest first; the others follow
 * in any order. @order has n elements, k <= n. Which of equal values comes first is what a heap of k
 * elements makes of it: the one of libstdc++'s std::partial_sort, which the reference is built with.
 */
void ek_rank_greatest(uint32_t *order, const float *values, size_t n, size_t k);

#endif
