/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/depthwise/depthwise.h"
#include "tests/kernels/kernel_check.h"

static const struct {
	enum check_type type;
	const struct ek_conv_q_row *list;
	const size_t *count;
} lists[] = {
	{CHECK_S8, ek_depthwise_s8, &ek_depthwise_s8_count},
	{CHECK_U8, ek_depthwise_u8, &ek_depthwise_u8_count},
	{CHECK_S16, ek_depthwise_s16, &ek_depthwise_s16_count},
};

static enum check_type weights_type(enum check_type type)
{
	return type == CHECK_U8 ? CHECK_U8 : CHECK_S8;
}

/* One channel in three cases of eight: the multiplier alone then makes the output's channels. */
static struct ek_conv_shape shape_small(struct check *c)
{
	struct ek_conv_shape s = {.window = check_window(c, true)};
	s.in_c = check_below(c, 8) < 3 ? 1 : 1 + check_below(c, 140);
	s.out_c = s.in_c * (check_below(c, 2) ? 1 : 1 + check_below(c, 5));
	return s;
}

static struct ek_conv_shape shape_common(struct check *c)
{
	static const uint32_t channels[] = {8, 16, 24, 32, 48, 64, 96, 144};
	uint32_t n = channels[check_below(c, 8)];
	return (struct ek_conv_shape){
		.window = check_window_common(c, check_below(c, 4) ? 3 : 5), .in_c = n, .out_c = n};
}

/* Of whole vectors, by stride 2, with an end of the picture at the last column, before or behind it. */
static struct ek_conv_shape shape_halves(struct check *c)
{
	const uint32_t n = 32 * (1 + check_below(c, 6));
	struct ek_conv_shape s = {.in_c = n, .out_c = n};
	struct ek_window_axis *axes[] = {&s.window.y, &s.window.x};
	s.window.batch = 1 + check_below(c, 2);
	for (size_t i = 0; i < 2; i++) {
		const uint32_t out = 2 + check_below(c, i ? 20 : 4);
		*axes[i] = (struct ek_window_axis){.taps = 3,
			.stride = 2,
			.dilation = 1,
			.pad = check_below(c, 2),
			.out = out,
			.in = 2 * out - 1 + check_below(c, 3)};
	}
	return s;
}

/* One pixel wide, as sound is. */
static struct ek_conv_shape shape_tall(struct check *c)
{
	static const uint32_t channels[] = {1, 8, 24, 40, 64, 100, 128, 192};
	uint32_t n = channels[check_below(c, 8)], taps = 1 + check_below(c, 18);
	struct ek_conv_shape s = {.window = check_window(c, true), .in_c = n, .out_c = n};
	struct ek_window_axis y = {.taps = taps, .stride = 1, .dilation = 1 + check_below(c, 2)};
	const uint32_t reach = (taps - 1) * y.dilation + 1;
	y.pad = check_below(c, 2) ? check_below(c, reach) : 0;
	y.in = reach - y.pad + check_below(c, 30);
	y.out = y.in + y.pad - reach + 1 + (check_below(c, 2) ? check_below(c, reach) : 0);
	s.window.y = y;
	s.window.x = (struct ek_window_axis){1, 1, 1, 1, 1, 0};
	return s;
}

/* Layers of real networks, to measure. */
static const struct {
	uint32_t size, channels, taps, stride;
} layers[] = {
	{112, 32, 3, 1},
	{28, 64, 3, 1},
	{28, 192, 3, 1},
	{14, 384, 3, 1},
	{7, 960, 3, 1},
	{112, 64, 3, 2},
	{28, 192, 3, 2},
	{48, 16, 3, 2},
	{48, 8, 3, 1},
	{14, 128, 5, 1},
};
static const size_t n_layers = sizeof(layers) / sizeof(layers[0]);

static struct ek_conv_shape shape_layer(size_t i)
{
	return (struct ek_conv_shape){
		.window = check_window_large(layers[i].size, layers[i].taps, layers[i].stride),
		.in_c = layers[i].channels,
		.out_c = layers[i].channels,
	};
}

static size_t pixels(const struct ek_window *w)
{
	return (size_t)w->batch * w->y.out * w->x.out;
}

static uint32_t taps(const struct ek_window *w)
{
	return w->y.taps * w->x.taps;
}

/* Index of what (pixel, tap) reads for output channel n, or -1 outside of the picture. */
static int64_t input_at(const struct ek_conv_shape *s, size_t p, uint32_t tap, uint32_t n)
{
	const struct ek_window *w = &s->window;
	int64_t x = (int64_t)(p % w->x.out) * w->x.stride - w->x.pad +
		(int64_t)(tap % w->x.taps) * w->x.dilation;
	int64_t y = (int64_t)(p / w->x.out % w->y.out) * w->y.stride - w->y.pad +
		(int64_t)(tap / w->x.taps) * w->y.dilation;
	int64_t b = (int64_t)(p / w->x.out / w->y.out);
	if (x < 0 || y < 0 || x >= w->x.in || y >= w->y.in) {
		return -1;
	}
	return ((b * w->y.in + y) * w->x.in + x) * s->in_c + n / (s->out_c / s->in_c);
}

