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

#include "engine/backend.h"

#define TILE_ELEMENTS 16384 /* some 10 us of the slower element-wise kernels */

struct tiles {
	uint64_t total;
	const struct run_control *control;
	uint64_t each; /* elements of a tile; 0: TILE_ELEMENTS */
	uint64_t at, count; /* the tile of this round */
	int result;
};

static inline bool tiles_next(struct tiles *t)
{
	uint64_t each = t->each ? t->each : TILE_ELEMENTS;
	t->at += t->count;
	if (t->at >= t->total) {
		return false;
	}
	t->result = t->at ? run_control_check(t->control) : 0;
	t->count = t->total - t->at < each ? t->total - t->at : each;
	return t->result == 0;
}

static inline int tiles_end(const struct tiles *t, struct error *err)
{
	return t->result < 0 ? error_set(err, t->result, "given up in the middle of the operator")
			     : 0;
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
