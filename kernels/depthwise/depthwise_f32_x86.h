/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_f32_x86 - body of the rows of ek_depthwise_f32; ROW(name) gives a function its instruction
 * set
 *
 * A vector of channels of up to PIXELS neighbouring outputs at a time, so that a weight that is
 * loaded serves all of them; where the filter's size is known, the compiler also loads an input that
 * several outputs see only once. Each sum is a chain of fused multiply-adds that begins with the bias.
 * Channels are cut into runs of BLOCK where lines of all of them would leave a core's caches.
 */
#include "kernels/conv/padded_rows_x86.h"
#include "kernels/depthwise/depthwise.h"

#define PIXELS 4
#define BLOCK 64
#define LINES_BYTES 98304

/* Outputs that are made together. */
struct outputs {
	const uint8_t *const *lines; /* of the filter's rows, at the first output's first tap */
	size_t at; /* bytes from there to the first output */
	const float *weights, *bias;
	uint32_t taps_y, taps_x;
	size_t column, step; /* floats from tap to tap, and from output to output */
	size_t channels; /* of all: from weight to weight of a tap, and from result to result */
	float lo, hi;
	float *to;
};

/* @lanes channels from @c on, of @n outputs, @stride times @unit floats apart. Constants: n, full, and
 * where they are known taps and stride. */
