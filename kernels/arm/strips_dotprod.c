/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With dot products: four rows that taps read lie in turns, byte by byte, so that one SDOT takes four
 * taps of one column for each of four channels. The strips of those "fours" are
 * [taps of y / 4][4 vectors][columns][4 channels][4 rows]. A filter of up to three rows that moves by
 * one row leaves room for another: the output row below reads the same strips, with its weights one
 * row lower.
 */
#include "kernels/arm/strips_neon.h"

#define FOUR 4 /* rows */

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
	return fours_of(w) * strips_width(&w->x) * FOUR * 16;
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
ALWAYS_INLINE void put_four(int8_t *to, size_t vector_bytes, const uint8x16_t r[FOUR])
{
	uint8x16_t a = vzip1q_u8(r[0], r[2]), b = vzip1q_u8(r[1], r[3]);
	uint8x16_t c = vzip2q_u8(r[0], r[2]), d = vzip2q_u8(r[1], r[3]);
	vst1q_u8((uint8_t *)to, vzip1q_u8(a, b));
	vst1q_u8((uint8_t *)to + vector_bytes, vzip2q_u8(a, b));
	vst1q_u8((uint8_t *)to + 2 * vector_bytes, vzip1q_u8(c, d));
	vst1q_u8((uint8_t *)to + 3 * vector_bytes, vzip2q_u8(c, d));
}

/* One of the fours: rows of the picture, or zero points. */
struct four {
	const uint8_t *row[FOUR];
	size_t step[FOUR]; /* from pixel to pixel; 0 outside */
};

static struct four four_at(
	const struct strips_work *work, const uint8_t *outside, uint32_t batch, int64_t first)
{
	const struct ek_depthwise_shape *s = &work->args->shape;
	const struct ek_window *w = &s->window;
	struct four f;
	for (uint32_t i = 0; i < FOUR; i++) {
		int64_t y = first + (int64_t)i * w->y.dilation;
		bool inside = y >= 0 && y < w->y.in;
		size_t row = inside ? (size_t)batch * w->y.in + (size_t)y : 0;
		f.row[i] = inside
			? (const uint8_t *)work->args->input + row * w->x.in * s->in_c + work->first
			: outside;
		f.step[i] = inside ? s->in_c : 0;
	}
	return f;
}

/* @count pixels of four rows become strips. */
static void bring(const struct strips_work *work, const struct four *f, size_t vector_bytes,
	int8_t *to, uint32_t count)
{
	const uint8x16_t flip = vdupq_n_u8(work->flip);
	const uint8_t *r0 = f->row[0], *r1 = f->row[1], *r2 = f->row[2], *r3 = f->row[3];
	uint32_t whole = count, x = 0;
	for (uint32_t i = 0; i < FOUR; i++) {
		whole = f->step[i] ? product_least(whole, strips_whole(work, f->row[i], count))
				   : whole;
	}
	for (; x < whole; x++, to += 16) {
		const uint8x16_t rows[FOUR] = {veorq_u8(vld1q_u8(r0), flip),
			veorq_u8(vld1q_u8(r1), flip), veorq_u8(vld1q_u8(r2), flip),
			veorq_u8(vld1q_u8(r3), flip)};
		put_four(to, vector_bytes, rows);
		r0 += f->step[0];
		r1 += f->step[1];
		r2 += f->step[2];
		r3 += f->step[3];
	}
	for (; x < count; x++, to += 16) {
		uint8x16_t rows[FOUR];
		for (uint32_t i = 0; i < FOUR; i++) {
			const uint8_t *from = f->row[i] + x * f->step[i];
			rows[i] = veorq_u8(panel_load(from, work->n), flip);
		}
		put_four(to, vector_bytes, rows);
	}
}

/* The strips of the output row of @pixel. */
static void bring_all(const struct strips_work *work, struct ek_pixel pixel)
{
	const struct ek_window *w = &work->args->shape.window;
	uint8_t outside[16];
	size_t vector_bytes = (size_t)strips_width(&w->x) * 16;
	int8_t *to = (int8_t *)work->scratch + (size_t)w->x.pad * 16;
	uint32_t count = strips_inside(&w->x);
	int64_t y = (int64_t)pixel.y * w->y.stride - w->y.pad;
	memset(outside, work->args->input_zero, sizeof(outside));
	for (uint32_t i = 0; i < fours_of(w) && count; i++, to += FOUR * vector_bytes) {
		struct four f =
			four_at(work, outside, pixel.batch, y + (int64_t)i * FOUR * w->y.dilation);
		bring(work, &f, vector_bytes, to, count);
	}
}

