/* SPDX-License-Identifier: Apache-2.0 */
/*
 * padded_rows_x86 - rows of a picture with padding around them, for filters that walk over it
 *
 * Where a filter reaches over an edge, the input rows that it sees are copied, each once: a ring of
 * as many lines as the filter is high. Of a pixel a run of its channels may be kept; codes may be
 * moved from int8 to uint8 on the way. Without an edge in reach the picture itself is read.
 */
#ifndef KERNELS_CONV_PADDED_ROWS_X86_H
#define KERNELS_CONV_PADDED_ROWS_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/conv/window.h"

#define LINES_MOST (4u << 20) /* bytes */
#define LINES_SLACK 64 /* bytes behind a line that may be read */
#define LINES_BEYOND UINT64_C(8) /* times the picture: longer lines and more of them do not pay, */
#define LINES_FEW 32 /* but so many lines */
#define LINES_SHORT 2048 /* and so many bytes of a line always do */

struct lines {
	const struct ek_window *window;
	const uint8_t *picture; /* its first pixel's first byte that is kept */
	size_t in_pixel, pixel; /* bytes from pixel to pixel, in the picture and kept */
	uint8_t pad; /* bytes of the padding */
	bool flip; /* the upper bit of every byte */
	uint32_t n; /* lines, 0: the picture itself */
	uint32_t *held; /* [n], 1 + the number of the input row, padding included; 0: nothing */
	uint8_t *bytes;
	size_t line; /* bytes of one */
};

/* Input positions that the filter spans. */
static inline uint64_t lines_reach(const struct ek_window_axis *axis)
{
	return (uint64_t)(axis->taps - 1) * axis->dilation + 1;
}

/* Input positions that all outputs together ask for, from the first of the padding on. */
static inline uint64_t lines_span(const struct ek_window_axis *axis)
{
	uint64_t steps = axis->out ? axis->out - 1 : 0;
	return steps * axis->stride + lines_reach(axis);
}

static inline bool lines_stay_inside(const struct ek_window *w)
{
	return w->y.pad == 0 && lines_span(&w->y) <= w->y.in && w->x.pad == 0 &&
		lines_span(&w->x) <= w->x.in;
}

static inline uint64_t lines_round(uint64_t bytes)
{
	return (bytes + 63) & ~(uint64_t)63;
}

static inline uint64_t lines_line(const struct ek_window *w, uint64_t pixel)
{
	uint64_t wide = lines_span(&w->x), in = w->x.pad + (uint64_t)w->x.in;
	return lines_round((wide > in ? wide : in) * pixel + LINES_SLACK);
}

/* Scratch of lines that keep @pixel bytes of each pixel. */
static inline uint64_t lines_scratch_bytes(const struct ek_window *w, uint64_t pixel)
{
	uint64_t n = lines_reach(&w->y);
	return lines_round(n * sizeof(uint32_t)) + n * lines_line(w, pixel);
}

/*
 * True where lines are worth their memory and their padding, which is written for every line: not for a
 * filter so far dilated that it is much larger than what it sees. A picture can be one pixel wide, and
 * a batch of a million pictures one row high.
 */
static inline bool lines_fit(const struct ek_window *w, uint64_t pixel)
{
	uint64_t line = lines_line(w, pixel), reach = lines_reach(&w->y);
	return reach < LINES_MOST / line && reach <= LINES_FEW + LINES_BEYOND * w->y.in &&
		line <= LINES_SHORT + LINES_BEYOND * w->x.in * pixel;
}

/* @l has everything up to flip; @scratch of lines_scratch_bytes(), 64-byte aligned. */
static inline void lines_init(struct lines *l, void *scratch)
{
	l->n = (uint32_t)lines_reach(&l->window->y);
	l->held = scratch;
	l->bytes = (uint8_t *)scratch + lines_round(l->n * sizeof(uint32_t));
	l->line = (size_t)lines_line(l->window, l->pixel);
	memset(l->held, 0, l->n * sizeof(*l->held));
}

static inline void lines_flip(uint8_t *bytes, size_t n)
{
	size_t i = 0;
#if defined(__AVX2__)
	const __m256i upper = _mm256_set1_epi8(-128);
	for (; i + 32 <= n; i += 32) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(bytes + i));
		_mm256_storeu_si256((__m256i *)(bytes + i), _mm256_xor_si256(x, upper));
	}
#endif
	for (; i < n; i++) {
		bytes[i] ^= 0x80;
	}
}

/* Stores as wide as the loads that follow soon: two halves are not handed on to one whole. */
static inline void lines_copy_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t i = 0;
#if defined(__AVX512F__)
	for (; i + 64 <= n; i += 64) {
		_mm512_storeu_si512(to + i, _mm512_loadu_si512(from + i));
	}
#endif
#if defined(__AVX2__)
	for (; i + 32 <= n; i += 32) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(from + i));
		_mm256_storeu_si256((__m256i *)(to + i), x);
	}
#endif
	for (; i + 16 <= n; i += 16) {
		memcpy(to + i, from + i, 16);
	}
	for (; i + 4 <= n; i += 4) {
		memcpy(to + i, from + i, 4);
	}
	for (; i < n; i++) {
		to[i] = from[i];
	}
}

static inline void lines_copy(const struct lines *l, const uint8_t *from, uint8_t *to)
{
	size_t pixels = l->window->x.in;
	if (l->pixel == l->in_pixel) {
		lines_copy_bytes(to, from, pixels * l->pixel);
	} else {
		for (size_t i = 0; i < pixels; i++, from += l->in_pixel) {
			lines_copy_bytes(to + i * l->pixel, from, l->pixel);
		}
	}
	if (l->flip) {
		lines_flip(to, pixels * l->pixel);
	}
}

/* Input row @row, counted from the first of the padding on. */
static inline const uint8_t *lines_at(struct lines *l, uint32_t row)
{
	const struct ek_window_axis *y = &l->window->y, *x = &l->window->x;
	if (l->n == 0) {
		return l->picture + row * (x->in * l->in_pixel);
	}
	uint32_t slot = row % l->n;
	uint8_t *line = l->bytes + slot * l->line;
	if (l->held[slot] == row + 1) {
		return line;
	}
	l->held[slot] = row + 1;
	if (row < y->pad || row - y->pad >= y->in) {
		memset(line, l->pad, l->line);
		return line;
	}
	size_t before = x->pad * l->pixel, width = x->in * l->pixel;
	memset(line, l->pad, before);
	lines_copy(l, l->picture + (row - y->pad) * (x->in * l->in_pixel), line + before);
	memset(line + before + width, l->pad, l->line - before - width);
	return line;
}

#endif
