/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap - a session's memory for what only a run can size, and the budget of all its memory
 *
 * A few mapped chunks, left out of core dumps as blocks are; in each one cells stand one behind the
 * other, used or free. The first free cell that is large enough is taken; neighbours that are free
 * become one. A run holds few cells at a time, so walking them is cheap. A large cell has a chunk of
 * its own, which goes back to the system with it. Chunks are charged as they are mapped, so that the
 * limit holds whatever the order of allocations leaves between cells.
 */
#ifndef ENGINE_RUN_HEAP_H
#define ENGINE_RUN_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

#define HEAP_CHUNK_BYTES (UINT64_C(256) << 10)

struct heap {
	struct heap_chunk *chunks;
	uint64_t limit; /* bytes of all that is charged */
	uint64_t charged;
	uint64_t n_cells; /* in use */
};

void heap_deinit(struct heap *heap); /* a zeroed one is fine */

/* Counts other memory of the session, @now bytes where there were @before, against the limit. -EFBIG
 * with the figures; then nothing has changed. A chunk that nobody uses is given up for it. */
int must_check heap_charge(struct heap *heap, uint64_t before, uint64_t now, struct error *err);
void heap_discharge(struct heap *heap, uint64_t bytes);

/* @bytes (0 is fine), aligned to 64, contents undefined. -EFBIG when the limit is passed, -ENOMEM. */
int must_check heap_alloc(struct heap *heap, uint64_t bytes, void **ret_data, struct error *err);
void heap_free(struct heap *heap, void *data); /* NULL is fine */

/* Sets each byte that no cell in use holds to @value. */
void heap_fill(struct heap *heap, uint8_t value);

/* Bytes that the cell of @data holds: at least what was asked for. */
uint64_t heap_room(const void *data);

#endif
