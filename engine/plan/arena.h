/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - one block of memory for tensors that do not all live at once
 *
 * A pure function over lifetimes: two blocks whose lifetimes meet never share a byte; every offset
 * is a multiple of ARENA_ALIGNMENT. It knows no tensors and no graph.
 */
#ifndef ENGINE_PLAN_ARENA_H
#define ENGINE_PLAN_ARENA_H

#include <stdint.h>

#include "base/own.h"

#define ARENA_ALIGNMENT 64u

struct arena_block {
	uint64_t bytes; /* at most 2^40; 0 takes no room */
	uint32_t first, last; /* positions at which it is alive, both included; first <= last */
};

/*
 * Up to ARENA_THOROUGH blocks: greedy best fit in several orders, of which the smallest result is
 * kept. The first order is that of TensorFlow Lite's planner (longest-lived first, then by size),
 * so the result is never larger than its; work is quadratic. Above: one sweep through time with a
 * bounded list of free ranges; work is linear after sorting, so a hostile file of a hundred
 * thousand tensors costs a fraction of a second.
 *
 * @ret_offsets: array of @n, filled. @ret_bytes: what the arena needs, a multiple of
 * ARENA_ALIGNMENT. -ENOMEM.
 */
int must_check arena_layout(
	const struct arena_block *blocks, uint32_t n, uint64_t *ret_offsets, uint64_t *ret_bytes);
#define ARENA_THOROUGH 2048

/* The sweep alone, for any number of blocks. */
int must_check arena_sweep(
	const struct arena_block *blocks, uint32_t n, uint64_t *ret_offsets, uint64_t *ret_bytes);

/* Pairs of blocks that arena_layout() may have to compare: 0 where it sweeps. ARENA_WORK of them in
 * all plans of a model together are a tenth of a second. */
uint64_t arena_work(uint32_t n);
#define ARENA_WORK (4ull * ARENA_THOROUGH * ARENA_THOROUGH)

/* No layout can be smaller: the largest sum of blocks (rounded up to the alignment) alive at one
 * position. -ENOMEM. */
int must_check arena_lower_bound(const struct arena_block *blocks, uint32_t n, uint64_t *ret_bytes);

#endif
