/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 16 channels of some neighbouring pixels at a time, which share the weights of a tap; those whose
 * windows leave the picture one by one. The last channels of a tile are made together with those
 * before them, a second time, so that all vectors are whole ones.
 */
#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/gemm/packed_panel_s16_arm.h"

#if defined(__aarch64__)
#define PIXELS 4
#else
#define PIXELS 2
#endif
#define MOST_TAPS 256 /* times 2^15 * 2^7 is 2^30 */

static uint32_t taps_of(const struct ek_window *w)
{
	const uint64_t taps = (uint64_t)w->y.taps * w->x.taps;
	return taps > MOST_TAPS ? MOST_TAPS + 1 : (uint32_t)taps;
}

static bool is_walked(const struct ek_conv_shape *s)
{
	return s->in_c == s->out_c && s->out_c >= 8 && taps_of(&s->window) <= MOST_TAPS;
}

/* One more than there are whole ones. */
uint64_t ek_depthwise_s16_scratch_bytes__neon(const struct ek_conv_shape *s)
{
	return is_walked(s) ? (gemm_panels(s->out_c) + 1) * sizeof(struct s16_panel) : 0;
}

/* Some pixels of one output row: their first taps inside, and how many there are. */
struct pixels {
	const int16_t *at; /* of the first pixel, channel 0 */
	const int8_t *weights; /* of that tap */
	uint32_t rows, cols; /* of taps */
};

/* How one tap follows the other, in elements. */
struct steps {
	size_t channels, pixel; /* to the next output pixel's */
	size_t x, y; /* of the input; x: less cols times this */
	size_t weights_row;
};

ALWAYS_INLINE void add(const int n, const int halves, const int16_t *x, size_t pixel,
	const int8_t *w, int32x4_t acc[PIXELS][4])
{
#pragma GCC unroll 2
	for (int h = 0; h < halves; h++, x += 8, w += 8) {
		const int16x8_t b = vmovl_s8(vld1_s8(w));
#pragma GCC unroll 4
		for (int i = 0; i < n; i++) {
			const int16x8_t v = vld1q_s16(x + (size_t)i * pixel);
			acc[i][2 * h] = vmlal_s16(acc[i][2 * h], vget_low_s16(v), vget_low_s16(b));
			acc[i][2 * h + 1] =
				vmlal_s16(acc[i][2 * h + 1], vget_high_s16(v), vget_high_s16(b));
		}
	}
}

static void put_sums(
	const struct s16_panel *p, const int32_t *sums, uint32_t n, int16_t *to, size_t step)
{
	if (p->kind != S16_ANY) {
		s16_panel_put(p, sums, n, to, step);
		return;
	}
	int64_t wide[PIXELS * S16_COLS];
	for (uint32_t i = 0; i < n * S16_COLS; i++) {
		wide[i] = i % S16_COLS < p->n ? sums[i] : 0;
	}
	s16_panel_put_any(p, wide, n, to, step);
}

/* @n pixels by one panel. */
ALWAYS_INLINE void outputs(const int n, const int halves, const struct pixels *p,
	const struct steps *s, const struct s16_panel *panel, int16_t *to)
{
	const int16_t *line = p->at + panel->first;
	const int8_t *weights = p->weights + panel->first;
	int32_t sums[PIXELS * S16_COLS];
	int32x4_t acc[PIXELS][4];
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < 2 * halves; j++) {
			acc[i][j] = vld1q_s32(panel->start + 4 * j);
		}
	}
	for (uint32_t y = p->rows; y > 0; y--, line += s->y, weights += s->weights_row) {
		const int16_t *x = line;
		const int8_t *w = weights;
		for (uint32_t k = p->cols; k > 0; k--, x += s->x, w += s->channels) {
			add(n, halves, x, s->pixel, w, acc);
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < 2 * halves; j++) {
			vst1q_s32(sums + i * S16_COLS + 4 * j, acc[i][j]);
		}
	}
	put_sums(panel, sums, (uint32_t)n, to + panel->first, s->channels);
}

