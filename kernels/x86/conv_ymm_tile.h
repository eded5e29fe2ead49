/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ymm_tile - some pixels by a panel of channels: products from registers, then codes
 *
 * TILE_ROWS pixels of two vectors of channels, or TILE_ROWS_1 of one, are as many sums as there are
 * registers for, with weights and one broadcast. All pixels of a tile are @pixel bytes apart: one base
 * and a few multiples of it, since a pointer for each is more than the registers.
 */
#ifndef KERNELS_X86_CONV_YMM_TILE_H
#define KERNELS_X86_CONV_YMM_TILE_H

#include "kernels/x86/put_ymm.h"

#define TILE_ROWS_1 8

/* How a call's tiles are gone through; bytes. */
struct conv_way {
	size_t pixel; /* from one pixel to the next */
	size_t rows, cols, row_step, col_step; /* segments */
	size_t steps; /* four bytes each */
	size_t out_pixel;
	struct vec_limits limits;
};

/* Pixels side by side, of one panel. */
struct conv_span {
	const uint8_t *in;
	const int32_t *add; /* what is added to a pixel's sums; NULL: nothing */
	uint8_t *out;
	uint32_t channels;
	const struct line_panel *panel;
	const uint8_t *weights;
};

/* Multiples of the step from pixel to pixel that x86 can't compute while it addresses. */
struct multiples {
	size_t one, three, five, seven;
};

ALWAYS_INLINE const uint8_t *pixel_at(const uint8_t *in, const struct multiples *m, const int r)
{
	return r == 0 ? in
		: r == 1 ? in + m->one
		: r == 2 ? in + 2 * m->one
		: r == 3 ? in + m->three
		: r == 4 ? in + 4 * m->one
		: r == 5 ? in + m->five
		: r == 6 ? in + 2 * m->three
			 : in + m->seven;
}

/* @mr pixels of @vectors vectors, both constants: all sums stay in registers. */
ALWAYS_INLINE void tile_sums(const int mr, const int vectors, const struct conv_way *way,
	const struct conv_span *s, const uint8_t *in, const int32_t *add, vec *sums)
{
	struct multiples m = {way->pixel, 3 * way->pixel, 5 * way->pixel, 7 * way->pixel};
	__asm__("" : "+r"(m.three), "+r"(m.five), "+r"(m.seven)); /* not to be computed again */
	const uint8_t *w = s->weights;
	vec acc[8][2];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		const vec by = add ? vec_all(add[r]) : vec_all(0);
		acc[r][0] = vec_add(line_start(s->panel, 0), by);
		acc[r][1] = vec_add(line_start(s->panel, vectors - 1), by);
	}
	for (size_t y = 0; y < way->rows; y++, in += way->row_step) {
		const uint8_t *segment = in;
		for (size_t x = 0; x < way->cols; x++, segment += way->col_step) {
			const uint8_t *at = segment, *end = at + 4 * way->steps;
			for (; at != end; at += 4, w += 4 * VEC_LANES * (size_t)vectors) {
				__asm__("" : "+r"(at)); /* one base, not one for each pixel */
				const vec w0 = vec_load(w);
				const vec w1 = vec_load(w + 4 * VEC_LANES * (vectors - 1));
#pragma GCC unroll 8
				for (int r = 0; r < mr; r++) {
					vec a = vec_broadcast(pixel_at(at, &m, r));
					__asm__("" : "+x"(a)); /* compilers would move loads */
					acc[r][0] = source_dot(acc[r][0], a, w0);
					if (vectors == 2) {
						acc[r][1] = source_dot(acc[r][1], a, w1);
					}
				}
			}
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		sums[r * vectors] = acc[r][0];
		if (vectors == 2) {
			sums[2 * r + 1] = acc[r][1];
		}
	}
}

/* @count tiles, one behind the other. */
ALWAYS_INLINE void tiles_of(const int mr, const int vectors, const struct conv_way *way,
	struct conv_span *s, uint32_t count)
{
	const struct put put = {&way->limits, s->panel, s->channels, way->out_pixel};
	vec sums[16] = {0};
	for (uint32_t i = 0; i < count; i++) {
		tile_sums(mr, vectors, way, s, s->in, s->add, sums);
		put_pixels(vectors, &put, sums, (uint32_t)mr, s->out);
		s->in += (size_t)mr * way->pixel;
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
	static tiles_fn *const two[] = {NULL, tiles_1_2, tiles_2_2, tiles_3_2, tiles_4_2,
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
