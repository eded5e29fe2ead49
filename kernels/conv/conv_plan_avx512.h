/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_plan_avx512 - how a convolution is gone through, for its packing and its runs
 *
 * Packed weights: a struct float_requant_panel for each 64 channels, then their weights as
 * conv_tile_avx512.h has them, the last ones of as many vectors as they fill, with room for all
 * extra fours (uint8).
 */
#ifndef KERNELS_CONV_CONV_PLAN_AVX512_H
#define KERNELS_CONV_CONV_PLAN_AVX512_H

#include "kernels/conv/conv_args.h"
#include "kernels/conv/conv_gather_avx512.h"
#include "kernels/conv/conv_plan_x86.h"

#define BLOCK_STEP 48 /* pixels: a multiple of every tile's */
#define BLOCK_PIXELS 768
#define MOST_READ_BEYOND 16 /* pixels */
#define MOST_BYTES ((uint64_t)32 << 20) /* of the rows that one output row reads */

/* How a shape is gone through; all sizes in bytes but those of pixels and rows. */
struct conv_plan {
	bool by_pixel; /* one tap: a block is pixels; else rows */
	bool gathered; /* of rows: what pixels read is gathered, one output row at a time */
	uint32_t segments_y, segments_x;
	size_t segment, fours;
	uint32_t extras; /* room for so many extra fours */
	size_t row; /* of a block of rows */
	uint32_t block; /* pixels or output rows */
	uint32_t pixels; /* of a block, at most */
	size_t data; /* of a block */
	size_t gather_row, gather; /* behind it */
};

static inline void plan_pixels(struct conv_plan *p, const struct ek_conv_shape *s)
{
	uint64_t pixels = (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
	const size_t stride = 4 * p->fours;
	/* In 32 bits: each call of a small layer divides. */
	uint32_t rows = stride < BLOCK_BYTES
		? BLOCK_BYTES / ((uint32_t)stride * BLOCK_STEP) * BLOCK_STEP
		: 0;
	rows = rows < BLOCK_STEP ? BLOCK_STEP : rows > BLOCK_PIXELS ? BLOCK_PIXELS : rows;
	p->block = p->pixels = (uint32_t)(rows < pixels ? rows : pixels);
	p->data = (p->block + (s->out_c % 64 ? MOST_READ_BEYOND : 1)) * stride;
}

static inline void plan_rows(struct conv_plan *p, const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	size_t reach = conv_reach(y), rows = BLOCK_BYTES / p->row;
	size_t block = rows > reach ? (rows - reach) / y->stride + 1 : 1;
	p->block = (uint32_t)(block < y->out ? block : y->out);
	p->pixels = p->block * x->out;
	p->data = ((size_t)(p->block - 1) * y->stride + reach) * p->row +
		(size_t)MOST_READ_BEYOND * x->stride * s->in_c;
	if (p->gathered) {
		p->data = (p->row + GATHER_READS + 63) / 64 * 64; /* a row of padding */
		p->gather_row = (x->out + GATHER_PIXELS - 1) / GATHER_PIXELS * 64;
		p->gather = GATHER_FOURS * p->gather_row + (size_t)MOST_READ_BEYOND * 4;
	}
}

static inline bool is_gathered(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return s->in_c == 3 && s->groups == 1 && y->taps == 3 && x->taps == 3 && y->dilation == 1 &&
		x->dilation == 1 && x->stride <= 2;
}

/* Of a shape that conv_is_walked(). */
static inline struct conv_plan conv_plan_of(const struct ek_conv_shape *s, bool is_signed)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	bool joined = x->dilation == 1 || x->taps == 1;
	struct conv_plan p = {
		.by_pixel = one_tap_inside(y) && one_tap_inside(x),
		.segments_y = y->taps,
		.segments_x = joined ? 1 : x->taps,
		.extras = is_signed ? 0 : FLOAT_REQUANT_EXTRAS,
		.segment = joined ? (size_t)x->taps * s->in_c : s->in_c,
		.row = ((size_t)(x->out - 1) * x->stride + conv_reach(x)) * s->in_c,
	};
	if (is_gathered(s)) {
		p.gathered = true;
		p.segments_y = GATHER_FOURS;
		p.segment = 4;
	}
	p.fours = (p.segment + 3) / 4;
	if (p.by_pixel) {
		plan_pixels(&p, s);
	} else {
		plan_rows(&p, s);
	}
	return p;
}

static inline size_t conv_add_bytes(const struct conv_plan *p)
{
	return ((size_t)p->pixels + MOST_READ_BEYOND + 15) / 16 * 64;
}

static inline uint32_t conv_panels_of(const struct ek_conv_shape *s)
{
	return (uint32_t)(((uint64_t)s->out_c + FLOAT_REQUANT_LANES - 1) / FLOAT_REQUANT_LANES);
}

static inline enum conv_kind conv_kind_of(const struct ek_conv_shape *s, uint32_t first)
{
	uint32_t n = conv_least(s->out_c - first, FLOAT_REQUANT_LANES);
	return s->out_c == 24 ? CONV_24 : s->out_c == 8 ? CONV_8 : (enum conv_kind)((n + 15) / 16);
}

static inline size_t conv_fours_of(const struct conv_plan *p)
{
	return (size_t)p->segments_y * p->segments_x * p->fours;
}

/* Bytes of the weights of one vector. */
static inline size_t conv_vector_bytes(const struct conv_plan *p)
{
	return (conv_fours_of(p) + p->extras) * 64;
}

#endif
