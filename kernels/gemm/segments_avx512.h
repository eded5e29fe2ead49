/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments_avx512 - products of rows that lie in segments, with weights packed by panels of up to 64
 * columns: what s16_avx512vnni.c and hybrid_avx512vnni.c share
 *
 * A row of a matrix is one segment. What a pixel of a convolution sees is a segment for each row of
 * taps, or with dilation for each tap. An instruction multiplies a @group of neighbouring elements of a
 * segment, 2 or 4; the last group of a segment is filled up with zeros.
 */
#ifndef KERNELS_GEMM_SEGMENTS_AVX512_H
#define KERNELS_GEMM_SEGMENTS_AVX512_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/conv/conv.h"
#include "kernels/conv/padded_rows_x86.h"

#define PANEL_VECTORS 4
#define PANEL_COLS 64
#define TILE_ROWS 12

/* @n segments of @length elements, @room with what fills up groups. */
struct segments {
	uint32_t n, length, room, group;
};

static inline struct segments segments_of(uint32_t n, uint32_t length, uint32_t group)
{
	return (struct segments){n, length, (length + group - 1) & ~(group - 1), group};
}

static inline struct segments segments_of_conv(const struct ek_conv_shape *s, uint32_t group)
{
	const struct ek_window *w = &s->window;
	bool apart = w->x.dilation > 1;
	return segments_of(
		w->y.taps * (apart ? w->x.taps : 1), (apart ? 1 : w->x.taps) * s->in_c, group);
}

static inline uint32_t segments_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Elements of a row. */
static inline size_t segments_row(const struct segments *s)
{
	return (size_t)s->n * s->room;
}

/* Bytes of the packed weights. */
static inline uint64_t segments_bytes(uint32_t cols, const struct segments *s)
{
	return ((uint64_t)cols + 15) / 16 * 16 * segments_row(s);
}

/* Vectors of the panel whose first column is @first. */
static inline uint32_t segments_vectors(uint32_t cols, uint32_t first)
{
	return segments_least((cols - first + 15) / 16, PANEL_VECTORS);
}

/* @w: [cols][n][length]. Becomes, for each panel and each group, [vector][16 columns][group]. */
static inline void segments_pack(
	const int8_t *w, uint32_t cols, const struct segments *s, int8_t *to)
{
	size_t depth = (size_t)s->n * s->length;
	for (uint32_t first = 0; first < cols; first += PANEL_COLS) {
		uint32_t width = segments_vectors(cols, first) * 16;
		for (size_t k = 0; k < segments_row(s); k += s->group) {
			for (uint32_t i = 0; i < width * s->group; i++) {
				uint32_t n = first + i / s->group;
				uint32_t at = (uint32_t)(k % s->room) + i % s->group;
				size_t from = n * depth + k / s->room * s->length + at;
				*to++ = n < cols && at < s->length ? w[from] : 0;
			}
		}
	}
}

/* A convolution whose input is a matrix as it is. */
static inline bool segments_dense(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 &&
		y->out == y->in && x->out == x->in;
}

static inline uint64_t segments_at_bytes(uint32_t n)
{
	return lines_round(n * sizeof(void *));
}

/* Where the segments of the output pixel @pixel are. */
static inline void segments_aim(
	const struct segments *s, struct lines *l, struct ek_pixel pixel, const void **ret_at)
{
	const struct ek_window *w = l->window;
	for (uint32_t k = 0, parts = s->n / w->y.taps; k < s->n; k++) {
		size_t x = (size_t)pixel.x * w->x.stride + k % parts * w->x.dilation;
		uint32_t y = pixel.y * w->y.stride + k / parts * w->y.dilation;
		ret_at[k] = lines_at(l, y) + x * l->pixel;
	}
}

/* Some columns of a product. */
struct segments_columns {
	const int8_t *weights; /* of the panel */
	uint32_t first, n;
};

/* @n rows of the product @job by one panel of as many vectors as the function is for. */
typedef void segments_panel_fn(const void *job, const struct segments_columns *c, size_t n);

/* @n rows by the columns from @first on, up to @end, of @cols in all. */
static inline void segments_run(segments_panel_fn *const panels[PANEL_VECTORS], const void *job,
	const int8_t *weights, uint32_t cols, const struct segments *s, size_t n, uint32_t first,
	uint32_t end)
{
	for (uint32_t at = first; at < end; at += PANEL_COLS) {
		const struct segments_columns c = {
			weights + at * segments_row(s), at, segments_least(end - at, PANEL_COLS)};
		panels[segments_vectors(cols, at) - 1](job, &c, n);
	}
}

/* A segments_panel_fn of tile(job, c, row, rows, vectors), for @most rows at a time, then so many. */
#define SEGMENTS_PANEL(vectors, most, second, third)                                               \
	static void panel_##vectors(const void *job, const struct segments_columns *c, size_t n)   \
	{                                                                                          \
		size_t row = 0;                                                                    \
		for (; row + (most) <= n; row += (most)) {                                         \
			tile(job, c, row, most, vectors);                                          \
		}                                                                                  \
		for (; row + (second) <= n; row += (second)) {                                     \
			tile(job, c, row, second, vectors);                                        \
		}                                                                                  \
		for (; (third) > 1 && row + (third) <= n; row += (third)) {                        \
			tile(job, c, row, third, vectors);                                         \
		}                                                                                  \
		for (; row < n; row++) {                                                           \
			tile(job, c, row, 1, vectors);                                             \
		}                                                                                  \
	}

#endif
