/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps - what the taps of a depthwise filter read, pixel by pixel
 *
 * Scratch of a call is a row of zero points, which the taps outside of the picture read, and for
 * each tap where it reads and how far that moves from one output pixel to the next.
 */
#ifndef KERNELS_X86_TAPS_H
#define KERNELS_X86_TAPS_H

#include <stdbool.h>
#include <string.h>

#include "kernels/depthwise.h"

#define TAPS_OUTSIDE 64 /* channels that are read at once, at most */

struct taps {
	const struct ek_depthwise_shape *shape;
	const uint8_t *outside;
	const uint8_t **at;
	size_t *step;
	uint32_t n; /* with those that fill up a group */
};

static inline uint32_t taps_of(const struct ek_depthwise_shape *s)
{
	return s->window.y.taps * s->window.x.taps;
}

/* Taps in groups of @group. */
static inline uint32_t taps_groups(const struct ek_depthwise_shape *s, uint32_t group)
{
	return (taps_of(s) + group - 1) / group;
}

static inline uint64_t taps_scratch_bytes(const struct ek_depthwise_shape *s, uint32_t group)
{
	uint64_t taps = (uint64_t)taps_groups(s, group) * group;
	return TAPS_OUTSIDE + taps * (sizeof(const uint8_t *) + sizeof(size_t));
}

static inline struct taps taps_init(
	const struct ek_depthwise_shape *s, uint32_t group, int32_t zero, void *scratch)
{
	struct taps t = {.shape = s, .outside = scratch, .n = taps_groups(s, group) * group};
	t.at = (const uint8_t **)((char *)scratch + TAPS_OUTSIDE);
	t.step = (size_t *)(t.at + t.n);
	memset(scratch, zero, TAPS_OUTSIDE);
	return t;
}

/* Points to what @pixel reads of the channels from @first on. */
static inline void taps_point(
	struct taps *taps, const uint8_t *input, uint32_t first, struct ek_pixel pixel)
{
	const struct ek_window_axis *ay = &taps->shape->window.y, *ax = &taps->shape->window.x;
	size_t channels = taps->shape->in_c, t = 0;
	const uint8_t *picture = input + (size_t)pixel.batch * ay->in * ax->in * channels + first;
	for (uint32_t ky = 0; ky < ay->taps; ky++) {
		int64_t y = (int64_t)pixel.y * ay->stride - ay->pad + (int64_t)ky * ay->dilation;
		for (uint32_t kx = 0; kx < ax->taps; kx++, t++) {
			int64_t x = (int64_t)pixel.x * ax->stride - ax->pad +
				(int64_t)kx * ax->dilation;
			bool in = y >= 0 && y < ay->in && x >= 0 && x < ax->in;
			taps->at[t] = in ? picture + ((size_t)y * ax->in + (size_t)x) * channels
					 : taps->outside;
			taps->step[t] = in ? ax->stride * channels : 0;
		}
	}
	for (; t < taps->n; t++) {
		taps->at[t] = taps->outside;
		taps->step[t] = 0;
	}
}

/* To the next pixel; @n is taps->n, as a constant where it is one. */
static inline __attribute__((always_inline)) void taps_move(struct taps *taps, uint32_t n)
{
	for (uint32_t t = 0; t < n; t++) {
		taps->at[t] += taps->step[t];
	}
}

/* Output positions [first, end) of @axis whose taps are all inside. */
static inline void taps_inside(
	const struct ek_window_axis *axis, uint32_t *ret_first, uint32_t *ret_end)
{
	uint64_t reach = (uint64_t)(axis->taps - 1) * axis->dilation;
	uint64_t first = ((uint64_t)axis->pad + axis->stride - 1) / axis->stride;
	uint64_t last = (uint64_t)axis->in + axis->pad;
	uint64_t end = last > reach ? (last - reach - 1) / axis->stride + 1 : 0;
	*ret_first = first < axis->out ? (uint32_t)first : axis->out;
	*ret_end = end < axis->out ? (uint32_t)end : axis->out;
}

/* @count pixels of one output row, the first of which the taps point to, to @to and on. */
typedef void taps_fn(const void *work, struct taps *taps, uint32_t count, uint8_t *to);

/*
 * The rows of @tile, of the channels from @first on:
 * pixels whose taps move alike together, others each by itself.
 */
static inline void taps_each(struct taps *taps, const struct ek_depthwise_q *a, uint32_t first,
	const struct ek_tile *tile, taps_fn *fn, const void *work)
{
	const struct ek_window *window = &taps->shape->window;
	size_t step = taps->shape->out_c;
	uint8_t *to = (uint8_t *)a->output + tile->first_row * step + first;
	uint32_t from, until, end = tile->first_row + tile->n_rows;
	taps_inside(&window->x, &from, &until);
	for (uint32_t row = tile->first_row, n; row < end; row += n, to += n * step) {
		struct ek_pixel pixel = ek_window_pixel(window, row);
		bool together = pixel.x >= from && pixel.x < until;
		n = !together ? 1 : until - pixel.x < end - row ? until - pixel.x : end - row;
		taps_point(taps, a->input, first, pixel);
		fn(work, taps, n, to);
	}
}

#endif
