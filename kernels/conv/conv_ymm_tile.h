/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ymm_tile - some pixels by a panel of channels: products from registers, then codes
 *
 * TILE_ROWS pixels of two vectors of channels, or TILE_ROWS_1 of one, are as many sums as there are
 * registers for, with weights and one broadcast.
 */
#ifndef KERNELS_CONV_CONV_YMM_TILE_H
#define KERNELS_CONV_CONV_YMM_TILE_H

#include "kernels/gemm/gemm_tile_ymm.h"
#include "kernels/requant/store_codes_ymm.h"

#define TILE_ROWS_1 8

/* How a call's tiles are gone through. */
struct conv_way {
	struct tile_way tile;
	size_t out_pixel; /* bytes */
	struct vec_limits limits;
};

/* Pixels side by side, of one panel. */
struct conv_span {
	const uint8_t *in;
	const int32_t *add; /* what is added to a pixel's sums; NULL: nothing */
	uint8_t *out;
	uint32_t channels;
	const struct float_requant_panel *panel;
	const uint8_t *weights;
};

/* Sums of a whole tile become codes where they are. */
ALWAYS_INLINE void put_tile(
	const int mode, const int mr, const struct put *p, vec *sums, uint8_t *to)
{
#pragma GCC unroll 2
	for (int v = 0; v < 2; v++) {
		struct line line = float_requant_load(p->panel, v);
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			sums[2 * r + v] = float_requant_codes(
				&line, mode == FLOAT_REQUANT_CLAMPED, sums[2 * r + v]);
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < mr; r += 2) {
		const int next = r + 1 < mr ? r + 1 : r;
		uint8_t *first = to + (size_t)r * p->step, *second = to + (size_t)next * p->step;
		vec_put_2(p->limits, sums + 2 * r, sums + 2 * next, p->channels, first, second);
	}
}

/* The same of lines that are none, by way of memory. */
static __attribute__((noinline)) void put_tile_steps(
	const struct put *p, const vec *sums, uint32_t n, uint8_t *to)
{
	vec room[16] = {0};
	memcpy(room, sums, n * 2 * sizeof(vec));
	put_steps(2, p, room, n, to);
}

/* @count tiles of most pixels, one behind the other. */
ALWAYS_INLINE void tiles_of_most(
	const int mr, const struct conv_way *way, struct conv_span *s, uint32_t count)
{
	const struct vec_limits limits = way->limits;
	const struct put put = {&limits, s->panel, s->channels, way->out_pixel};
	const struct tile_panel panel = {s->panel->start, s->weights};
	const int32_t mode = s->panel->mode;
	for (uint32_t i = 0; i < count; i++) {
		vec sums[16];
		tile_sums(mr, 2, &way->tile, &panel, s->in, s->add, sums);
		if (mode == FLOAT_REQUANT_CLAMPED) {
			put_tile(FLOAT_REQUANT_CLAMPED, mr, &put, sums, s->out);
		} else if (mode == FLOAT_REQUANT_WHOLE) {
			put_tile(FLOAT_REQUANT_WHOLE, mr, &put, sums, s->out);
		} else {
			vec room[16];
#pragma GCC unroll 16
			for (int k = 0; k < 2 * mr; k++) {
				room[k] = sums[k];
			}
			put_tile_steps(&put, room, (uint32_t)mr, s->out);
		}
		s->in += (size_t)mr * way->tile.pixel;
		s->out += (size_t)mr * way->out_pixel;
		s->add += s->add ? mr : 0;
	}
}

/* @count tiles, one behind the other. */
ALWAYS_INLINE void tiles_of(const int mr, const int vectors, const struct conv_way *way,
	struct conv_span *s, uint32_t count)
{
	if (TILE_IS_WHOLE(mr, vectors)) {
		tiles_of_most(mr, way, s, count);
		return;
	}
	const struct put put = {&way->limits, s->panel, s->channels, way->out_pixel};
	const struct tile_panel panel = {s->panel->start, s->weights};
	vec sums[16] = {0};
	for (uint32_t i = 0; i < count; i++) {
		tile_sums(mr, vectors, &way->tile, &panel, s->in, s->add, sums);
		put_pixels(vectors, &put, sums, (uint32_t)mr, s->out);
		s->in += (size_t)mr * way->tile.pixel;
		s->out += (size_t)mr * way->out_pixel;
		s->add += s->add ? mr : 0;
	}
}

typedef void tiles_fn(const struct conv_way *way, struct conv_span *s, uint32_t count);

#define TILES_DEFINE(mr, vectors)                                                                  \
	static void tiles_##mr##_##vectors(                                                        \
		const struct conv_way *way, struct conv_span *s, uint32_t count)                   \
	{                                                                                          \
		tiles_of(mr, vectors, way, s, count);                                              \
	}

TILES_DEFINE(1, 1)
TILES_DEFINE(2, 1)
TILES_DEFINE(3, 1)
TILES_DEFINE(4, 1)
TILES_DEFINE(5, 1)
TILES_DEFINE(6, 1)
TILES_DEFINE(7, 1)
TILES_DEFINE(8, 1)
TILES_DEFINE(1, 2)
TILES_DEFINE(2, 2)
TILES_DEFINE(3, 2)
TILES_DEFINE(4, 2)
#if TILE_ROWS > 4
TILES_DEFINE(5, 2)
#endif
#if TILE_ROWS > 5
TILES_DEFINE(6, 2)
#endif

/* All @n pixels of the span, in tiles of about the same size. */
static void span_run(int vectors, const struct conv_way *way, struct conv_span *s, uint32_t n)
{
	static tiles_fn *const one[] = {NULL, tiles_1_1, tiles_2_1, tiles_3_1, tiles_4_1, tiles_5_1,
		tiles_6_1, tiles_7_1, tiles_8_1};
	static tiles_fn *const two[] = {
		NULL,
		tiles_1_2,
		tiles_2_2,
		tiles_3_2,
		tiles_4_2,
#if TILE_ROWS > 4
		tiles_5_2,
#endif
#if TILE_ROWS > 5
		tiles_6_2,
#endif
	};
	tiles_fn *const *tiles = vectors == 2 ? two : one;
	const uint32_t most = vectors == 2 ? TILE_ROWS : TILE_ROWS_1;
	uint32_t count = (n + most - 1) / most, each = n / count, larger = n % count;
	if (larger) {
		tiles[each + 1](way, s, larger);
	}
	tiles[each](way, s, count - larger);
}

#endif
