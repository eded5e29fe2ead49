/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With dot products: four rows that taps read lie in turns, byte by byte, so that one SDOT takes four
 * taps of one column for each of four channels. The strips of those "fours" are
 * [taps of y / 4][columns][4 vectors][4 channels][4 rows]. A filter of up to three rows that moves by
 * one row leaves room for another: the output row below reads the same strips, with its weights one
 * row lower.
 */
#include "kernels/arm/strips_neon.h"

#define FOUR 4 /* rows */
#define FOUR_BYTES 64 /* of a column: 16 channels of four rows */
#define PIXELS_3 3 /* that the filter of three columns makes at once */

static uint32_t fours_of(const struct ek_window *w)
{
	return (w->y.taps + FOUR - 1) / FOUR;
}

/* Output rows that one set of strips serves: 1 or 2. */
static uint32_t rows_at_once(const struct ek_window *w)
{
	return w->y.stride == 1 && w->y.dilation == 1 && w->y.taps % FOUR != 0 ? 2 : 1;
}

static uint64_t scratch_bytes(const struct ek_depthwise_shape *shape)
{
	const struct ek_window *w = &shape->window;
	return fours_of(w) * strips_width(&w->x) * FOUR_BYTES;
}

static size_t set_bytes(const struct ek_window *w)
{
	return (size_t)fours_of(w) * w->x.taps * 64;
}

static void place(
	const struct ek_window *w, uint32_t ky, uint32_t kx, uint32_t n, size_t ret_places[2])
{
	for (uint32_t low = 0; low < 2; low++) {
		uint32_t y = ky + low;
		size_t four = ((size_t)(y / FOUR) * w->x.taps + kx) * 64;
		ret_places[low] = low * set_bytes(w) + four + n * FOUR + y % FOUR;
	}
	if (rows_at_once(w) == 1) {
		ret_places[1] = SIZE_MAX;
	}
}

/* Rows of bytes in turns: 16 channels of four rows. */
ALWAYS_INLINE void put_four(int8_t *to, uint8x16_t r0, uint8x16_t r1, uint8x16_t r2, uint8x16_t r3)
{
	uint8x16_t a = vzip1q_u8(r0, r2), b = vzip1q_u8(r1, r3);
	uint8x16_t c = vzip2q_u8(r0, r2), d = vzip2q_u8(r1, r3);
	vst1q_u8((uint8_t *)to, vzip1q_u8(a, b));
	vst1q_u8((uint8_t *)to + 16, vzip2q_u8(a, b));
	vst1q_u8((uint8_t *)to + 32, vzip1q_u8(c, d));
	vst1q_u8((uint8_t *)to + 48, vzip2q_u8(c, d));
}

/* One of the fours: rows of the picture, or zero points. */
struct four {
	const uint8_t *row[FOUR];
	size_t step[FOUR]; /* from pixel to pixel; 0 outside */
	bool inside; /* all of them */
	uint32_t whole; /* pixels with 16 channels inside of the input */
};

static struct four four_at(const struct strips_work *work, const uint8_t *outside, uint32_t batch,
	int64_t first, uint32_t count)
{
	const struct ek_depthwise_shape *s = &work->args->shape;
	const struct ek_window *w = &s->window;
	struct four f = {.inside = true, .whole = count};
	for (uint32_t i = 0; i < FOUR; i++) {
		int64_t y = first + (int64_t)i * w->y.dilation;
		if (y < 0 || y >= w->y.in) {
			f.row[i] = outside;
			f.step[i] = 0;
			f.inside = false;
			continue;
		}
		size_t row = (size_t)batch * w->y.in + (size_t)y;
		f.row[i] =
			(const uint8_t *)work->args->input + row * w->x.in * s->in_c + work->first;
		f.step[i] = s->in_c;
		f.whole = strips_whole(work, f.row[i], f.whole);
	}
	return f;
}

ALWAYS_INLINE uint8x16_t load(const bool flips, const uint8_t *from, uint8x16_t flip)
{
	return flips ? veorq_u8(vld1q_u8(from), flip) : vld1q_u8(from);
}