struct panels {
	struct s16_panel *at;
	uint32_t n;
};

static void some_outputs(const struct pixels *p, bool many, const struct steps *s,
	const struct panels *panels, int16_t *to)
{
	for (const struct s16_panel *at = panels->at; at < panels->at + panels->n; at++) {
		if (at->n > 8) {
			if (many) {
				outputs(PIXELS, 2, p, s, at, to);
			} else {
				outputs(1, 2, p, s, at, to);
			}
		} else if (many) {
			outputs(PIXELS, 1, p, s, at, to);
		} else {
			outputs(1, 1, p, s, at, to);
		}
	}
}

static void output_row(const struct ek_conv_q *a, const struct panels *panels,
	struct ek_pixel pixel, uint32_t n, int16_t *to)
{
	const struct ek_window_axis *axis = &a->shape.window.x;
	const size_t channels = a->shape.in_c;
	const struct ek_taps y = ek_window_taps(&a->shape.window.y, pixel.y);
	const size_t dilation = a->shape.window.y.dilation, line = axis->in * channels;
	const size_t first = pixel.batch * (size_t)a->shape.window.y.in +
		(size_t)(y.origin + (int64_t)(y.first * dilation));
	const struct steps s = {
		.channels = channels,
		.pixel = axis->stride * channels,
		.x = axis->dilation * channels,
		.y = dilation * line,
		.weights_row = axis->taps * channels,
	};
	for (uint32_t i = 0; i < n;) {
		const struct ek_taps x = ek_window_taps(axis, pixel.x + i);
		const size_t from = (size_t)(x.origin + (int64_t)x.first * axis->dilation);
		const struct pixels p = {
			.at = (const int16_t *)a->input + first * line + from * channels,
			.weights = (const int8_t *)a->weights + y.first * s.weights_row +
				x.first * channels,
			.rows = y.end - y.first,
			.cols = x.end - x.first,
		};
		const struct ek_taps last = ek_window_taps(axis, pixel.x + i + PIXELS - 1);
		const bool many = n - i >= PIXELS && p.cols == axis->taps &&
			last.end - last.first == axis->taps;
		some_outputs(&p, many, &s, panels, to + i * channels);
		i += many ? PIXELS : 1;
	}
}

/* Channels [first, end), at least eight: whole panels, the last of which goes back as far as it must. */
static struct panels make_panels(struct s16_panel *to, const struct s16_output *o, uint32_t taps,
	uint32_t first, uint32_t end)
{
	const uint32_t width = end - first < S16_COLS ? 8 : S16_COLS;
	uint32_t size[S16_COLS];
	struct panels panels = {.at = to};
	for (uint32_t i = 0; i < S16_COLS; i++) {
		size[i] = taps << 7;
	}
	for (uint32_t n = first; n < end; n += width) {
		const uint32_t at = end - n < width ? end - width : n;
		s16_panel_init(&to[panels.n++], o, size, at, width);
	}
	return panels;
}

void ek_depthwise_s16__neon(const struct ek_conv_q *a, const struct ek_tile *t, void *scratch)
{
	if (!is_walked(&a->shape) || t->n_cols < 8) {
		ek_depthwise_s16[0].run(a, t, scratch);
		return;
	}
	const struct ek_window *w = &a->shape.window;
	const struct s16_output o = {.bias64 = a->bias64,
		.scale = a->scale,
		.zero = a->output_zero,
		.lo = a->lo,
		.hi = a->hi,
		.wide = true};
	const struct panels panels =
		make_panels(scratch, &o, taps_of(w), t->first_col, t->first_col + t->n_cols);
	const uint32_t end = t->first_row + t->n_rows;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		const struct ek_pixel pixel = ek_window_pixel(w, row);
		n = gemm_least(w->x.out - pixel.x, end - row);
		output_row(
			a, &panels, pixel, n, (int16_t *)a->output + row * (size_t)a->shape.out_c);
	}
}
