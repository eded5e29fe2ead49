/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/heap.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/run/block.h"

/* Stands before each cell's bytes. */
struct cell {
	uint64_t bytes; /* behind this header; a multiple of 64 */
	struct heap_chunk *chunk;
	bool used;
} __attribute__((aligned(64)));

/* Stands at the start of its own block. */
struct heap_chunk {
	struct block block;
	struct heap_chunk *next;
	uint64_t used; /* cells */
} __attribute__((aligned(64)));

static struct cell *first_cell(struct heap_chunk *chunk)
{
	return (struct cell *)(chunk + 1);
}

/* NULL behind the last one. */
static struct cell *next_cell(struct cell *cell)
{
	uint8_t *next = (uint8_t *)(cell + 1) + cell->bytes;
	return next < cell->chunk->block.data + cell->chunk->block.bytes ? (struct cell *)next
									 : NULL;
}

void heap_deinit(struct heap *heap)
{
	while (heap->chunks) {
		struct block block = heap->chunks->block;
		heap->chunks = heap->chunks->next;
		block_deinit(&block);
	}
	*heap = (struct heap){.limit = heap->limit};
}

/* The chunk that is kept though nobody uses it goes back. False where there is none. */
static bool drop_idle(struct heap *heap)
{
	struct heap_chunk *chunk = heap->chunks;
	if (!chunk || chunk->next || chunk->used > 0) {
		return false;
	}
	struct block block = chunk->block;
	heap->chunks = NULL;
	heap->charged -= block.bytes;
	block_deinit(&block);
	return true;
}

int heap_charge(struct heap *heap, uint64_t before, uint64_t now, struct error *err)
{
	uint64_t total = 0;
	bool over;
	do {
		over = bytes_add_overflows(heap->charged - before, now, &total) ||
			total > heap->limit;
	} while (over && drop_idle(heap));
	if (over) {
		return error_set(err, -EFBIG,
			"the session would take %" PRIu64 " bytes, the limit is %" PRIu64, total,
			heap->limit);
	}
	heap->charged = total;
	return 0;
}

void heap_discharge(struct heap *heap, uint64_t bytes)
{
	heap->charged -= bytes;
}

/* Joins the free cells that follow a free one. */
static void join(struct cell *cell)
{
	struct cell *next = next_cell(cell);
	while (next && !next->used) {
		cell->bytes += sizeof(*next) + next->bytes;
		next = next_cell(cell);
	}
}

static struct cell *find(struct heap_chunk *chunk, uint64_t bytes)
{
	for (struct cell *cell = first_cell(chunk); cell; cell = next_cell(cell)) {
		if (!cell->used) {
			join(cell);
			if (cell->bytes >= bytes) {
				return cell;
			}
		}
	}
	return NULL;
}

/* What is left behind @bytes of a free cell becomes a cell of its own. */
static void split(struct cell *cell, uint64_t bytes)
{
	uint64_t left = cell->bytes - bytes;
	if (left > sizeof(*cell) && cell->chunk->block.bytes <= HEAP_CHUNK_BYTES) {
		struct cell *rest = (struct cell *)((uint8_t *)(cell + 1) + bytes);
		*rest = (struct cell){left - sizeof(*cell), cell->chunk, false};
		cell->bytes = bytes;
	}
}

static int map_chunk(struct heap *heap, uint64_t bytes)
{
	struct block block = {0};
	if (block_init(&block, bytes) < 0) {
		return -ENOMEM;
	}
	struct heap_chunk *chunk = (struct heap_chunk *)block.data;
	*chunk = (struct heap_chunk){.block = block, .next = heap->chunks};
	*first_cell(chunk) = (struct cell){
		bytes - sizeof(struct heap_chunk) - sizeof(struct cell), chunk, false};
	heap->chunks = chunk;
	return 0;
}

/* A new first chunk with a cell of @room bytes: of the usual size if the limit allows that. */
static int new_chunk(struct heap *heap, uint64_t room, struct error *err)
{
	uint64_t least = bytes_align_up(
		room + sizeof(struct heap_chunk) + sizeof(struct cell), BLOCK_PAGE_BYTES);
	uint64_t bytes = least > HEAP_CHUNK_BYTES ? least : HEAP_CHUNK_BYTES;
	if (heap_charge(heap, 0, bytes, NULL) < 0) {
		bytes = least;
		int r = heap_charge(heap, 0, bytes, err);
		if (r < 0) {
			return r;
		}
	}
	if (map_chunk(heap, bytes) < 0) {
		heap_discharge(heap, bytes);
		return error_no_memory(err);
	}
	return 0;
}

int heap_alloc(struct heap *heap, uint64_t bytes, void **ret_data, struct error *err)
{
	uint64_t room = bytes_align_up(bytes ? bytes : 1, 64);
	struct cell *cell = NULL;
	if (bytes > UINT64_MAX / 2) {
		return error_set(err, -EFBIG, "a tensor beyond all limits");
	}
	for (struct heap_chunk *c = heap->chunks; c && !cell; c = c->next) {
		cell = find(c, room);
	}
	if (!cell) {
		int r = new_chunk(heap, room, err);
		if (r < 0) {
			return r;
		}
		cell = first_cell(heap->chunks);
	}
	split(cell, room);
	cell->used = true;
	cell->chunk->used++;
	heap->n_cells++;
	*ret_data = cell + 1;
	return 0;
}

uint64_t heap_room(const void *data)
{
	return ((const struct cell *)data - 1)->bytes;
}

/* A chunk that nobody uses goes back, but for the last one of the usual size. */
static void drop_chunk(struct heap *heap, struct heap_chunk *chunk)
{
	struct heap_chunk **at = &heap->chunks;
	if (chunk->block.bytes <= HEAP_CHUNK_BYTES && !chunk->next && heap->chunks == chunk) {
		return;
	}
	while (*at != chunk) {
		at = &(*at)->next;
	}
	*at = chunk->next;
	struct block block = chunk->block;
	heap_discharge(heap, block.bytes);
	block_deinit(&block);
}

void heap_free(struct heap *heap, void *data)
{
	if (!data) {
		return;
	}
	struct cell *cell = (struct cell *)data - 1;
	cell->used = false;
	heap->n_cells--;
	if (--cell->chunk->used == 0) {
		drop_chunk(heap, cell->chunk);
	}
}

void heap_fill(struct heap *heap, uint8_t value)
{
	for (struct heap_chunk *c = heap->chunks; c; c = c->next) {
		for (struct cell *cell = first_cell(c); cell; cell = next_cell(cell)) {
			if (!cell->used) {
				join(cell);
				memset(cell + 1, value, (size_t)cell->bytes);
			}
		}
	}
}