/* One vector of channels of @n neighbouring pixels, by three taps side by side, stride 1. */
ALWAYS_INLINE void vector3(
	const int n, const int8_t *from, const int8_t *weights, int32x4_t acc[STRIP_PIXELS])
{
	int8x16_t x[STRIP_PIXELS + 2];
	const int8x16_t w0 = vld1q_s8(weights), w1 = vld1q_s8(weights + 64);
	const int8x16_t w2 = vld1q_s8(weights + 128);
#pragma GCC unroll 8
	for (int u = 0; u < n + 2; u++) {
		x[u] = vld1q_s8(from + 16 * u);
	}
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
		acc[u] = vdotq_s32(acc[u], x[u], w0);
	}
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
		acc[u] = vdotq_s32(acc[u], x[u + 1], w1);
	}
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
		acc[u] = vdotq_s32(acc[u], x[u + 2], w2);
	}
}

/* By any taps side by side. */
ALWAYS_INLINE void vector_any(const int n, const struct ek_window_axis *axis, const int8_t *from,
	const int8_t *weights, int32x4_t acc[STRIP_PIXELS])
{
	const size_t stride = (size_t)axis->stride * 16;
	for (uint32_t k = 0; k < axis->taps; k++, weights += 64, from += axis->dilation * 16) {
		const int8x16_t w = vld1q_s8(weights);
		const int8_t *x = from;
#pragma GCC unroll 4
		for (int u = 0; u < n; u++, x += stride) {
			acc[u] = vdotq_s32(acc[u], vld1q_s8(x), w);
		}
	}
}

/* Pixels [first, first + n) of an output row. */
ALWAYS_INLINE void some(const int n, const bool is_3, const struct strips_work *work,
	const struct panel_output *o, const int8_t *weights, uint32_t first, uint8_t *to)
{
	const struct ek_window *w = &work->args->shape.window;
	const size_t vector_bytes = (size_t)strips_width(&w->x) * 16;
	const int8_t *from = (const int8_t *)work->scratch + (size_t)first * w->x.stride * 16;
	int32x4_t sums[4][STRIP_PIXELS], acc[STRIP_PIXELS][4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
		for (int u = 0; u < n; u++) {
			sums[j][u] = vld1q_s32(work->panel->start + 4 * j);
		}
	}
	for (uint32_t i = 0; i < (is_3 ? 1 : fours_of(w)); i++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			if (is_3) {
				vector3(n, from + (size_t)j * vector_bytes, weights + 16 * j,
					sums[j]);
			} else {
				vector_any(n, &w->x, from + (size_t)j * vector_bytes,
					weights + 16 * j, sums[j]);
			}
		}
		from += FOUR * vector_bytes;
		weights += (size_t)w->x.taps * 64;
	}
#pragma GCC unroll 4
	for (int u = 0; u < n; u++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			acc[u][j] = sums[j][u];
		}
	}
	strips_put(n, work, o, acc, to);
}

/* @count pixels of an output row. The last ones of many are made together with some before. */
ALWAYS_INLINE void pixels_of_row(const bool is_3, const struct strips_work *work,
	const int8_t *weights, uint32_t first, uint32_t count, uint8_t *to)
{
	const size_t step = work->args->shape.out_c;
	const struct panel_output o = panel_output(work->output);
	uint32_t x = 0;
	if (count < STRIP_PIXELS) {
		for (; x < count; x++) {
			some(1, is_3, work, &o, weights, first + x, to + x * step);
		}
		return;
	}
	for (; x < count; x += STRIP_PIXELS) {
		uint32_t at = product_least(x, count - STRIP_PIXELS);
		some(STRIP_PIXELS, is_3, work, &o, weights, first + at, to + at * step);
	}
}

static void row_3(const struct strips_work *work, const int8_t *weights, uint32_t first,
	uint32_t count, uint8_t *to)
{
	pixels_of_row(true, work, weights, first, count, to);
}

static void row_any(const struct strips_work *work, const int8_t *weights, uint32_t first,
	uint32_t count, uint8_t *to)
{
	pixels_of_row(false, work, weights, first, count, to);
}

static void run(const struct strips_work *work)
{
	const struct ek_window *w = &work->args->shape.window;
	const struct ek_tile *t = work->tile;
	size_t step = work->args->shape.out_c;
	uint32_t end = t->first_row + t->n_rows,
		 brought = UINT32_MAX; /* output row of the strips */
	bool is_3 = w->y.taps <= FOUR && w->x.taps == 3 && w->x.stride == 1 && w->x.dilation == 1;
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
		(is_3 ? row_3 : row_any)(work, weights, pixel.x, n, to);
	}
}

const struct strips_isa strips_dotprod = {
	.lowest = INT8_MIN,
	.place = place,
	.scratch_bytes = scratch_bytes,
	.run = run,
};
