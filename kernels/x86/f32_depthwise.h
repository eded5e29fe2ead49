/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_depthwise - body of the rows of ek_depthwise_f32; ROW(name) gives a function its instruction
 * set
 *
 * A vector of channels of up to PIXELS neighbouring outputs at a time, so that a weight that is
 * loaded serves all of them; where the filter's size is known, the compiler also loads an input that
 * several outputs see only once. Each sum is a chain of fused multiply-adds that begins with the bias.
 * A pixel whose taps are not all inside is made by itself, of those that are.
 */
#include "kernels/depthwise.h"

#define PIXELS 4

/* Outputs that are made together: their taps [first_y, end_y) x [first_x, end_x) are inside. */
struct outputs {
	const float *input; /* what tap (0, 0) of the first one reads, even if it is outside */
	const float *weights;
	const float *bias;
	uint32_t first_y, end_y, first_x, end_x;
	size_t row, column; /* floats from tap to tap, down and to the right */
	size_t weights_row, channels;
	size_t step; /* floats from one output's input to that of the next */
	float lo, hi;
	float *to; /* the first one's, which is followed by the next at @channels */
};

/* @lanes channels from @c on, of @n outputs. Constants: n, and the taps where they are known. */
VECTOR_INLINE void outputs_vector(
	const struct outputs *o, size_t c, uint32_t lanes, const int n, const bool full)
{
	vector v[PIXELS];
	v[0] = o->bias ? full ? vector_load(o->bias + c) : vector_load_first(o->bias + c, lanes)
		       : vector_all(0);
	for (int i = 1; i < n; i++) {
		v[i] = v[0];
	}
	for (uint32_t ky = o->first_y; ky < o->end_y; ky++) {
		for (uint32_t kx = o->first_x; kx < o->end_x; kx++) {
			const float *w = o->weights + ky * o->weights_row + kx * o->channels + c;
			const float *x = o->input + ky * o->row + kx * o->column + c;
			vector b = full ? vector_load(w) : vector_load_first(w, lanes);
			for (int i = 0; i < n; i++) {
				const float *at = x + (size_t)i * o->step;
				vector a = full ? vector_load(at) : vector_load_first(at, lanes);
				v[i] = vector_fma(a, b, v[i]);
			}
		}
	}
	const vector lo = vector_all(o->lo), hi = vector_all(o->hi);
	for (int i = 0; i < n; i++) {
		float *to = o->to + (size_t)i * o->channels + c;
		vector y = vector_clamp(v[i], lo, hi);
		if (full) {
			vector_store(to, y);
		} else {
			vector_store_first(to, lanes, y);
		}
	}
}

/* Channels [first, end) of @n outputs. */
VECTOR_INLINE void outputs_channels(
	const struct outputs *o, uint32_t first, uint32_t end, const int n)
{
	uint32_t c = first;
	for (; c + VECTOR_LANES <= end; c += VECTOR_LANES) {
		outputs_vector(o, c, VECTOR_LANES, n, true);
	}
	if (c < end) {
		outputs_vector(o, c, end - c, n, false);
	}
}

static void outputs_1(const struct outputs *o, uint32_t first, uint32_t end)
{
	outputs_channels(o, first, end, 1);
}

static void outputs_2(const struct outputs *o, uint32_t first, uint32_t end)
{
	outputs_channels(o, first, end, 2);
}

static void outputs_4(const struct outputs *o, uint32_t first, uint32_t end)
{
	outputs_channels(o, first, end, PIXELS);
}

/* 3x3, not dilated, all rows inside: @stride columns from output to output. */
VECTOR_INLINE void outputs_3x3(
	const struct outputs *from, uint32_t first, uint32_t end, const size_t stride)
{
	struct outputs o = *from;
	o.first_y = o.first_x = 0;
	o.end_y = o.end_x = 3;
	o.column = o.channels;
	o.weights_row = 3 * o.channels;
	o.step = stride * o.channels;
	outputs_channels(&o, first, end, PIXELS);
}

