/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With dot products: four rows that taps read lie in turns, byte by byte, so that one SDOT takes four
 * taps of one column for each of four channels. The strips of those "fours" are
 * [taps of y / 4][columns][4 vectors][4 channels][4 rows]. A filter of up to three rows that moves by
 * one row leaves room for another: the output row below reads the same strips, with its weights one
 * row lower.
 */
#include "kernels/depthwise/row_buffer_neon.h"

#define FOUR 4 /* rows */
#define FOUR_BYTES 64 /* of a column: 16 channels of four rows */

static uint32_t fours_of(const struct ek_window *w)
{
	return (w->y.taps + FOUR - 1) / FOUR;
}

/* Output rows that one set of strips serves: 1 or 2. */
static uint32_t rows_at_once(const struct ek_window *w)
{
	return w->y.stride == 1 && w->y.dilation == 1 && w->y.taps % FOUR != 0 ? 2 : 1;
}

static uint64_t scratch_bytes(const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	return fours_of(w) * row_buffer_width(&w->x) * FOUR_BYTES;
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

/* @rows: so many of them are read by taps. Others may not be there (a chain of layers keeps but those that
 * are needed), and any row will do: its weights are zero. */
static struct four four_at(const struct row_buffer_work *work, const uint8_t *outside,
	uint32_t batch, int64_t first, uint32_t count, uint32_t rows)
{
	const struct ek_conv_shape *s = &work->args->shape;
	const struct ek_window *w = &s->window;
	struct four f = {.inside = true, .whole = count};
	for (uint32_t i = 0; i < FOUR; i++) {
		int64_t y = first + (int64_t)i * w->y.dilation;
		if (i > 0 && i >= rows) {
			f.row[i] = f.row[i - 1];
			f.step[i] = f.step[i - 1];
			continue;
		}
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
		f.whole = row_buffer_whole(work, f.row[i], f.whole);
	}
	return f;
}

ALWAYS_INLINE uint8x16_t load(const bool flips, const uint8_t *from, uint8x16_t flip)
{
	return flips ? veorq_u8(vld1q_u8(from), flip) : vld1q_u8(from);
}

/* @count pixels of four rows, all of them inside, become strips. */
ALWAYS_INLINE void bring_inside(const bool flips, const struct row_buffer_work *work,
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
static void bring_some(const struct row_buffer_work *work, const struct four *f, int8_t *to,
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
static void bring(
	const struct row_buffer_work *work, const struct four *f, int8_t *to, uint32_t count)
{
	uint32_t whole = f->inside ? f->whole : 0;
	if (work->flip) {
		bring_inside(true, work, f, to, whole);
	} else {
		bring_inside(false, work, f, to, whole);
	}
	bring_some(work, f, to + (size_t)whole * FOUR_BYTES, whole, count);
}

/* The strips of the output row of @pixel, and of @more rows below it. */
static void bring_all(const struct row_buffer_work *work, struct ek_pixel pixel, uint32_t more)
{
	const struct ek_window *w = &work->args->shape.window;
	uint8_t outside[16];
	size_t bytes = (size_t)row_buffer_width(&w->x) * FOUR_BYTES;
	int8_t *to = (int8_t *)work->scratch + (size_t)w->x.pad * FOUR_BYTES;
	uint32_t count = row_buffer_inside(&w->x);
	int64_t y = (int64_t)pixel.y * w->y.stride - w->y.pad;
	memset(outside, work->args->input_zero, sizeof(outside));
	for (uint32_t i = 0; i < fours_of(w) && count; i++, to += bytes) {
		struct four f = four_at(work, outside, pixel.batch,
			y + (int64_t)i * FOUR * w->y.dilation, count, w->y.taps + more - i * FOUR);
		bring(work, &f, to, count);
	}
}

/* @n neighbouring pixels by three taps side by side, @stride columns apart. */
ALWAYS_INLINE void pixels_3(const int n, const int stride, const int8_t *from,
	const int8_t *weights, int32x4_t acc[STRIP_PIXELS][4])
{
	int8x16_t w[3][4];
#pragma GCC unroll 3
	for (int k = 0; k < 3; k++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			w[k][j] = vld1q_s8(weights + 64 * k + 16 * j);
		}
	}
#pragma GCC unroll 9
	for (int c = 0; c < (n - 1) * stride + 3; c++) {
		int8x16_t x[4];
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			x[j] = vld1q_s8(from + FOUR_BYTES * c + 16 * j);
		}
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			const int k = c - u * stride;
			if (k < 0 || k > 2) {
				continue;
			}
#pragma GCC unroll 4
			for (int j = 0; j < 4; j++) {
				acc[u][j] = vdotq_s32(acc[u][j], x[j], w[k][j]);
			}
		}
	}
}

