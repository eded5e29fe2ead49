/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without dot products: strips are [columns][16 channels], and a ring has those of as many rows of
 * the picture as the filter spans. Two taps' products are summed in 16 bits, as in gemm_neon.c.
 */
#include "kernels/depthwise/row_buffer_neon.h"

/* Rows of the ring. */
static uint32_t ring_rows(const struct ek_window_axis *y)
{
	uint64_t span = (uint64_t)(y->taps - 1) * y->dilation + 1;
	return span < y->in ? (uint32_t)span : y->in;
}

/* Room for @n of @bytes each. */
static uint64_t room(uint64_t n, uint64_t bytes)
{
	return (n * bytes + 63) & ~(uint64_t)63;
}

/* The strip outside of the picture, the ring, whose row each strip of it is, where taps read. */
uint64_t row_buffer_scratch_bytes(const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	return room(ring_rows(&w->y) + 1, row_buffer_width(&w->x) * 16) +
		room(ring_rows(&w->y), sizeof(uint32_t)) +
		room((uint64_t)w->y.taps + row_buffer_taps(w) + 1, sizeof(int8_t *));
}

struct ring {
	int8_t *outside, *strips;
	uint32_t *row; /* of all batch entries, and one */
	const int8_t **rows; /* [taps of y] of an output row */
	const int8_t **at; /* [taps] likewise, an even number */
	size_t bytes; /* of a strip */
	uint32_t n;
	uint32_t inside; /* columns of the picture in a strip */
};

static struct ring ring_init(const struct row_buffer_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	struct ring ring = {.outside = work->scratch,
		.n = ring_rows(&w->y),
		.inside = row_buffer_inside(&w->x)};
	ring.bytes = (size_t)row_buffer_width(&w->x) * 16;
	ring.strips = ring.outside + ring.bytes;
	ring.row = (uint32_t *)(ring.outside + room(ring.n + 1, ring.bytes));
	ring.rows = (const int8_t **)((char *)ring.row + room(ring.n, sizeof(*ring.row)));
	ring.at = ring.rows + w->y.taps;
	memset(ring.outside, work->args->input_zero ^ work->flip, (ring.n + 1) * ring.bytes);
	memset(ring.row, 0, ring.n * sizeof(*ring.row));
	return ring;
}

/* @count pixels whose 16 bytes are inside become a strip. */
ALWAYS_INLINE void bring_whole(const bool flips, int8_t *to, const uint8_t *from, size_t step,
	uint8x16_t flip, uint32_t count)
{
#pragma GCC unroll 4
	for (; count > 0; count--, from += step, to += 16) {
		const uint8x16_t x = vld1q_u8(from);
		vst1q_u8((uint8_t *)to, flips ? veorq_u8(x, flip) : x);
	}
}

/* @count pixels of the picture become a strip. */
static void bring(
	const struct row_buffer_work *work, int8_t *to, const uint8_t *from, const uint32_t count)
{
	const size_t step = work->args->shape.in_c;
	const uint8x16_t flip = vdupq_n_u8(work->flip);
	const uint32_t whole = row_buffer_whole(work, from, count);
	if (work->flip) {
		bring_whole(true, to, from, step, flip, whole);
	} else {
		bring_whole(false, to, from, step, flip, whole);
	}
	to += (size_t)whole * 16;
	from += whole * step;
	for (uint32_t x = whole; x < count; x++, from += step, to += 16) {
		vst1q_u8((uint8_t *)to, veorq_u8(panel_load(from, work->n), flip));
	}
}

/* Row @row of all pictures becomes a strip. */
static void bring_row(
	const struct row_buffer_work *work, const struct ring *ring, int8_t *to, uint32_t row)
{
	const struct ek_conv_shape *s = &work->args->shape;
	const struct ek_window_axis *ax = &s->window.x;
	if (ring->inside) {
		const uint8_t *from = (const uint8_t *)work->args->input +
			(size_t)row * ax->in * s->in_c + work->first;
		bring(work, to + (size_t)ax->pad * 16, from, ring->inside);
	}
}

/* Row @y of the picture of entry @batch. */
static const int8_t *strip(
	const struct row_buffer_work *work, const struct ring *ring, uint32_t batch, int64_t y)
{
	const struct ek_window_axis *ay = &work->args->shape.window.y;
	if (y < 0 || y >= ay->in) {
		return ring->outside;
	}
	uint32_t slot = (uint32_t)y % ring->n, row = batch * ay->in + (uint32_t)y;
	int8_t *to = ring->strips + slot * ring->bytes;
	if (ring->row[slot] != row + 1) {
		bring_row(work, ring, to, row);
		ring->row[slot] = row + 1;
	}
	return to;
}

