/* SPDX-License-Identifier: Apache-2.0 */
/* conv_span_avx512 - runs of pixels by the tiles of conv_tile_avx512.h that fit them */
#ifndef KERNELS_CONV_CONV_SPAN_AVX512_H
#define KERNELS_CONV_CONV_SPAN_AVX512_H

#include "kernels/conv/conv_product_avx512.h"

/* So many tiles; goes behind their pixels, of which the last tile may lack some. */
#define CONV_DEFINE_AS(name, call)                                                                 \
	static __attribute__((noinline)) void name(                                                \
		const struct conv_way *way, struct conv_span *s, uint32_t tiles)                   \
	{                                                                                          \
		call;                                                                              \
	}
#define CONV_DEFINE(kind, pixels)                                                                  \
	CONV_DEFINE_AS(conv_any_##kind##_##pixels, conv_any_tiles(kind, pixels, way, s, tiles))    \
	CONV_DEFINE_AS(conv_whole_##kind##_##pixels,                                               \
		conv_product_tiles(kind, pixels, false, way, s, tiles))                            \
	CONV_DEFINE_AS(conv_clamped_##kind##_##pixels,                                             \
		conv_product_tiles(kind, pixels, true, way, s, tiles))

ALWAYS_INLINE void conv_any_tiles(const int kind, const int pixels, const struct conv_way *way,
	struct conv_span *s, uint32_t tiles)
{
	for (uint32_t i = 0; i < tiles; i++) {
		conv_tile(kind, pixels, way, s);
		conv_advance(way, s, (uint32_t)pixels);
	}
}

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

/* Tiles of a kind: steps of so many pixels, up to the most. */
struct conv_tiles {
	uint32_t step, most; /* pixels of the smallest and of the largest one */
	conv_tiles_fn *fn[6]; /* by pixels / step - 1 */
};

/* By enum conv_kind. */
#define CONV_TABLE(way)                                                                            \
	{                                                                                          \
		[CONV_16] = {4, 16,                                                                \
			{way##_CONV_16_4, way##_CONV_16_8, way##_CONV_16_12, way##_CONV_16_16}},   \
		[CONV_32] = {4, 12, {way##_CONV_32_4, way##_CONV_32_8, way##_CONV_32_12}},         \
		[CONV_48] = {4, 8, {way##_CONV_48_4, way##_CONV_48_8}},                            \
		[CONV_64] = {1, 6,                                                                 \
			{way##_CONV_64_1, way##_CONV_64_2, way##_CONV_64_3, way##_CONV_64_4,       \
				way##_CONV_64_5, way##_CONV_64_6}},                                \
		[CONV_24] = {8, 16, {way##_CONV_24_8, way##_CONV_24_16}},                          \
		[CONV_8] = {8, 16, {way##_CONV_8_8, way##_CONV_8_16}},                             \
	}

enum conv_tables {
	CONV_ANY,
	CONV_PRODUCT_WHOLE,
	CONV_PRODUCT_CLAMPED,
};

static const struct conv_tiles conv_tiles[][CONV_8 + 1] = {
	[CONV_ANY] = CONV_TABLE(conv_any),
	[CONV_PRODUCT_WHOLE] = CONV_TABLE(conv_whole),
	[CONV_PRODUCT_CLAMPED] = CONV_TABLE(conv_clamped),
};

static inline enum conv_tables conv_table_of(const struct conv_way *way, const struct conv_span *s)
{
	const struct float_requant_panel *panel = s->panel;
	const bool one_step = way->cols == 1 && (way->rows == 1 || way->fours == 1);
	if (!one_step || s->add || panel->extras > 0 || panel->mode == FLOAT_REQUANT_STEPS) {
		return CONV_ANY;
	}
	return panel->mode == FLOAT_REQUANT_CLAMPED ? CONV_PRODUCT_CLAMPED : CONV_PRODUCT_WHOLE;
}

/* Short sums: fewer of them at once, so that the next ones begin earlier. */
#define CONV_FEW_FOURS 16
#define CONV_FEW_PIXELS 4

/* All pixels of the span, which ends behind them: large tiles, the last two of about the same size. */
static inline void conv_span_run(
	enum conv_kind kind, const struct conv_way *way, struct conv_span *s)
{
	const enum conv_tables table = conv_table_of(way, s);
	const struct conv_tiles *t = &conv_tiles[table][kind];
	const bool few = table != CONV_ANY && kind == CONV_64 && s->n > t->most &&
		way->rows * way->fours <= CONV_FEW_FOURS;
	const uint32_t most = few ? CONV_FEW_PIXELS : t->most;
	while (s->n > 0) {
		uint32_t whole = s->n / most, rest = s->n % most;
		uint32_t size = most, tiles = rest ? whole - 1 : whole;
		if (s->n < 2 * most && rest) {
			size = s->n < most ? s->n : (s->n + 1) / 2;
			tiles = 1;
		}
		t->fn[(size + t->step - 1) / t->step - 1](way, s, tiles);
	}
}

#endif