/*
 * Four pixels of stride 1. Sums, the weights of three taps (v4 to v15) and a column (v0 to v3) need all
 * registers, which compilers do not find. One half of the next column is read while the other half
 * of this one is multiplied.
 */
/* clang-format off */
#define DOTS(u, j, x, w) "sdot %[s" u j "].4s, " x ".16b, " w ".16b\n"
#define LOW_0(u) DOTS(u, "0", "v0", "v4") DOTS(u, "1", "v1", "v5")
#define HIGH_0(u) DOTS(u, "2", "v2", "v6") DOTS(u, "3", "v3", "v7")
#define LOW_1(u) DOTS(u, "0", "v0", "v8") DOTS(u, "1", "v1", "v9")
#define HIGH_1(u) DOTS(u, "2", "v2", "v10") DOTS(u, "3", "v3", "v11")
#define LOW_2(u) DOTS(u, "0", "v0", "v12") DOTS(u, "1", "v1", "v13")
#define HIGH_2(u) DOTS(u, "2", "v2", "v14") DOTS(u, "3", "v3", "v15")
#define LOAD_LOW(c) "ldp q0, q1, [%[from], " c " * 64]\n"
#define LOAD_HIGH(c) "ldp q2, q3, [%[from], " c " * 64 + 32]\n"
#define START(u)                                                                                   \
	"ldp %q[s" u "0], %q[s" u "1], [%[start]]\n"                                               \
	"ldp %q[s" u "2], %q[s" u "3], [%[start], 32]\n"
#define SUM_NAME(name) [name]
#define SUM(u, j) SUM_NAME(s##u##j) "=&w"(acc[u][j])
#define SUMS(u) SUM(u, 0), SUM(u, 1), SUM(u, 2), SUM(u, 3)

ALWAYS_INLINE void pixels_3_four(const int8_t *from, const int8_t *weights, const int32_t *start,
	int32x4_t acc[STRIP_PIXELS][4])
{
	__asm__ volatile(
		"ldp q4, q5, [%[w]]\n"
		"ldp q6, q7, [%[w], 32]\n"
		LOAD_LOW("0") LOAD_HIGH("0")
		START("0") START("1")
		"ldp q8, q9, [%[w], 64]\n"
		"ldp q10, q11, [%[w], 96]\n"
		LOW_0("0") LOAD_LOW("1") HIGH_0("0") LOAD_HIGH("1")
		START("2") START("3")
		"ldp q12, q13, [%[w], 128]\n"
		"ldp q14, q15, [%[w], 160]\n"
		LOW_1("0") LOW_0("1") LOAD_LOW("2") HIGH_1("0") HIGH_0("1") LOAD_HIGH("2")
		LOW_2("0") LOW_1("1") LOW_0("2") LOAD_LOW("3")
		HIGH_2("0") HIGH_1("1") HIGH_0("2") LOAD_HIGH("3")
		LOW_2("1") LOW_1("2") LOW_0("3") LOAD_LOW("4")
		HIGH_2("1") HIGH_1("2") HIGH_0("3") LOAD_HIGH("4")
		LOW_2("2") LOW_1("3") LOAD_LOW("5") HIGH_2("2") HIGH_1("3") LOAD_HIGH("5")
		LOW_2("3") HIGH_2("3")
		: SUMS(0), SUMS(1), SUMS(2), SUMS(3)
		: [from] "r"(from), [w] "r"(weights), [start] "r"(start)
		: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
		  "v13", "v14", "v15", "memory");
}
/* clang-format on */

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

enum filter {
	FILTER_ANY,
	FILTER_3_S1, /* three columns, up to four rows, not dilated; stride 1 */
	FILTER_3_S2
};

ALWAYS_INLINE void start(const int n, const struct gemm_panel *p, int32x4_t acc[STRIP_PIXELS][4])
{
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			acc[u][j] = vld1q_s32(p->start + 4 * j);
		}
	}
}

/* Pixels [first, first + n) of an output row. */
ALWAYS_INLINE void some(const int n, const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work, const struct panel_output *o, const int8_t *weights,
	uint32_t first, uint8_t *to)
{
	const struct ek_window *w = &work->args->shape.window;
	const int8_t *from = (const int8_t *)work->scratch;
	int32x4_t acc[STRIP_PIXELS][4];
	if (filter == FILTER_3_S1 && n == 4) {
		from += (size_t)first * FOUR_BYTES;
		pixels_3_four(from, weights, work->panel->start, acc);
		row_buffer_put(n, kind, work, o, acc, to);
		return;
	}
	start(n, work->panel, acc);
	if (filter != FILTER_ANY) {
		const int stride = filter == FILTER_3_S1 ? 1 : 2;
		pixels_3(n, stride, from + (size_t)first * stride * FOUR_BYTES, weights, acc);
	} else {
		const size_t bytes = (size_t)row_buffer_width(&w->x) * FOUR_BYTES;
		from += (size_t)first * w->x.stride * FOUR_BYTES;
		for (uint32_t i = 0; i < fours_of(w); i++, from += bytes) {
			pixels_any(n, &w->x, from, weights, acc);
			weights += (size_t)w->x.taps * 64;
		}
	}
	row_buffer_put(n, kind, work, o, acc, to);
}