/* Where the rows of taps of the output row of @pixel read. @next: they read for the row above it, so
 * that some of them need but change places. */
static void aim(const struct row_buffer_work *work, const struct ring *ring, struct ek_pixel pixel,
	bool next)
{
	const struct ek_window_axis *ay = &work->args->shape.window.y;
	int64_t y = (int64_t)pixel.y * ay->stride - ay->pad;
	uint32_t ky = 0;
	if (next && ay->dilation == 1) {
		for (; ky + ay->stride < ay->taps; ky++, y++) {
			ring->rows[ky] = ring->rows[ky + ay->stride];
		}
	}
	for (; ky < ay->taps; ky++, y += ay->dilation) {
		ring->rows[ky] = strip(work, ring, pixel.batch, y);
	}
}

/* The same tap by tap. */
static void aim_taps(const struct row_buffer_work *work, const struct ring *ring)
{
	const struct ek_window *w = &work->args->shape.window;
	uint32_t tap = 0;
	for (uint32_t ky = 0; ky < w->y.taps; ky++) {
		for (uint32_t kx = 0; kx < w->x.taps; kx++) {
			ring->at[tap++] = ring->rows[ky] + (size_t)kx * w->x.dilation * 16;
		}
	}
	ring->at[tap] = ring->at[0];
}

ALWAYS_INLINE void start(const int n, const struct gemm_panel *p, int32x4_t acc[][4])
{
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			acc[u][j] = vld1q_s32(p->start + 4 * j);
		}
	}
}

/* Products of 16 channels, 8 in each, become part of the sums. */
ALWAYS_INLINE void add(int32x4_t sums[4], int16x8_t low, int16x8_t high)
{
	sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
	sums[2] = vaddw_s16(sums[2], vget_low_s16(high));
#if defined(__aarch64__)
	sums[1] = vaddw_high_s16(sums[1], low);
	sums[3] = vaddw_high_s16(sums[3], high);
#else
	sums[1] = vaddw_s16(sums[1], vget_high_s16(low));
	sums[3] = vaddw_s16(sums[3], vget_high_s16(high));
#endif
}

ALWAYS_INLINE void add_one(int32x4_t sums[4], int8x16_t x, int8x16_t w)
{
#if defined(__aarch64__)
	add(sums, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
#else
	add(sums, vmull_s8(vget_low_s8(x), vget_low_s8(w)),
		vmull_s8(vget_high_s8(x), vget_high_s8(w)));
#endif
}

ALWAYS_INLINE void add_two(
	int32x4_t sums[4], int8x16_t x0, int8x16_t w0, int8x16_t x1, int8x16_t w1)
{
	int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
	low = vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1));
#if defined(__aarch64__)
	int16x8_t high = vmlal_high_s8(vmull_high_s8(x0, w0), x1, w1);
#else
	int16x8_t high = vmull_s8(vget_high_s8(x0), vget_high_s8(w0));
	high = vmlal_s8(high, vget_high_s8(x1), vget_high_s8(w1));
#endif
	add(sums, low, high);
}

#define FILTER3_COLUMNS (2 * STRIP_PIXELS + 1) /* that pixels read, at most: stride 2 */

/* What @n pixels read of one row. */
ALWAYS_INLINE void load_row(
	const int n, const int stride, const int8_t *from, int8x16_t x[FILTER3_COLUMNS])
{
	/* A register for each row, whose columns lie at constant distances: compilers would rather share
	 * a column's distance between the rows, and then read one by one. */
	__asm__("" : "+r"(from));
#pragma GCC unroll 9
	for (int c = 0; c < (n - 1) * stride + 3; c++) {
		x[c] = vld1q_s8(from + 16 * c);
	}
}

/* Tap @t of row @x and tap @t2 of row @x2; their weights lie side by side. */
ALWAYS_INLINE void add_taps(const int n, const int stride, const int8_t *weights,
	const int8x16_t *x, const int t, const int8x16_t *x2, const int t2,
	int32x4_t acc[STRIP_PIXELS][4])
{
	const int8x16_t w = vld1q_s8(weights), w2 = vld1q_s8(weights + 16);
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
		add_two(acc[u], x[u * stride + t], w, x2[u * stride + t2], w2);
	}
}

