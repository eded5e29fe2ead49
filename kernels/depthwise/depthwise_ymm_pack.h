/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_ymm_pack - how a depthwise convolution is gone through by depthwise_ymm.h, and its weights
 *
 * Of a panel of channels, rows of the picture are laid in turns: a strip, whose columns are
 * [groups][vectors][lanes] of four bytes, SOURCE_CODES rows each. One dot product then sums a part of
 * a column of taps. With a stride of 1 a strip serves two output rows where that takes no group more:
 * the lower one's weights are a row further down.
 *
 * Packed weights: a struct float_requant_panel for each panel, then for each panel
 * [parts][columns][groups][output rows][vectors][lanes] of four bytes, zero beyond the filter.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_YMM_PACK_H
#define KERNELS_DEPTHWISE_DEPTHWISE_YMM_PACK_H

#include "kernels/conv/conv_args.h"
#include "kernels/requant/float_requant_make_x86.h"

#define STRIP_BYTES (VEC_WIDE ? 16384 : 12288) /* of columns */
#define STRIP_MOST 64 /* outputs of a row */
#define STRIP_ROWS 64 /* input rows of a strip, at most */
#define STRIP_PIXELS 8 /* outputs that are made at once, at most */

static inline uint32_t strip_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* A picture one pixel wide, which sound is, lies on its side: all its outputs are of one row. */
static inline struct ek_conv_shape strip_shape(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *x = &s->window.x;
	struct ek_conv_shape on_side = *s;
	if (x->in == 1 && x->out == 1 && x->taps == 1 && x->pad == 0) {
		on_side.window.x = s->window.y;
		on_side.window.y = *x;
	}
	return on_side;
}

struct strip_plan {
	uint32_t out_rows; /* of a strip */
	uint32_t in_rows, groups;
	bool wide; /* blocks of 32 channels, while there are as many (depthwise_ymm_wide.h) */
	size_t column; /* bytes, of two vectors, or of the four of a block */
	uint64_t reach; /* columns of a filter */
	uint32_t pixels; /* of an output row that a strip has room for, or 0 */
};

static inline uint32_t groups_of(uint32_t rows)
{
	return (rows + SOURCE_CODES - 1) / SOURCE_CODES;
}

/* Filters of which two panels go side by side. */
static inline bool strip_is_wide(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return VEC_WIDE && s->out_c >= 2 * VEC_COLS && x->taps == 3 && y->taps == 3 &&
		x->dilation == 1 && y->dilation == 1 && x->stride == y->stride && x->stride <= 2;
}

static inline struct strip_plan strip_plan_of(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	struct strip_plan p = {.out_rows = 1, .in_rows = y->taps};
	if (y->stride == 1 && y->dilation == 1 && groups_of(y->taps) == groups_of(y->taps + 1)) {
		p.out_rows = 2;
		p.in_rows = y->taps + 1;
	}
	p.groups = groups_of(p.in_rows);
	p.wide = strip_is_wide(s);
	p.column = (size_t)p.groups * (p.wide ? 4 : 2) * VEC_BYTES;
	p.reach = (uint64_t)(x->taps - 1) * x->dilation + 1;
	uint64_t columns = STRIP_BYTES / p.column, stride = x->stride;
	uint64_t pixels = columns < p.reach ? 0 : (columns - p.reach) / stride + 1;
	pixels = pixels < STRIP_MOST ? pixels / STRIP_PIXELS * STRIP_PIXELS : STRIP_MOST;
	p.pixels = (uint32_t)pixels;
	return p;
}

/* What is gone through here: the rest is entry 0's, more than one output channel of an input channel
 * and filters that are too large. */
static inline bool strip_is_walked(const struct ek_conv_shape *s)
{
	return s->in_c == s->out_c && s->window.y.taps < STRIP_ROWS && s->window.x.stride < 64 &&
		strip_plan_of(s).pixels > 0;
}

static inline uint32_t panels_of(const struct ek_conv_shape *s)
{
	return (uint32_t)(((uint64_t)s->out_c + VEC_COLS - 1) / VEC_COLS);
}

/* Of the panel whose first channel is @first. */
static inline uint32_t vectors_at(const struct ek_conv_shape *s, uint32_t first)
{
	return s->out_c - first <= VEC_LANES ? 1 : 2;
}

/* Whether the panel whose first channel is @first is one of two side by side. */
static inline bool strip_is_block(
	const struct ek_conv_shape *s, const struct strip_plan *p, uint32_t first)
{
	return p->wide && s->out_c - first / (2 * VEC_COLS) * (2 * VEC_COLS) >= 2 * VEC_COLS;
}

/* Channel @i of a panel. Of a block each 128 bits of its four vectors are 16 neighbours. */
static inline uint32_t strip_channel(bool block, uint32_t first, uint32_t i)
{
	const uint32_t half = VEC_COLS / 2, odd = first / VEC_COLS % 2;
	return block ? first - odd * half + i / half * VEC_COLS + i % half : first + i;
}

/* Bytes of the weights of a vector, one part of them. */
static inline size_t part_bytes(const struct ek_conv_shape *s, const struct strip_plan *p)
{
	return (size_t)s->window.x.taps * p->groups * p->out_rows * VEC_BYTES;
}

static inline const uint8_t *strip_weights(const struct ek_conv_shape *s,
	const struct strip_plan *p, uint32_t parts, const void *packed, uint32_t first)
{
	const uint8_t *weights =
		(const uint8_t *)((const struct float_requant_panel *)packed + panels_of(s));
	return weights + first / VEC_LANES * parts * part_bytes(s, p);
}

