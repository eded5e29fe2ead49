/* SPDX-License-Identifier: Apache-2.0 */
/* sort - heaps of kernels/search/top_k.h and ranks of kernels/search/rank.h, with a look at the control now and
 * then */
#ifndef BACKENDS_CPU_OPERAND_SORT_H
#define BACKENDS_CPU_OPERAND_SORT_H

#include "engine/backend.h"
#include "kernels/search/top_k.h"

/* What makes items of elements of a type; NULL for a type that has none. */
ek_order_keys_fn *sort_keys_of(unsigned int dtype);

/* Makes a heap of any n items, in place. 0, -ETIMEDOUT or -ECANCELED. */
int must_check sort_heap(
	struct ek_item *items, uint64_t n, const struct run_control *control, struct error *err);

/* Sorts a heap of n items, in place. 0, -ETIMEDOUT or -ECANCELED. */
int must_check sort_run(
	struct ek_item *heap, uint64_t n, const struct run_control *control, struct error *err);

/* @order gets the indices 0..n - 1, greatest value first, equal ones as they stood. @scratch: n. 0,
 * -ETIMEDOUT or -ECANCELED. */
int must_check sort_ranks(uint32_t *order, const float *values, size_t n, uint32_t *scratch,
	const struct run_control *control, struct error *err);

#endif