/* @n neighbouring pixels whose first reads at rows + @at: a filter of 3x3, not dilated. Rows are in
 * registers one after the other. */
ALWAYS_INLINE void pixels3x3(const int n, const int stride, const int8_t *const *rows, size_t at,
	const int8_t *w, int32x4_t acc[STRIP_PIXELS][4])
{
	int8x16_t x0[FILTER3_COLUMNS], x1[FILTER3_COLUMNS], x2[FILTER3_COLUMNS];
	load_row(n, stride, rows[0] + at, x0);
	add_taps(n, stride, w, x0, 0, x0, 1, acc);
	load_row(n, stride, rows[1] + at, x1);
	add_taps(n, stride, w + 32, x0, 2, x1, 0, acc);
	add_taps(n, stride, w + 64, x1, 1, x1, 2, acc);
	load_row(n, stride, rows[2] + at, x2);
	add_taps(n, stride, w + 96, x2, 0, x2, 1, acc);
	const int8x16_t last = vld1q_s8(w + 128);
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
		add_one(acc[u], x2[u * stride + 2], last);
	}
}

/* Any filter of @taps taps, of which the first pixel's read at from[t] + @at. */
ALWAYS_INLINE void pixels_any(const int n, size_t stride, const int8_t *const *from, uint32_t taps,
	size_t at, const struct gemm_panel *p, int32x4_t acc[STRIP_PIXELS][4])
{
	const int8_t *w = p->weights;
	for (uint32_t t = 0; t < taps; t += 2, w += 32) {
		const int8_t *x0 = from[t] + at, *x1 = from[t + 1] + at;
		const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16);
#pragma GCC unroll 4
		for (int u = 0; u < n; u++, x0 += stride, x1 += stride) {
			add_two(acc[u], vld1q_s8(x0), w0, vld1q_s8(x1), w1);
		}
	}
}

/* Likewise with weights of 16 bits. */
ALWAYS_INLINE void pixels_wide(const int n, size_t stride, const int8_t *const *from, uint32_t taps,
	size_t at, const struct gemm_panel *p, int32x4_t acc[STRIP_PIXELS][4])
{
	const int16_t *w = (const int16_t *)p->weights;
	for (uint32_t t = 0; t < taps; t++, w += 16) {
		const int8_t *x = from[t] + at;
		const int16x8_t w0 = vld1q_s16(w), w1 = vld1q_s16(w + 8);
#pragma GCC unroll 4
		for (int u = 0; u < n; u++, x += stride) {
			int8x16_t codes = vld1q_s8(x);
			int16x8_t x0 = vmovl_s8(vget_low_s8(codes));
			int16x8_t x1 = vmovl_s8(vget_high_s8(codes));
			acc[u][0] = vmlal_s16(acc[u][0], vget_low_s16(x0), vget_low_s16(w0));
			acc[u][1] = vmlal_s16(acc[u][1], vget_high_s16(x0), vget_high_s16(w0));
			acc[u][2] = vmlal_s16(acc[u][2], vget_low_s16(x1), vget_low_s16(w1));
			acc[u][3] = vmlal_s16(acc[u][3], vget_high_s16(x1), vget_high_s16(w1));
		}
	}
}

enum filter {
	FILTER_ANY,
	FILTER_3X3_S1,
	FILTER_3X3_S2,
	FILTER_WIDE
};

/* Pixels [first, first + n) of an output row. */
ALWAYS_INLINE void some(const int n, const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work, const struct ring *ring, const struct panel_output *o,
	uint32_t first, uint8_t *to)
{
	const struct ek_window *w = &work->args->shape.window;
	const size_t stride = w->x.stride * 16, at = first * stride;
	int32x4_t acc[STRIP_PIXELS][4];
	start(n, work->panel, acc);
	if (filter == FILTER_3X3_S1) {
		pixels3x3(n, 1, ring->rows, at, work->panel->weights, acc);
	} else if (filter == FILTER_3X3_S2) {
		pixels3x3(n, 2, ring->rows, at, work->panel->weights, acc);
	} else if (filter == FILTER_WIDE) {
		pixels_wide(n, stride, ring->at, row_buffer_taps(w), at, work->panel, acc);
	} else {
		pixels_any(n, stride, ring->at, row_buffer_taps(w), at, work->panel, acc);
	}
	row_buffer_put(n, kind, work, o, acc, to);
}