static void *naive(struct check *c, enum check_type type, const struct ek_conv_q *a)
{
	const struct ek_conv_shape *s = &a->shape;
	size_t cols = s->out_c, elements = pixels(&s->window) * cols;
	void *expected = check_buffer(c, elements * check_bytes(type), check_bytes(type));
	for (size_t i = 0; i < elements; i++) {
		uint32_t n = (uint32_t)(i % cols);
		int64_t acc = a->bias32 ? a->bias32[n] : a->bias64 ? a->bias64[n] : 0;
		for (uint32_t tap = 0; tap < taps(&s->window); tap++) {
			int64_t at = input_at(s, i / cols, tap, n);
			int64_t w = check_get(weights_type(type), a->weights, tap * cols + n);
			acc += at < 0 ? 0
				      : (check_get(type, a->input, (size_t)at) - a->input_zero) *
					(w - a->weights_zero);
		}
		int64_t y = type == CHECK_S16 ? check_requant64(acc, a->scale[n])
					      : check_requant(check_wrap(acc), a->scale[n]);
		y = check_clamp(check_wrap(y + a->output_zero), a->lo, a->hi);
		check_put(type, expected, i, y);
	}
	return expected;
}

struct run_q {
	const struct ek_conv_q_row *row;
	const struct ek_conv_q *args;
	void *scratch;
};

static void run_q(const void *args, const struct ek_tile *tile)
{
	const struct run_q *r = args;
	r->row->run(r->args, tile, r->scratch);
}

static void describe(struct check_subject *s, const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	snprintf(s->what, sizeof(s->what), "%ux%ux%ux%u k%ux%u o%u s%u%u d%u%u p%u%u", w->batch,
		w->y.in, w->x.in, shape->in_c, w->y.taps, w->x.taps, shape->out_c, w->y.stride,
		w->x.stride, w->y.dilation, w->x.dilation, w->y.pad, w->x.pad);
	s->rows = (uint32_t)pixels(w);
	s->cols = shape->out_c;
	s->work = (uint64_t)s->rows * s->cols * taps(w);
}

static struct ek_conv_q args_q(
	struct check *c, enum check_type type, const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	struct ek_conv_q a = {.shape = *shape};
	a.input = check_fill(c, type, (size_t)w->batch * w->y.in * w->x.in * shape->in_c);
	a.weights = check_weights(c, weights_type(type), (size_t)taps(w) * shape->out_c);
	a.scale = check_scales(c, shape->out_c);
	if (type == CHECK_S16) {
		int64_t *bias = check_buffer(c, shape->out_c * sizeof(*bias), sizeof(*bias));
		for (uint32_t n = 0; n < shape->out_c; n++) {
			bias[n] = (int64_t)check_between(c, -1000000, 1000000) * 1000;
		}
		a.bias64 = check_below(c, 4) ? bias : NULL;
	} else {
		int32_t lo = 0, hi = 0;
		check_range(type, &lo, &hi);
		a.bias32 = check_below(c, 4) ? check_s32(c, shape->out_c) : NULL;
		a.input_zero = check_between(c, lo, hi);
		a.output_zero = check_between(c, lo, hi);
	}
	a.weights_zero = type == CHECK_U8 ? check_between(c, 0, UINT8_MAX) : 0;
	check_limits(c, type, &a.lo, &a.hi);
	if (type != CHECK_S16) {
		check_full(c, type, &a.output_zero, &a.lo, &a.hi);
	}
	check_plain(c, type, &a.output_zero, &a.lo, &a.hi);
	a.weights_zero = c->bench && type == CHECK_U8 ? 128 : a.weights_zero;
	if (type != CHECK_S16 && !c->bench && check_below(c, 4) == 0) { /* the sum is the bias */
		memset((void *)a.input, a.input_zero,
			(size_t)w->batch * w->y.in * w->x.in * shape->in_c);
		a.bias32 = check_ties(c, a.scale, shape->out_c);
	}
	return a;
}

/* Sums within 32 of a bias that check_far() has: the middle tap is 1, the others 0. */
static struct ek_conv_q args_far(
	struct check *c, enum check_type type, const struct ek_conv_shape *shape)
{
	const int32_t zero = check_middle(type);
	const size_t n = (size_t)shape->window.y.in * shape->window.x.in * shape->in_c;
	const uint32_t weights = taps(&shape->window) * shape->out_c;
	struct ek_conv_q a = {
		.shape = *shape, .input_zero = zero, .weights_zero = zero, .output_zero = zero};
	void *input = check_buffer(c, n, 1), *to = check_buffer(c, weights, 1);
	for (size_t i = 0; i < n; i++) {
		check_put(type, input, i, zero + (int64_t)(i / shape->in_c % 64) - 32);
	}
	for (uint32_t i = 0; i < weights; i++) {
		bool middle = i / shape->out_c == taps(&shape->window) / 2;
		check_put(weights_type(type), to, i, zero + middle);
	}
	a.input = input;
	a.weights = to;
	check_far(c, shape->out_c, &a.scale, &a.bias32);
	check_range(type, &a.lo, &a.hi);
	return a;
}

