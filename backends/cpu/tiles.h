/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiles - long work in pieces, so that a deadline or a cancelled request ends it
 *
 *   struct tiles t = {.total = n, .control = call->control};
 *   while (tiles_next(&t)) {
 *           kernel(dst + t.at, src + t.at, t.count);
 *   }
 *   return tiles_end(&t, err);
 */
#ifndef BACKENDS_CPU_TILES_H
#define BACKENDS_CPU_TILES_H

#include <string.h>

#include "engine/backend.h"

#define TILE_ELEMENTS 16384 /* some 10 us of the slower element-wise kernels */
#define TILE_BYTES (1u << 19) /* some 50 us of moving them */
/* A row that a kernel takes at once has at most so many elements: a millisecond of the slower kernels. What is
 * longer comes in tiles. */
#define TILE_ROW (1u << 17)

struct tiles {
	uint64_t total;
	const struct run_control *control;
	uint64_t each; /* elements of a tile; 0: TILE_ELEMENTS */
	uint64_t at, count; /* the tile of this round */
	int result; /* once it is below 0 there are no more tiles */
};

static inline bool tiles_next(struct tiles *t)
{
	uint64_t each = t->each ? t->each : TILE_ELEMENTS;
	t->at += t->count;
	if (t->at >= t->total || t->result < 0) {
		return false;
	}
	t->result = t->at ? run_control_check(t->control) : 0;
	t->count = t->total - t->at < each ? t->total - t->at : each;
	return t->result == 0;
}

/* The same tiles once more; none where the last ones ended early. */
static inline void tiles_restart(struct tiles *t)
{
	t->at = t->count = 0;
}

/* Gives @result back, and says what it means where it is negative. */
static inline int tiles_result(int result, struct error *err)
{
	return result < 0 ? error_set(err, result, "given up in the middle of the operator") : 0;
}

static inline int tiles_end(const struct tiles *t, struct error *err)
{
	return tiles_result(t->result, err);
}

/* memcpy() of any size. 0, -ETIMEDOUT or -ECANCELED. */
static inline int tiles_copy(
	void *dst, const void *src, uint64_t bytes, const struct run_control *control)
{
	struct tiles t = {.total = bytes, .control = control, .each = TILE_BYTES};
	if (bytes <= TILE_BYTES) {
		memcpy(dst, src, (size_t)bytes);
		return 0;
	}
	while (tiles_next(&t)) {
		memcpy((char *)dst + t.at, (const char *)src + t.at, (size_t)t.count);
	}
	return t.result;
}

/* memset() to 0, as tiles_copy(). */
static inline int tiles_clear(void *dst, uint64_t bytes, const struct run_control *control)
{
	struct tiles t = {.total = bytes, .control = control, .each = TILE_BYTES};
	while (tiles_next(&t)) {
		memset((char *)dst + t.at, 0, (size_t)t.count);
	}
	return t.result;
}

/* How many elements from @at on, up to @end, have the same channel, of which @inner in a row are
 * one's. */
static inline uint64_t tiles_run(uint64_t at, uint64_t end, uint64_t inner)
{
	uint64_t left = inner - at % inner;
	return left < end - at ? left : end - at;
}

/* Tiles of whole rows of @row elements: rows that together have about TILE_ELEMENTS. */
static inline uint64_t tiles_rows(uint64_t row)
{
	return row < TILE_ELEMENTS ? TILE_ELEMENTS / (row ? row : 1) : 1;
}

#endif
