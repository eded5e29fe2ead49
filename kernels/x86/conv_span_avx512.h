/* SPDX-License-Identifier: Apache-2.0 */
/* conv_span_avx512 - runs of pixels by the tiles of conv_tile_avx512.h that fit them */
#ifndef KERNELS_X86_CONV_SPAN_AVX512_H
#define KERNELS_X86_CONV_SPAN_AVX512_H

#include "kernels/x86/conv_tile_avx512.h"

/* So many tiles; goes behind their pixels, of which the last tile may lack some. */
#define CONV_DEFINE_AS(name, kind, pixels, shared)                                                 \
	static __attribute__((noinline)) void name(                                                \
		const struct conv_way *way, struct conv_span *s, uint32_t tiles)                   \
	{                                                                                          \
		for (uint32_t i = 0; i < tiles; i++) {                                             \
			conv_tile(kind, pixels, shared, way, s);                                   \
			conv_advance(way, s, pixels);                                              \
		}                                                                                  \
	}
#define CONV_DEFINE(kind, pixels) CONV_DEFINE_AS(conv_tiles_##kind##_##pixels, kind, pixels, false)

typedef void conv_tiles_fn(const struct conv_way *way, struct conv_span *s, uint32_t tiles);

CONV_DEFINE(CONV_64, 1)
CONV_DEFINE(CONV_64, 2)
CONV_DEFINE(CONV_64, 3)
CONV_DEFINE(CONV_64, 4)
CONV_DEFINE(CONV_64, 5)
CONV_DEFINE(CONV_64, 6)
CONV_DEFINE(CONV_48, 4)
CONV_DEFINE(CONV_48, 8)
CONV_DEFINE(CONV_32, 4)
CONV_DEFINE(CONV_32, 8)
CONV_DEFINE(CONV_32, 12)
CONV_DEFINE(CONV_16, 4)
CONV_DEFINE(CONV_16, 8)
CONV_DEFINE(CONV_16, 12)
CONV_DEFINE(CONV_16, 16)
CONV_DEFINE(CONV_24, 8)
CONV_DEFINE(CONV_24, 16)
CONV_DEFINE(CONV_8, 8)
CONV_DEFINE(CONV_8, 16)

CONV_DEFINE_AS(conv_shared_CONV_16, CONV_16, 16, true)
CONV_DEFINE_AS(conv_shared_CONV_32, CONV_32, 8, true)

/* Tiles of a kind: steps of so many pixels, up to the most. */
struct conv_tiles {
	uint32_t step, most; /* pixels of the smallest and of the largest one */
	conv_tiles_fn *fn[6]; /* by pixels / step - 1 */
};

static const struct conv_tiles conv_tiles[] = {
	[CONV_16] = {4, 16,
		{conv_tiles_CONV_16_4, conv_tiles_CONV_16_8, conv_tiles_CONV_16_12,
			conv_tiles_CONV_16_16}},
	[CONV_32] = {4, 12, {conv_tiles_CONV_32_4, conv_tiles_CONV_32_8, conv_tiles_CONV_32_12}},
	[CONV_48] = {4, 8, {conv_tiles_CONV_48_4, conv_tiles_CONV_48_8}},
	[CONV_64] = {1, 6,
		{conv_tiles_CONV_64_1, conv_tiles_CONV_64_2, conv_tiles_CONV_64_3,
			conv_tiles_CONV_64_4, conv_tiles_CONV_64_5, conv_tiles_CONV_64_6}},
	[CONV_24] = {8, 16, {conv_tiles_CONV_24_8, conv_tiles_CONV_24_16}},
	[CONV_8] = {8, 16, {conv_tiles_CONV_8_8, conv_tiles_CONV_8_16}},
};

/* All pixels of the span, which ends behind them: large tiles, the last two of about the same size. */
static inline void conv_span_run(
	enum conv_kind kind, const struct conv_way *way, struct conv_span *s)
{
	const struct conv_tiles *t = &conv_tiles[kind];
	if (way->shared && kind == CONV_16) {
		conv_shared_CONV_16(way, s, s->n / 16);
	} else if (way->shared && kind == CONV_32) {
		conv_shared_CONV_32(way, s, s->n / 8);
	}
	while (s->n > 0) {
		uint32_t whole = s->n / t->most, rest = s->n % t->most;
		uint32_t size = t->most, tiles = rest ? whole - 1 : whole;
		if (s->n < 2 * t->most && rest) {
			size = s->n < t->most ? s->n : (s->n + 1) / 2;
			tiles = 1;
		}
		t->fn[(size + t->step - 1) / t->step - 1](way, s, tiles);
	}
}

#endif
