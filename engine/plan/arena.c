/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* A block's place in an order: by key, then by tie, then as given. */
struct rank {
	uint64_t key, tie;
	uint32_t block;
};

static int rank_compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	if (x->tie != y->tie) {
		return x->tie < y->tie ? -1 : 1;
	}
	return x->block < y->block ? -1 : x->block > y->block;
}

static uint64_t room_of(const struct arena_block *block)
{
	return bytes_align_up(block->bytes, ARENA_ALIGNMENT);
}

static bool meet(const struct arena_block *a, const struct arena_block *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static uint32_t end_of(const struct arena_block *blocks, uint32_t n)
{
	uint32_t end = 0;
	for (uint32_t i = 0; i < n; i++) {
		end = blocks[i].last >= end ? blocks[i].last + 1 : end;
	}
	return end;
}

int arena_lower_bound(const struct arena_block *blocks, uint32_t n, uint64_t *ret_bytes)
{
	/* What comes to life less what has died at each position. */
	owned_mem int64_t *change = calloc((size_t)end_of(blocks, n) + 1, sizeof(*change));
	if (!change) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++) {
		change[blocks[i].first] += (int64_t)room_of(&blocks[i]);
		change[blocks[i].last + 1] -= (int64_t)room_of(&blocks[i]);
	}
	int64_t alive = 0, most = 0;
	for (uint32_t at = 0, end = end_of(blocks, n); at < end; at++) {
		alive += change[at];
		most = alive > most ? alive : most;
	}
	*ret_bytes = (uint64_t)most;
	return 0;
}

enum order {
	ORDER_SIZE, /* as TensorFlow Lite: alive throughout first, then large before small */
	ORDER_AREA, /* size times length of life */
	ORDER_FIRST, /* as the run meets them */
	ORDER_COUNT
};

static struct rank rank_of(
	const struct arena_block *block, uint32_t index, enum order order, uint32_t end)
{
	uint64_t life = (uint64_t)block->last - block->first + 1;
	struct rank rank = {.block = index};
	if (order == ORDER_SIZE) {
		rank.key = life == end ? 0 : ~room_of(block);
		rank.tie = block->first;
	} else if (order == ORDER_AREA) {
		rank.key = ~(room_of(block) / ARENA_ALIGNMENT * life);
		rank.tie = block->first;
	} else {
		rank.key = block->first;
		rank.tie = ~room_of(block);
	}
	return rank;
}

/* Lowest offset of the smallest gap that holds @block between the placed ones whose lives meet its
 * own, or above them all. @placed is sorted by offset. */
static uint64_t best_gap(const struct arena_block *blocks, uint32_t block, const uint64_t *offsets,
	const uint32_t *placed, uint32_t n_placed)
{
	uint64_t room = room_of(&blocks[block]), free_from = 0, best = 0, best_gap = UINT64_MAX;
	for (uint32_t i = 0; i < n_placed; i++) {
		uint32_t other = placed[i];
		if (!meet(&blocks[block], &blocks[other])) {
			continue;
		}
		uint64_t gap = offsets[other] > free_from ? offsets[other] - free_from : 0;
		if (gap >= room && gap < best_gap) {
			best = free_from;
			best_gap = gap;
		}
		uint64_t above = offsets[other] + room_of(&blocks[other]);
		free_from = above > free_from ? above : free_from;
	}
	return best_gap == UINT64_MAX ? free_from : best;
}

/* @placed is room for @n indices. Returns the bytes needed. */
static uint64_t place_in_order(const struct arena_block *blocks, uint32_t n,
	const struct rank *ranks, uint32_t *placed, uint64_t *ret_offsets)
{
	uint64_t bytes = 0;
	uint32_t n_placed = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t block = ranks[i].block;
		if (blocks[block].bytes == 0) {
			ret_offsets[block] = 0;
			continue;
		}
		uint64_t offset = best_gap(blocks, block, ret_offsets, placed, n_placed);
		ret_offsets[block] = offset;
		uint32_t at = n_placed++;
		for (; at > 0 && ret_offsets[placed[at - 1]] > offset; at--) {
			placed[at] = placed[at - 1];
		}
		placed[at] = block;
		uint64_t above = offset + room_of(&blocks[block]);
		bytes = above > bytes ? above : bytes;
	}
	return bytes;
}

static int layout_thoroughly(
	const struct arena_block *blocks, uint32_t n, uint64_t *ret_offsets, uint64_t *ret_bytes)
{
	owned_mem struct rank *ranks = calloc(n, sizeof(*ranks));
	owned_mem uint32_t *placed = calloc(n, sizeof(*placed));
	owned_mem uint64_t *offsets = calloc(n, sizeof(*offsets));
	uint64_t bound = 0, best = UINT64_MAX;
	if (!ranks || !placed || !offsets || arena_lower_bound(blocks, n, &bound) < 0) {
		return -ENOMEM;
	}
	uint32_t end = end_of(blocks, n);
	for (int order = 0; order < ORDER_COUNT && best > bound; order++) {
		for (uint32_t i = 0; i < n; i++) {
			ranks[i] = rank_of(&blocks[i], i, (enum order)order, end);
		}
		qsort(ranks, n, sizeof(*ranks), rank_compare);
		uint64_t bytes = place_in_order(blocks, n, ranks, placed, offsets);
		if (bytes < best) {
			best = bytes;
			memcpy(ret_offsets, offsets, n * sizeof(*offsets));
		}
	}
	*ret_bytes = best;
	return 0;
}