static void outputs_3x3_s1(const struct outputs *o, uint32_t first, uint32_t end)
{
	outputs_3x3(o, first, end, 1);
}

static void outputs_3x3_s2(const struct outputs *o, uint32_t first, uint32_t end)
{
	outputs_3x3(o, first, end, 2);
}

typedef void outputs_fn(const struct outputs *o, uint32_t first, uint32_t end);

static outputs_fn *outputs_pick(const struct ek_window *w)
{
	bool is_3x3 = w->y.taps == 3 && w->x.taps == 3 && w->x.dilation == 1;
	return is_3x3 && w->x.stride == 1    ? outputs_3x3_s1
		: is_3x3 && w->x.stride == 2 ? outputs_3x3_s2
					     : outputs_4;
}

/* Output positions [first, end) of @axis whose taps are all inside. */
static void inside(const struct ek_window_axis *axis, uint32_t *ret_first, uint32_t *ret_end)
{
	uint64_t reach = (uint64_t)(axis->taps - 1) * axis->dilation;
	uint64_t first = ((uint64_t)axis->pad + axis->stride - 1) / axis->stride;
	uint64_t last = (uint64_t)axis->in + axis->pad;
	uint64_t end = last > reach ? (last - reach - 1) / axis->stride + 1 : 0;
	*ret_first = first < axis->out ? (uint32_t)first : axis->out;
	*ret_end = end < axis->out ? (uint32_t)end : axis->out;
}

/* Pixels [x, end) of one output row, whose outputs @o has in common, into o->to and on. */
static void depthwise_row(const struct ek_depthwise_f32 *a, const struct ek_tile *t,
	struct outputs *o, const float *row, uint32_t x, uint32_t end)
{
	const struct ek_window_axis *axis = &a->shape.window.x;
	uint32_t from, until, last = t->first_col + t->n_cols, n;
	bool rows_inside = o->end_y - o->first_y == a->shape.window.y.taps;
	outputs_fn *fn = rows_inside ? outputs_pick(&a->shape.window) : outputs_4;
	inside(axis, &from, &until);
	until = until < end ? until : end;
	for (; x < end; x += n, o->to += n * o->channels) {
		struct ek_taps taps = ek_window_taps(axis, x);
		o->first_x = taps.first;
		o->end_x = taps.end;
		/* May point in front of the row, where no tap is that reads it. */
		o->input = row + taps.origin * (int64_t)o->channels;
		n = x < from || x + 2 > until ? 1 : x + PIXELS > until ? 2 : PIXELS;
		(n == 1 ? outputs_1 : n == 2 ? outputs_2 : fn)(o, t->first_col, last);
	}
}

void ROW(ek_depthwise_f32)(const struct ek_depthwise_f32 *a, const struct ek_tile *t)
{
	const struct ek_window *w = &a->shape.window;
	size_t channels = a->shape.in_c, width = w->x.in * channels;
	if (a->shape.out_c != channels) {
		ek_depthwise_f32[0].run(a, t);
		return;
	}
	struct outputs o = {
		.weights = a->weights,
		.bias = a->bias,
		.row = w->y.dilation * width,
		.column = w->x.dilation * channels,
		.weights_row = w->x.taps * channels,
		.channels = channels,
		.step = w->x.stride * channels,
		.lo = a->lo,
		.hi = a->hi,
		.to = a->output + t->first_row * channels,
	};
	uint32_t end = t->first_row + t->n_rows, n;
	for (uint32_t row = t->first_row; row < end; row += n) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = w->x.out - pixel.x < end - row ? w->x.out - pixel.x : end - row;
		struct ek_taps taps = ek_window_taps(&w->y, pixel.y);
		o.first_y = taps.first;
		o.end_y = taps.end;
		const float *picture = a->input + pixel.batch * w->y.in * width;
		depthwise_row(
			a, t, &o, picture + taps.origin * (int64_t)width, pixel.x, pixel.x + n);
	}
}
