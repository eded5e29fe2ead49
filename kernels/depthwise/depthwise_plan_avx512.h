/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_plan_avx512 - how a depthwise convolution is gone through, for its packing and its runs
 *
 * Packed: a struct float_requant_panel for each panel or set, then for each of them
 * [parts][columns of taps][rows by fours][4 vectors][16 channels][4 taps]; where two output rows are
 * made at once, in the place of a vector the one for the upper row and the one for the lower. Lane
 * 4 l + i of vector j is byte 16 l + 4 j + i.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_PLAN_AVX512_H
#define KERNELS_DEPTHWISE_DEPTHWISE_PLAN_AVX512_H

#include "kernels/conv/conv_args.h"
#include "kernels/requant/float_requant_avx512.h"

#define DEPTHWISE_SETS 5
#define DEPTHWISE_BYTES 64 /* of a panel or set */
#define DEPTHWISE_MOST ((uint64_t)4 << 20) /* bytes of all slots */
#define DEPTHWISE_TALL 32768 /* bytes */
#define DEPTHWISE_NEAR 24576 /* bytes that stay in the first level of cache */

static inline uint32_t depthwise_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t depthwise_reach(const struct ek_window_axis *a)
{
	return (a->taps - 1) * a->dilation + 1;
}

/* How a shape is gone through. */
struct depthwise_plan {
	bool flat; /* bytes of all channels in a row; else 64 of one pixel */
	/* Two output rows at once: 3x3, stride 1 down and, if not flat, across; and thin ones of
	 * whole panels, where a row of taps more fits into one group or two. */
	bool pairs;
	bool thin; /* pictures one pixel wide, without padding beside it */
	uint32_t panels; /* or sets */
	uint32_t groups; /* of four rows of taps */
	size_t pixel; /* bytes of one in a slot */
	size_t phase, slot; /* bytes */
	uint32_t slots; /* one more is padding */
	size_t vector; /* bytes from one vector of weights to the next */
	size_t part; /* bytes of a part of the weights of a panel */
	size_t tall; /* bytes of a slot for depthwise_plan_tall(), or 0 */
};

/* After how many times 64 bytes the channels of pixels side by side repeat. */
static inline uint32_t depthwise_sets(uint32_t channels)
{
	uint32_t sets = channels;
	for (uint32_t n = DEPTHWISE_BYTES; n > 1 && sets % 2 == 0; n /= 2) {
		sets /= 2;
	}
	return sets;
}

/*
 * Pictures one pixel wide, which sound is: all channels of all pixels are one row of bytes, and what
 * the taps see are places of that row. Bytes of it with its padding, if it stays near the core.
 */
static inline size_t depthwise_tall(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	uint64_t rows = (uint64_t)y->out - 1 + depthwise_reach(y);
	bool is_tall = x->in == 1 && x->out == 1 && x->taps == 1 && x->pad == 0 && y->stride == 1;
	bool repeats = s->in_c < DEPTHWISE_BYTES || s->in_c % DEPTHWISE_BYTES == 0;
	if (!is_tall || !repeats || depthwise_sets(s->in_c) > DEPTHWISE_SETS ||
		rows > DEPTHWISE_TALL || rows * s->in_c > DEPTHWISE_TALL) {
		return 0;
	}
	return (rows * s->in_c + 2 * DEPTHWISE_BYTES + 63) / 64 * 64;
}

static inline struct depthwise_plan depthwise_plan_of(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	size_t width = (size_t)(x->out - 1) * x->stride + depthwise_reach(x);
	struct depthwise_plan p = {
		.flat = s->in_c < DEPTHWISE_BYTES && depthwise_sets(s->in_c) <= DEPTHWISE_SETS,
		.thin = x->in == 1 && x->out == 1 && x->taps == 1 && x->pad == 0,
		.groups = (y->taps + 3) / 4,
	};
	p.pairs = y->taps == 3 && x->taps == 3 && y->dilation == 1 && y->stride == 1 &&
		(p.flat || (x->dilation == 1 && x->stride == 1));
	p.pairs = p.pairs ||
		(p.thin && y->stride == 1 && y->dilation == 1 && s->in_c % DEPTHWISE_BYTES == 0 &&
			y->taps % 4 != 0 && y->taps < 8);
	p.panels = p.flat ? depthwise_sets(s->in_c)
			  : (s->in_c + DEPTHWISE_BYTES - 1) / DEPTHWISE_BYTES;
	p.pixel = p.flat ? s->in_c : DEPTHWISE_BYTES;
	p.phase = x->stride == 1 ? width * p.pixel : (width + x->stride - 1) / x->stride * p.pixel;
	p.slot = (p.phase * x->stride + 2 * DEPTHWISE_BYTES + 63) / 64 * 64;
	p.slots = depthwise_reach(y) + p.pairs;
	if (!p.flat) { /* a row of padding */
		p.slots = 0;
		p.slot = ((size_t)x->in * s->in_c + 63) / 64 * 64;
	}
	p.vector = p.pairs ? 2 * DEPTHWISE_BYTES : DEPTHWISE_BYTES;
	p.part = (size_t)x->taps * p.groups * 4 * p.vector;
	p.tall = depthwise_tall(s);
	return p;
}

/*
 * What is gone through here at all; the rest is entry 0's: a depth multiplier, no output, and a filter
 * so far dilated that the rows it reaches over are much more than what it sees.
 */
static inline bool depthwise_is_walked(const struct ek_conv_shape *s)
{
	if (s->in_c != s->out_c || s->window.y.out == 0 || s->window.x.out == 0) {
		return false;
	}
	const struct depthwise_plan p = depthwise_plan_of(s);
	return (uint64_t)p.slots * p.slot <= DEPTHWISE_MOST;
}

/* The same weights for a picture that is one slot. */
static inline void depthwise_plan_tall(struct depthwise_plan *p, const struct ek_conv_shape *s)
{
	p->flat = true;
	p->pixel = s->in_c;
	p->slots = 1;
	p->slot = p->tall;
}

#endif
