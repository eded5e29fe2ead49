/* SPDX-License-Identifier: Apache-2.0 */
/* rank - which of many numbers are the greatest. No NaN is looked for: where there are some the
 * order is any, but always one of the indices. */
#ifndef KERNELS_RANK_H
#define KERNELS_RANK_H

#include <stddef.h>
#include <stdint.h>

/* @order gets the indices 0..n - 1, greatest value first, equal ones as they stood. @scratch: n. */
void ek_rank_descending(uint32_t *order, const float *values, size_t n, uint32_t *scratch);

/*
 * The first @k of @order get the indices of the greatest values, greatest first; the others follow
 * in any order. @order has n elements, k <= n. Which of equal values comes first is what a heap of k
 * elements makes of it: the one of libstdc++'s std::partial_sort, which the reference is built with.
 */
void ek_rank_greatest(uint32_t *order, const float *values, size_t n, size_t k);

#endif