static uint64_t packed_bytes(const struct ek_conv_shape *s, bool is_signed)
{
	if (!strip_is_walked(s)) {
		return 0;
	}
	const struct strip_plan p = strip_plan_of(s);
	uint64_t panels = panels_of(s), last = (panels - 1) * VEC_COLS;
	uint64_t vectors = 2 * (panels - 1) + vectors_at(s, (uint32_t)last);
	return panels * sizeof(struct float_requant_panel) +
		vectors * (is_signed ? 1 : SOURCE_PARTS) * part_bytes(s, &p);
}

uint64_t YMM(ek_depthwise_s8_packed_bytes)(const struct ek_conv_shape *shape)
{
	const struct ek_conv_shape s = strip_shape(shape);
	return packed_bytes(&s, true);
}

uint64_t YMM(ek_depthwise_u8_packed_bytes)(const struct ek_conv_shape *shape)
{
	const struct ek_conv_shape s = strip_shape(shape);
	return packed_bytes(&s, false);
}

static int32_t weight(const struct ek_conv_q *a, bool is_signed, size_t tap, uint32_t channel)
{
	size_t at = tap * a->shape.out_c + channel;
	return is_signed ? ((const int8_t *)a->weights)[at]
			 : ((const uint8_t *)a->weights)[at] - a->weights_zero;
}

/* A channel, and in how many parts its weights are. */
static struct float_requant_channel channel_of(
	const struct ek_conv_q *a, const struct source *source, uint32_t channel, int32_t *parts)
{
	uint32_t sum = 0;
	uint64_t size = 0;
	for (size_t tap = 0; tap < (size_t)a->shape.window.y.taps * a->shape.window.x.taps; tap++) {
		int32_t w = weight(a, source->is_signed, tap, channel);
		sum += (uint32_t)w;
		size += (uint32_t)(w < 0 ? -w : w);
		while (*parts < SOURCE_PARTS && source_part(w, (uint32_t)*parts)) {
			++*parts;
		}
	}
	int32_t bias = a->bias32 ? a->bias32[channel] : 0;
	return (struct float_requant_channel){.scale = a->scale[channel],
		.start = source_start_strip(source, bias, sum),
		.bias = bias,
		.reach = size * 255};
}

/* Part @part of the weights of channel @channel, for the lane that begins at @to. */
static void pack_lane(const struct ek_conv_q *a, bool is_signed, const struct strip_plan *p,
	uint32_t part, uint32_t channel, uint32_t vectors, source_weight *to)
{
	const uint32_t taps_y = a->shape.window.y.taps, taps_x = a->shape.window.x.taps;
	const size_t step = (size_t)vectors * VEC_LANES * SOURCE_CODES;
	for (uint32_t x = 0; x < taps_x; x++) {
		for (uint32_t row = 0; row < taps_y * p->out_rows; row++) {
			uint32_t down = row / taps_y, tap = row % taps_y, at = tap + down;
			int32_t w = weight(a, is_signed, (size_t)tap * taps_x + x, channel);
			size_t group = (size_t)x * p->groups + at / SOURCE_CODES;
			to[(group * p->out_rows + down) * step + at % SOURCE_CODES] =
				(source_weight)source_part(w, part);
		}
	}
}

static void pack_panel(const struct ek_conv_q *a, const struct source *source,
	const struct strip_plan *p, uint32_t first, struct float_requant_panel *panel,
	source_weight *to)
{
	const struct float_requant_output output = {
		a->output_zero, a->lo, a->hi, source->is_signed};
	const uint32_t vectors = vectors_at(&a->shape, first);
	const uint32_t n = strip_least(a->shape.out_c - first, VEC_COLS);
	const bool block = strip_is_block(&a->shape, p, first);
	struct float_requant_channel channels[VEC_COLS] = {0};
	int32_t parts = 1;
	for (uint32_t i = 0; i < n; i++) {
		channels[i] = channel_of(a, source, strip_channel(block, first, i), &parts);
	}
	float_requant_panel_make(panel, (int)vectors, channels, &output);
	panel->sums = parts;
	const size_t part = part_bytes(&a->shape, p) * vectors / sizeof(*to);
	for (uint32_t at = 0; at < (uint32_t)parts * vectors * VEC_LANES; at++) {
		uint32_t lane = at % (vectors * VEC_LANES), of = at / (vectors * VEC_LANES);
		uint32_t i = VEC_CHANNEL(vectors, lane / VEC_LANES, lane % VEC_LANES);
		if (i < n) {
			pack_lane(a, source->is_signed, p, of, strip_channel(block, first, i),
				vectors, to + of * part + (size_t)lane * SOURCE_CODES);
		}
	}
}

static __attribute__((noinline)) void pack_panels(
	const struct ek_conv_q *a, bool is_signed, void *packed)
{
	struct float_requant_panel *panels = packed;
	const struct source source = {is_signed, a->input_zero};
	const struct strip_plan p = strip_plan_of(&a->shape);
	memset(packed, 0, (size_t)packed_bytes(&a->shape, is_signed));
	for (uint32_t n = 0; n < a->shape.out_c; n += VEC_COLS) {
		const uint8_t *to =
			strip_weights(&a->shape, &p, is_signed ? 1 : SOURCE_PARTS, packed, n);
		pack_panel(
			a, &source, &p, n, &panels[n / VEC_COLS], (source_weight *)(uintptr_t)to);
	}
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	unsigned floats = float_requant_begin();
	struct ek_conv_q args = *a;
	args.shape = strip_shape(&a->shape);
	pack_panels(&args, is_signed, packed);
	float_requant_end(floats);
}

void YMM(ek_depthwise_s8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_depthwise_u8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}

#endif