/* Free ranges below @top, sorted by offset, none touching the next. When there are more than the
 * list can hold the smallest is forgotten: it stays unused, which costs memory but never time. */
#define POOL_RANGES 512
struct pool {
	uint64_t top;
	uint32_t n;
	struct range {
		uint64_t offset, bytes;
	} ranges[POOL_RANGES + 1];
};

static void pool_remove(struct pool *pool, uint32_t at)
{
	pool->n--;
	memmove(&pool->ranges[at], &pool->ranges[at + 1], (pool->n - at) * sizeof(pool->ranges[0]));
}

static uint64_t pool_get(struct pool *pool, uint64_t room)
{
	uint32_t best = pool->n;
	for (uint32_t i = 0; i < pool->n; i++) {
		if (pool->ranges[i].bytes >= room &&
			(best == pool->n || pool->ranges[i].bytes < pool->ranges[best].bytes)) {
			best = i;
		}
	}
	if (best == pool->n) {
		pool->top += room;
		return pool->top - room;
	}
	uint64_t offset = pool->ranges[best].offset;
	pool->ranges[best].offset += room;
	pool->ranges[best].bytes -= room;
	if (pool->ranges[best].bytes == 0) {
		pool_remove(pool, best);
	}
	return offset;
}

static void pool_forget_smallest(struct pool *pool)
{
	uint32_t smallest = 0;
	for (uint32_t i = 1; i < pool->n; i++) {
		if (pool->ranges[i].bytes < pool->ranges[smallest].bytes) {
			smallest = i;
		}
	}
	pool_remove(pool, smallest);
}

static void pool_put(struct pool *pool, uint64_t offset, uint64_t room)
{
	struct range *ranges = pool->ranges;
	uint32_t at = 0;
	while (at < pool->n && ranges[at].offset < offset) {
		at++;
	}
	bool joins_before = at > 0 && ranges[at - 1].offset + ranges[at - 1].bytes == offset;
	bool joins_after = at < pool->n && offset + room == ranges[at].offset;
	if (joins_before) {
		ranges[at - 1].bytes += room + (joins_after ? ranges[at].bytes : 0);
		if (joins_after) {
			pool_remove(pool, at);
		}
		return;
	}
	if (joins_after) {
		ranges[at].offset = offset;
		ranges[at].bytes += room;
		return;
	}
	memmove(&ranges[at + 1], &ranges[at], (pool->n - at) * sizeof(ranges[0]));
	ranges[at] = (struct range){offset, room};
	if (++pool->n > POOL_RANGES) {
		pool_forget_smallest(pool);
	}
}

int arena_sweep(
	const struct arena_block *blocks, uint32_t n, uint64_t *ret_offsets, uint64_t *ret_bytes)
{
	owned_mem struct rank *births = calloc(n, sizeof(*births));
	owned_mem struct rank *deaths = calloc(n, sizeof(*deaths));
	owned_mem struct pool *pool = calloc(1, sizeof(*pool));
	if (!births || !deaths || !pool) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++) {
		births[i] = rank_of(&blocks[i], i, ORDER_FIRST, 0);
		deaths[i] = (struct rank){.key = blocks[i].last, .block = i};
	}
	qsort(births, n, sizeof(*births), rank_compare);
	qsort(deaths, n, sizeof(*deaths), rank_compare);
	uint32_t dead = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t block = births[i].block;
		for (; deaths[dead].key < blocks[block].first; dead++) {
			uint32_t gone = deaths[dead].block;
			if (blocks[gone].bytes > 0) {
				pool_put(pool, ret_offsets[gone], room_of(&blocks[gone]));
			}
		}
		ret_offsets[block] =
			blocks[block].bytes > 0 ? pool_get(pool, room_of(&blocks[block])) : 0;
	}
	*ret_bytes = pool->top;
	return 0;
}

int arena_layout(
	const struct arena_block *blocks, uint32_t n, uint64_t *ret_offsets, uint64_t *ret_bytes)
{
	if (n == 0) {
		*ret_bytes = 0;
		return 0;
	}
	return n <= ARENA_THOROUGH ? layout_thoroughly(blocks, n, ret_offsets, ret_bytes)
				   : arena_sweep(blocks, n, ret_offsets, ret_bytes);
}

uint64_t arena_work(uint32_t n)
{
	return n <= ARENA_THOROUGH ? (uint64_t)n * n : 0;
}