/* @count pixels of four rows, all of them inside, become strips. */
ALWAYS_INLINE void bring_inside(const bool flips, const struct strips_work *work,
	const struct four *f, int8_t *to, uint32_t count)
{
	const uint8x16_t flip = vdupq_n_u8(work->flip);
	const uint8_t *r0 = f->row[0], *r1 = f->row[1], *r2 = f->row[2], *r3 = f->row[3];
	const size_t step = work->args->shape.in_c;
#pragma GCC unroll 2
	for (size_t at = 0; count > 0; count--, at += step, to += FOUR_BYTES) {
		put_four(to, load(flips, r0 + at, flip), load(flips, r1 + at, flip),
			load(flips, r2 + at, flip), load(flips, r3 + at, flip));
	}
}

/* The same pixel by pixel, with rows outside, and where 16 channels are not inside of the input. */
static void bring_some(const struct strips_work *work, const struct four *f, int8_t *to,
	uint32_t from, uint32_t end)
{
	const uint8x16_t flip = vdupq_n_u8(work->flip);
	for (uint32_t x = from; x < end; x++, to += FOUR_BYTES) {
		uint8x16_t rows[FOUR];
#pragma GCC unroll 4
		for (uint32_t i = 0; i < FOUR; i++) {
			const uint8_t *at = f->row[i] + x * f->step[i];
			rows[i] = veorq_u8(panel_load(at, f->whole > x ? 16 : work->n), flip);
		}
		put_four(to, rows[0], rows[1], rows[2], rows[3]);
	}
}

/* @count pixels of four rows become strips. */
static void bring(const struct strips_work *work, const struct four *f, int8_t *to, uint32_t count)
{
	uint32_t whole = f->inside ? f->whole : 0;
	if (work->flip) {
		bring_inside(true, work, f, to, whole);
	} else {
		bring_inside(false, work, f, to, whole);
	}
	bring_some(work, f, to + (size_t)whole * FOUR_BYTES, whole, count);
}

/* The strips of the output row of @pixel. */
static void bring_all(const struct strips_work *work, struct ek_pixel pixel)
{
	const struct ek_window *w = &work->args->shape.window;
	uint8_t outside[16];
	size_t bytes = (size_t)strips_width(&w->x) * FOUR_BYTES;
	int8_t *to = (int8_t *)work->scratch + (size_t)w->x.pad * FOUR_BYTES;
	uint32_t count = strips_inside(&w->x);
	int64_t y = (int64_t)pixel.y * w->y.stride - w->y.pad;
	memset(outside, work->args->input_zero, sizeof(outside));
	for (uint32_t i = 0; i < fours_of(w) && count; i++, to += bytes) {
		struct four f = four_at(
			work, outside, pixel.batch, y + (int64_t)i * FOUR * w->y.dilation, count);
		bring(work, &f, to, count);
	}
}

/* @n neighbouring pixels by three taps side by side, stride 1. */
ALWAYS_INLINE void pixels_3(
	const int n, const int8_t *from, const int8_t *weights, int32x4_t acc[STRIP_PIXELS][4])
{
	int8x16_t w[3][4];
#pragma GCC unroll 3
	for (int k = 0; k < 3; k++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			w[k][j] = vld1q_s8(weights + 64 * k + 16 * j);
		}
	}
#pragma GCC unroll 8
	for (int c = 0; c < n + 2; c++) {
		int8x16_t x[4];
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			x[j] = vld1q_s8(from + FOUR_BYTES * c + 16 * j);
		}
#pragma GCC unroll 4
		for (int u = c < 2 ? 0 : c - 2; u <= c && u < n; u++) {
#pragma GCC unroll 4
			for (int j = 0; j < 4; j++) {
				acc[u][j] = vdotq_s32(acc[u][j], x[j], w[c - u][j]);
			}
		}
	}
}

/* By any taps side by side. */
ALWAYS_INLINE void pixels_any(const int n, const struct ek_window_axis *axis, const int8_t *from,
	const int8_t *weights, int32x4_t acc[STRIP_PIXELS][4])
{
	const size_t stride = (size_t)axis->stride * FOUR_BYTES;
	const size_t dilation = (size_t)axis->dilation * FOUR_BYTES;
	for (uint32_t k = 0; k < axis->taps; k++, weights += 64, from += dilation) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			const int8x16_t w = vld1q_s8(weights + 16 * j);
			const int8_t *x = from + 16 * j;
#pragma GCC unroll 4
			for (int u = 0; u < n; u++, x += stride) {
				acc[u][j] = vdotq_s32(acc[u][j], vld1q_s8(x), w);
			}
		}
	}
}