/* @count pixels of an output row. Three that are left are made together with the one before. */
ALWAYS_INLINE void pixels_of_row(const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work, const struct panel_output *o, const int8_t *weights,
	uint32_t first, uint32_t count, uint8_t *to)
{
	const size_t step = work->args->shape.out_c;
	const uint32_t n = filter == FILTER_3_S2 ? 3 : STRIP_PIXELS;
	uint32_t x = 0;
	while (x + n <= count || (x + 3 == count && x > 0)) {
		uint32_t at = gemm_least(x, count - n);
		some((int)n, filter, kind, work, o, weights, first + at, to + at * step);
		x = at + n;
	}
	if (x + 2 <= count) {
		some(2, filter, kind, work, o, weights, first + x, to + x * step);
		x += 2;
	}
	if (x < count) {
		some(1, filter, kind, work, o, weights, first + x, to + x * step);
	}
}

/* All rows of the tile. */
ALWAYS_INLINE void rows_of_tile(const enum filter filter, const enum row_buffer_kind kind,
	const struct row_buffer_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	const struct ek_tile *t = work->tile;
	const struct panel_output o = panel_output(work->output);
	const size_t step = work->args->shape.out_c, set = set_bytes(w);
	const bool twice = rows_at_once(w) == 2;
	uint32_t left = t->n_rows;
	bool brought = false; /* strips that serve the next row as well */
	struct ek_pixel pixel = ek_window_pixel(w, t->first_row);
	uint8_t *to = (uint8_t *)work->args->output + t->first_row * step + work->first;
	while (left > 0) {
		const uint32_t n = gemm_least(w->x.out - pixel.x, left);
		const int8_t *weights = work->panel->weights;
		const bool more = twice && !brought && left > n && pixel.y + 1 < w->y.out;
		if (brought) {
			weights += set;
		} else {
			bring_all(work, pixel, more);
		}
		pixels_of_row(filter, kind, work, &o, weights, pixel.x, n, to);
		to += n * step;
		left -= n;
		pixel.x = 0;
		brought = more;
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

ROWS_DEFINE(rows_3_s1_full, FILTER_3_S1, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_3_s1_away, FILTER_3_S1, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_3_s1_other, FILTER_3_S1, ROW_BUFFER_OTHER)
ROWS_DEFINE(rows_3_s2_full, FILTER_3_S2, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_3_s2_away, FILTER_3_S2, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_any_full, FILTER_ANY, ROW_BUFFER_FULL)
ROWS_DEFINE(rows_any_away, FILTER_ANY, ROW_BUFFER_AWAY)
ROWS_DEFINE(rows_3_s1_few, FILTER_3_S1, ROW_BUFFER_FEW)
ROWS_DEFINE(rows_any_few, FILTER_ANY, ROW_BUFFER_FEW)
ROWS_DEFINE(rows_any_other, FILTER_ANY, ROW_BUFFER_OTHER)

static enum filter filter_of(const struct ek_window *w)
{
	const bool is_3 = w->y.taps <= FOUR && w->x.taps == 3 && w->x.dilation == 1;
	return !is_3               ? FILTER_ANY
		: w->x.stride == 1 ? FILTER_3_S1
		: w->x.stride == 2 ? FILTER_3_S2
				   : FILTER_ANY;
}

static rows_fn *pick_rows(const struct row_buffer_work *work)
{
	static rows_fn *const fns[][4] = {
		[FILTER_ANY] = {rows_any_full, rows_any_away, rows_any_few, rows_any_other},
		[FILTER_3_S1] = {rows_3_s1_full, rows_3_s1_away, rows_3_s1_few, rows_3_s1_other},
		[FILTER_3_S2] = {rows_3_s2_full, rows_3_s2_away, rows_any_few, rows_any_other},
	};
	return fns[filter_of(&work->args->shape.window)][row_buffer_kind(work)];
}

static void run(const struct row_buffer_work *work)
{
	memset(work->scratch, work->args->input_zero ^ work->flip,
		(size_t)scratch_bytes(&work->args->shape));
	pick_rows(work)(work);
}

const struct row_buffer_isa row_buffer_dotprod = {
	.lowest = INT8_MIN,
	.place = place,
	.scratch_bytes = scratch_bytes,
	.run = run,
};
