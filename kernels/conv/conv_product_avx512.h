/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_product_avx512 - tiles of conv_tile_avx512.h for what most layers are
 *
 * One segment, or several of one four each, nothing to add, and all lines proven. The general tile
 * asks for these things each time, which is up to a third of the time of short sums.
 */
#ifndef KERNELS_CONV_CONV_PRODUCT_AVX512_H
#define KERNELS_CONV_CONV_PRODUCT_AVX512_H

#include "kernels/conv/conv_tile_avx512.h"

/* What a product needs of a span, which stays in registers. */
struct conv_product {
	const uint8_t *in;
	const int8_t *weights, *end;
	const struct float_requant_panel *panel;
	size_t pixel;
	size_t step; /* from one four of a pixel to the next */
};

ALWAYS_INLINE void conv_product_sum(
	const int kind, const int pixels, const struct conv_product *p, __m512i *sums)
{
	const int groups = (pixels + 3) / 4, n = conv_sums(kind, pixels), nv = conv_vectors(kind);
	const int8_t *weights = p->weights;
	const uint8_t *at[4] = {NULL};
#pragma GCC unroll 24
	for (int i = 0; i < n; i++) {
		sums[i] = float_requant_start(p->panel, i % nv);
	}
#pragma GCC unroll 4
	for (int g = 0; g < groups; g++) {
		at[g] = p->in + 4 * (size_t)g * p->pixel;
	}
	do {
		conv_step(kind, pixels, at, p->pixel, weights, sums);
		weights += 64 * nv;
#pragma GCC unroll 4
		for (int g = 0; g < groups; g++) {
			at[g] += p->step;
		}
	} while (weights != p->end);
}

/* So many tiles, as conv_tiles_fn. */
ALWAYS_INLINE void conv_product_tiles(const int kind, const int pixels, const bool clamped,
	const struct conv_way *way, struct conv_span *s, uint32_t tiles)
{
	const struct float_requant_limits limits = float_requant_limits(&way->output);
	struct conv_product p = {.in = s->in,
		.weights = s->weights,
		.end = s->weights + way->rows * way->fours * 64 * (size_t)conv_vectors(kind),
		.panel = s->panel,
		.pixel = way->pixel,
		.step = way->fours == 1 ? way->row_step : 4};
	for (uint32_t i = 0; i < tiles; i++) {
		__m512i sums[24];
		conv_product_sum(kind, pixels, &p, sums);
		conv_codes(kind, pixels, clamped, p.panel, sums);
		conv_put_of(&limits, kind, pixels, way, s, sums);
		conv_advance(way, s, (uint32_t)pixels);
		p.in = s->in;
	}
}

#endif