VECTOR_INLINE void outputs_vector(const struct outputs *o, uint32_t c, uint32_t lanes, const int n,
	const bool full, const uint32_t taps_y, const uint32_t taps_x, const size_t unit,
	const size_t stride, const size_t column)
{
	vector v[PIXELS];
	v[0] = o->bias ? full ? vector_load(o->bias + c) : vector_load_first(o->bias + c, lanes)
		       : vector_all(0);
	for (int i = 1; i < n; i++) {
		v[i] = v[0];
	}
	const float *w = o->weights + c;
	for (uint32_t ky = 0; ky < taps_y; ky++) {
		const float *x = (const float *)(o->lines[ky] + o->at) + c;
		for (uint32_t kx = 0; kx < taps_x; kx++, w += o->channels) {
			vector b = full ? vector_load(w) : vector_load_first(w, lanes);
			for (int i = 0; i < n; i++) {
				const float *at = x + (kx * column + (size_t)i * stride) * unit;
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

/* Channels [0, end) of @n outputs; @stride 0: nothing but n is known. */
VECTOR_INLINE void outputs_channels(
	const struct outputs *o, uint32_t end, const int n, const size_t stride)
{
	const uint32_t ty = stride ? 3 : o->taps_y, tx = stride ? 3 : o->taps_x;
	const size_t unit = stride ? o->column : 1, s = stride ? stride : o->step;
	const size_t column = stride ? 1 : o->column;
	uint32_t c = 0;
	for (; c + VECTOR_LANES <= end; c += VECTOR_LANES) {
		outputs_vector(o, c, VECTOR_LANES, n, true, ty, tx, unit, s, column);
	}
	if (c < end) {
		outputs_vector(o, c, end - c, n, false, ty, tx, unit, s, column);
	}
}

/* @n outputs of a row. */
typedef void outputs_fn(struct outputs *o, uint32_t end, uint32_t n);

VECTOR_INLINE void outputs_row(struct outputs *o, uint32_t end, uint32_t n, const size_t stride)
{
	const size_t step = o->step * sizeof(float);
	for (; n >= PIXELS; n -= PIXELS, o->at += PIXELS * step, o->to += PIXELS * o->channels) {
		outputs_channels(o, end, PIXELS, stride);
	}
	switch (n) {
	case 1:
		outputs_channels(o, end, 1, stride);
		break;
	case 2:
		outputs_channels(o, end, 2, stride);
		break;
	case 3:
		outputs_channels(o, end, 3, stride);
		break;
	}
	o->at += n * step;
	o->to += n * o->channels;
}

static void outputs_any(struct outputs *o, uint32_t end, uint32_t n)
{
	outputs_row(o, end, n, 0);
}

/* 3x3, not dilated. */
static void outputs_3x3_s1(struct outputs *o, uint32_t end, uint32_t n)
{
	outputs_row(o, end, n, 1);
}

static void outputs_3x3_s2(struct outputs *o, uint32_t end, uint32_t n)
{
	outputs_row(o, end, n, 2);
}

static outputs_fn *outputs_pick(const struct ek_window *w)
{
	bool is_3x3 = w->y.taps == 3 && w->x.taps == 3 && w->x.dilation == 1;
	return is_3x3 && w->x.stride == 1    ? outputs_3x3_s1
		: is_3x3 && w->x.stride == 2 ? outputs_3x3_s2
					     : outputs_any;
}

static uint32_t block_of(const struct ek_conv_shape *s)
{
	uint64_t all = lines_scratch_bytes(&s->window, s->in_c * sizeof(float));
	return s->in_c < BLOCK || all <= LINES_BYTES ? s->in_c : BLOCK;
}

/* Others are entry 0's. */
static bool depthwise_is_walked(const struct ek_conv_shape *s)
{
	return s->out_c == s->in_c &&
		(lines_stay_inside(&s->window) ||
			lines_fit(&s->window, block_of(s) * sizeof(float)));
}

uint64_t ROW(ek_depthwise_f32_scratch_bytes)(const struct ek_conv_shape *s)
{
	const struct ek_window *w = &s->window;
	bool copies = depthwise_is_walked(s) && !lines_stay_inside(w);
	return lines_round(w->y.taps * sizeof(uint8_t *)) +
		(copies ? lines_scratch_bytes(w, block_of(s) * sizeof(float)) : 0);
}

/* @n channels from @first on, of all rows of the tile. */
static void depthwise_block(const struct ek_conv_f32 *a, const struct ek_tile *t, uint32_t first,
	uint32_t n, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	size_t channels = a->shape.in_c, picture = (size_t)w->y.in * w->x.in * channels;
	bool inside = lines_stay_inside(w);
	size_t kept = inside ? channels : n;
	const uint8_t **at = scratch;
	outputs_fn *fn = outputs_pick(w);
	struct lines l = {
		.window = w, .in_pixel = channels * sizeof(float), .pixel = kept * sizeof(float)};
	struct outputs o = {.lines = at,
		.weights = a->weights + first,
		.bias = a->bias ? a->bias + first : NULL,
		.taps_y = w->y.taps,
		.taps_x = w->x.taps,
		.column = w->x.dilation * kept,
		.step = w->x.stride * kept,
		.channels = channels,
		.lo = a->lo,
		.hi = a->hi,
		.to = a->output + t->first_row * channels + first};
	uint32_t end = t->first_row + t->n_rows, batch = UINT32_MAX, run;
	for (uint32_t row = t->first_row; row < end; row += run) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		run = w->x.out - pixel.x < end - row ? w->x.out - pixel.x : end - row;
		if (pixel.batch != batch) {
			batch = pixel.batch;
			l.picture = (const uint8_t *)(a->input + batch * picture + first);
			if (!inside) {
				lines_init(&l,
					(char *)scratch +
						lines_round(w->y.taps * sizeof(uint8_t *)));
			}
		}
		for (uint32_t ky = 0; ky < w->y.taps; ky++) {
			at[ky] = lines_at(&l, pixel.y * w->y.stride + ky * w->y.dilation);
		}
		o.at = pixel.x * o.step * sizeof(float);
		fn(&o, n, run);
	}
}

void ROW(ek_depthwise_f32)(const struct ek_conv_f32 *a, const struct ek_tile *t, void *scratch)
{
	if (!depthwise_is_walked(&a->shape)) {
		ek_depthwise_f32[0].run(a, t, scratch);
		return;
	}
	uint32_t block = block_of(&a->shape), end = t->first_col + t->n_cols;
	for (uint32_t c = t->first_col; c < end; c += block) {
		depthwise_block(a, t, c, end - c < block ? end - c : block, scratch);
	}
}