/* Pixels [first, first + n) of an output row. */
ALWAYS_INLINE void some(const int n, const bool is_3, const enum strips_kind kind,
	const struct strips_work *work, const struct panel_output *o, const int8_t *weights,
	uint32_t first, uint8_t *to)
{
	const struct ek_window *w = &work->args->shape.window;
	const int8_t *from = (const int8_t *)work->scratch;
	int32x4_t acc[STRIP_PIXELS][4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			acc[u][j] = vld1q_s32(work->panel->start + 4 * j);
		}
	}
	if (is_3) {
		pixels_3(n, from + (size_t)first * FOUR_BYTES, weights, acc);
	} else {
		const size_t bytes = (size_t)strips_width(&w->x) * FOUR_BYTES;
		from += (size_t)first * w->x.stride * FOUR_BYTES;
		for (uint32_t i = 0; i < fours_of(w); i++, from += bytes) {
			pixels_any(n, &w->x, from, weights, acc);
			weights += (size_t)w->x.taps * 64;
		}
	}
	strips_put(n, kind, work, o, acc, to);
}

/* @count pixels of an output row. Three that are left are made together with the one before. */
ALWAYS_INLINE void pixels_of_row(const bool is_3, const enum strips_kind kind,
	const struct strips_work *work, const int8_t *weights, uint32_t first, uint32_t count,
	uint8_t *to)
{
	const size_t step = work->args->shape.out_c;
	const struct panel_output o = panel_output(work->output);
	const uint32_t n = is_3 ? PIXELS_3 : STRIP_PIXELS;
	uint32_t x = 0;
	while (x + n <= count || (x + 3 == count && x > 0)) {
		uint32_t at = product_least(x, count - n);
		some((int)n, is_3, kind, work, &o, weights, first + at, to + at * step);
		x = at + n;
	}
	if (x + 2 <= count) {
		some(2, is_3, kind, work, &o, weights, first + x, to + x * step);
		x += 2;
	}
	if (x < count) {
		some(1, is_3, kind, work, &o, weights, first + x, to + x * step);
	}
}

typedef void row_fn(const struct strips_work *work, const int8_t *weights, uint32_t first,
	uint32_t count, uint8_t *to);

#define ROW_DEFINE(name, is_3, kind)                                                               \
	static void name(const struct strips_work *work, const int8_t *weights, uint32_t first,    \
		uint32_t count, uint8_t *to)                                                       \
	{                                                                                          \
		pixels_of_row(is_3, kind, work, weights, first, count, to);                        \
	}

ROW_DEFINE(row_3_full, true, STRIPS_FULL)
ROW_DEFINE(row_3_away, true, STRIPS_AWAY)
ROW_DEFINE(row_3_other, true, STRIPS_OTHER)
ROW_DEFINE(row_any_full, false, STRIPS_FULL)
ROW_DEFINE(row_any_away, false, STRIPS_AWAY)
ROW_DEFINE(row_any_other, false, STRIPS_OTHER)

static row_fn *pick_row(const struct strips_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	const bool full = strips_kind(work) == STRIPS_FULL;
	const bool is_3 =
		w->y.taps <= FOUR && w->x.taps == 3 && w->x.stride == 1 && w->x.dilation == 1;
	if (strips_kind(work) == STRIPS_OTHER) {
		return is_3 ? row_3_other : row_any_other;
	}
	if (is_3) {
		return full ? row_3_full : row_3_away;
	}
	return full ? row_any_full : row_any_away;
}

static void run(const struct strips_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	const struct ek_tile *t = work->tile;
	size_t step = work->args->shape.out_c;
	uint32_t end = t->first_row + t->n_rows,
		 brought = UINT32_MAX; /* output row of the strips */
	row_fn *fn = pick_row(work);
	memset(work->scratch, work->args->input_zero ^ work->flip,
		(size_t)scratch_bytes(&work->args->shape));
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		const int8_t *weights = work->panel->weights;
		uint32_t output_row = row / w->x.out;
		n = product_least(w->x.out - pixel.x, end - row);
		if (rows_at_once(w) == 2 && pixel.y > 0 && output_row - 1 == brought) {
			weights += set_bytes(w);
			brought = UINT32_MAX;
		} else {
			bring_all(work, pixel);
			brought = output_row;
		}
		uint8_t *to = (uint8_t *)work->args->output + row * step + work->first;
		fn(work, weights, pixel.x, n, to);
	}
}

const struct strips_isa strips_dotprod = {
	.lowest = INT8_MIN,
	.place = place,
	.scratch_bytes = scratch_bytes,
	.run = run,
};