/* @count pixels of an output row. Three that are left are made together with the one before. */
ALWAYS_INLINE void pixels_of_row(const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work, const struct ring *ring, const struct panel_output *o,
	uint32_t first, uint32_t count, uint8_t *to)
{
	const size_t step = work->args->shape.out_c;
	uint32_t x = 0;
	while (x + STRIP_PIXELS <= count || (x + 3 == count && x > 0)) {
		uint32_t at = gemm_least(x, count - STRIP_PIXELS);
		some(STRIP_PIXELS, filter, kind, work, ring, o, first + at, to + at * step);
		x = at + STRIP_PIXELS;
	}
	if (x + 2 <= count) {
		some(2, filter, kind, work, ring, o, first + x, to + x * step);
		x += 2;
	}
	if (x < count) {
		some(1, filter, kind, work, ring, o, first + x, to + x * step);
	}
}

/* All rows of the tile. */
ALWAYS_INLINE void rows_of_tile(const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	const struct ring ring = ring_init(work);
	const struct panel_output o = panel_output(work->output);
	const size_t step = work->args->shape.out_c;
	uint32_t left = work->tile->n_rows;
	struct ek_pixel pixel = ek_window_pixel(w, work->tile->first_row);
	uint8_t *to = (uint8_t *)work->args->output + work->tile->first_row * step + work->first;
	for (bool next = false; left > 0; next = pixel.y > 0) {
		const uint32_t n = gemm_least(w->x.out - pixel.x, left);
		aim(work, &ring, pixel, next);
		if (filter == FILTER_ANY || filter == FILTER_WIDE) {
			aim_taps(work, &ring);
		}
		pixels_of_row(filter, kind, work, &ring, &o, pixel.x, n, to);
		to += n * step;
		left -= n;
		pixel.x = 0;
		if (++pixel.y == w->y.out) {
			pixel.y = 0;
			pixel.batch++;
		}
	}
}

typedef void rows_fn(const struct row_buffer_work *work);

#define ROWS_DEFINE(name, filter, kind)                                                            \
	static void name(const struct row_buffer_work *work)                                       \
	{                                                                                          \
		rows_of_tile(filter, kind, work);                                                  \
	}

ROWS_DEFINE(rows_3x3_s1_full, FILTER_3X3_S1, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_3x3_s1_away, FILTER_3X3_S1, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_3x3_s1_other, FILTER_3X3_S1, ROW_BUFFER_OTHER)
ROWS_DEFINE(rows_3x3_s2_full, FILTER_3X3_S2, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_3x3_s2_away, FILTER_3X3_S2, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_any_full, FILTER_ANY, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_any_away, FILTER_ANY, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_3x3_s1_few, FILTER_3X3_S1, ROW_BUFFER_FEW)
ROWS_DEFINE(rows_any_few, FILTER_ANY, ROW_BUFFER_FEW)
ROWS_DEFINE(rows_any_other, FILTER_ANY, ROW_BUFFER_OTHER)
ROWS_DEFINE(rows_wide, FILTER_WIDE, ROW_BUFFER_OTHER)

static enum filter filter_of(const struct ek_window *w)
{
	const bool is_3x3 = w->y.taps == 3 && w->x.taps == 3 && w->x.dilation == 1;
	return !is_3x3             ? FILTER_ANY
		: w->x.stride == 1 ? FILTER_3X3_S1
		: w->x.stride == 2 ? FILTER_3X3_S2
				   : FILTER_ANY;
}

static void run(const struct row_buffer_work *work)
{
	static rows_fn *const fns[][4] = {
		[FILTER_ANY] = {rows_any_full, rows_any_away, rows_any_few, rows_any_other},
		[FILTER_3X3_S1] = {rows_3x3_s1_full, rows_3x3_s1_away, rows_3x3_s1_few,
			rows_3x3_s1_other},
		[FILTER_3X3_S2] = {rows_3x3_s2_full, rows_3x3_s2_away, rows_any_few,
			rows_any_other},
	};
	fns[filter_of(&work->args->shape.window)][row_buffer_kind(work)](work);
}

void row_buffer_run_wide(const struct row_buffer_work *work)
{
	rows_wide(work);
}

static void place(
	const struct ek_window *w, uint32_t ky, uint32_t kx, uint32_t n, size_t ret_places[2])
{
	ret_places[0] = ((size_t)ky * w->x.taps + kx) * GEMM_COLS + n;
	ret_places[1] = SIZE_MAX;
}

const struct row_buffer_isa row_buffer_neon = {
	.lowest = -INT8_MAX,
	.place = place,
	.scratch_bytes = row_buffer_scratch_bytes,
	.run = run,
};
