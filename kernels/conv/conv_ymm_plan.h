/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ymm_plan - how a convolution is gone through by conv_ymm.h
 *
 * A block of what pixels see is brought to scratch and multiplied with one panel of weights after the
 * other. Filters of one tap have blocks of pixels; others have blocks of rows with their padding, of
 * which a pixel sees segments: the taps of a row, or, with dilation, each tap.
 *
 * Packed weights: a struct float_requant_panel for each panel of channels, then for each panel
 * [segments][steps][vectors][lanes] of four bytes, zero beyond a segment.
 */
#ifndef KERNELS_CONV_CONV_YMM_PLAN_H
#define KERNELS_CONV_CONV_YMM_PLAN_H

#include "kernels/conv/conv_args.h"
#include "kernels/conv/conv_plan_x86.h"

#define BLOCK_PIXELS 384
#define SLACK 64 /* bytes behind a block that may be read */
#define MOST_BYTES ((uint64_t)16 << 20) /* of the rows that one output row reads */

/* How a shape is gone through; sizes of scratch in codes. */
struct conv_plan {
	bool by_pixel; /* one tap: a block is pixels; else rows */
	uint32_t rows, cols; /* segments */
	size_t segment, steps; /* codes of a segment, and steps of four bytes */
	size_t row; /* of a block of rows */
	uint32_t block; /* pixels or output rows, at most */
	uint32_t pixels; /* of a block, at most */
	size_t data; /* bytes */
};

static inline void plan_pixels(struct conv_plan *p, const struct ek_conv_shape *s)
{
	uint64_t pixels = (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
	/* In 32 bits: each call of a small layer divides. */
	uint32_t most = 4 * p->steps < BLOCK_BYTES ? BLOCK_BYTES / (uint32_t)(4 * p->steps) : 0;
	most = most < 2 * TILE_ROWS ? 2 * TILE_ROWS : conv_least(most, BLOCK_PIXELS);
	p->block = p->pixels = (uint32_t)(most < pixels ? most : pixels);
	p->data = p->block * 4 * p->steps + SLACK;
}

static inline void plan_rows(struct conv_plan *p, const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	size_t bytes = p->row * SOURCE_BYTES, reach = (size_t)conv_reach(y);
	size_t rows = BLOCK_BYTES / bytes;
	size_t block = rows > reach ? (rows - reach) / y->stride + 1 : 1;
	p->block = (uint32_t)(block < y->out ? block : y->out);
	p->pixels = p->block * x->out;
	p->data = ((size_t)(p->block - 1) * y->stride + reach) * bytes + SLACK;
}

/* Of a shape that conv_is_walked(). */
static inline struct conv_plan conv_plan_of(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	bool joined = x->dilation == 1 || x->taps == 1;
	struct conv_plan p = {
		.by_pixel = one_tap_inside(y) && one_tap_inside(x),
		.rows = y->taps,
		.cols = joined ? 1 : x->taps,
		.segment = joined ? (size_t)x->taps * s->in_c : s->in_c,
		.row = ((size_t)(x->out - 1) * x->stride + (size_t)conv_reach(x)) * s->in_c,
	};
	p.steps = (p.segment + SOURCE_CODES - 1) / SOURCE_CODES;
	if (p.by_pixel) {
		plan_pixels(&p, s);
	} else {
		plan_rows(&p, s);
	}
	return p;
}

static inline size_t conv_add_bytes(const struct conv_plan *p)
{
	return SOURCE_SUMS ? ((size_t)p->pixels + 15) / 16 * 64 : 0;
}

static inline uint32_t conv_panels_of(const struct ek_conv_shape *s)
{
	return (uint32_t)(((uint64_t)s->out_c + VEC_COLS - 1) / VEC_COLS);
}

/* Of the panel whose first channel is @first. */
static inline uint32_t conv_vectors_at(const struct ek_conv_shape *s, uint32_t first)
{
	return s->out_c - first <= VEC_LANES ? 1 : 2;
}

/* Bytes of the weights of one vector. */
static inline size_t conv_vector_bytes(const struct conv_plan *p)
{
	return (size_t)p->rows * p->cols * p->steps * 4 * VEC_LANES;
}

static inline const uint8_t *conv_weights(const struct ek_conv_shape *s, const struct conv_plan *p,
	const void *packed, uint32_t first)
{
	const struct float_requant_panel *panels = packed;
	const uint8_t *weights = (const uint8_t *)(panels + conv_panels_of(s));
	return weights + first / VEC_LANES * conv_vector_bytes(p);
}

#endif