/* One set of arguments, by all rows. */
static void check_args(struct check *c, size_t list, struct ek_conv_q a)
{
	enum check_type type = lists[list].type;
	const struct ek_conv_shape *shape = &a.shape;
	struct check_subject s = {.element_bytes = check_bytes(type), .run = run_q};
	describe(&s, shape);
	s.products = type == CHECK_S16 ? CHECK_OTHER : CHECK_BYTES;
	s.expected = naive(c, type, &a);
	const void *weights = a.weights;
	const size_t row_bytes = (size_t)shape->window.x.in * shape->in_c * check_bytes(type);
	for (size_t i = 0; i < *lists[list].count; i++) {
		const struct ek_conv_q_row *row = &lists[list].list[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		uint64_t packed = row->packed_bytes(shape);
		a.weights = weights;
		if (packed) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&a, to);
			a.weights = to;
		}
		a.output =
			check_buffer(c, (size_t)s.rows * s.cols * s.element_bytes, s.element_bytes);
		const struct run_q r = {
			row, &a, check_buffer(c, (size_t)row->scratch_bytes(shape), 64)};
		s.variant = &row->variant;
		s.col_step = row->col_step;
		s.output = a.output;
		s.args = &r;
		check_subject(c, &s);
		check_band(c, &s, &shape->window, row_bytes, &a.input);
	}
	check_free_all(c);
}

static void check_far_lines(struct check *c)
{
	const struct ek_window_axis size = {
		.in = 8, .out = 8, .taps = 3, .stride = 1, .dilation = 1, .pad = 1};
	const uint32_t channels[] = {16, 24, 64};
	for (size_t i = 0; i < 3; i++) {
		const struct ek_conv_shape shape = {
			.window = {1, size, size}, .in_c = channels[i], .out_c = channels[i]};
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
			if (lists[k].type != CHECK_S16) {
				check_args(c, k, args_far(c, lists[k].type, &shape));
			}
		}
	}
}

struct run_f32 {
	const struct ek_conv_f32_row *row;
	const struct ek_conv_f32 *args;
	void *scratch;
};

static void run_f32(const void *args, const struct ek_tile *tile)
{
	const struct run_f32 *r = args;
	r->row->run(r->args, tile, r->scratch);
}

/* In double; the slack is what float sums may lose. */
static float naive_f32(const struct ek_conv_f32 *a, size_t p, uint32_t n, double *ret_slack)
{
	double sum = a->bias ? (double)a->bias[n] : 0, magnitude = fabs(sum);
	for (uint32_t tap = 0; tap < taps(&a->shape.window); tap++) {
		int64_t at = input_at(&a->shape, p, tap, n);
		double w = (double)a->weights[(size_t)tap * a->shape.out_c + n];
		double product = at < 0 ? 0 : (double)a->input[at] * w;
		sum += product;
		magnitude += fabs(product);
	}
	*ret_slack = 1e-5 * magnitude + 1e-30;
	return (float)fmin(fmax(sum, (double)a->lo), (double)a->hi);
}

static void check_f32_list(struct check *c, const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	struct ek_conv_f32 a = {.shape = *shape, .lo = -2, .hi = 2};
	a.input = check_f32(c, (size_t)w->batch * w->y.in * w->x.in * shape->in_c);
	a.weights = check_f32(c, (size_t)taps(w) * shape->out_c);
	a.bias = check_below(c, 4) ? check_f32(c, shape->out_c) : NULL;
	struct check_subject s = {.element_bytes = sizeof(float), .run = run_f32};
	describe(&s, shape);
	s.products = CHECK_FLOATS;
	size_t n = (size_t)s.rows * s.cols;
	float *expected = check_buffer(c, n * sizeof(float), sizeof(float));
	double *slack = check_buffer(c, n * sizeof(double), sizeof(double));
	for (size_t i = 0; i < n && !c->bench; i++) {
		expected[i] = naive_f32(&a, i / s.cols, (uint32_t)(i % s.cols), &slack[i]);
	}
	s.expected = expected;
	s.slack = slack;
	for (size_t i = 0; i < ek_depthwise_f32_count; i++) {
		const struct ek_conv_f32_row *row = &ek_depthwise_f32[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		a.output = check_buffer(c, n * sizeof(float), sizeof(float));
		const struct run_f32 r = {
			row, &a, check_buffer(c, (size_t)row->scratch_bytes(shape), 64)};
		s.variant = &row->variant;
		s.col_step = row->col_step;
		s.output = a.output;
		s.args = &r;
		check_subject(c, &s);
	}
	check_free_all(c);
}

void check_depthwise(struct check *c)
{
	uint32_t cases = c->bench ? (uint32_t)n_layers : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		struct ek_conv_shape shape = c->bench ? shape_layer(i)
			: i % 4 == 3                  ? shape_common(c)
			: i % 8 == 2                  ? shape_tall(c)
			: i % 8 == 5                  ? shape_halves(c)
						      : shape_small(c);
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
			check_args(c, k, args_q(c, lists[k].type, &shape));
		}
		check_f32_list(c, &shape);
	}
	if (!c->bench) {
		check_far_lines(c);
	}
}
