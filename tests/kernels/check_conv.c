/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/conv/conv.h"
#include "tests/kernels/kernel_check.h"

static const struct {
	enum check_type type;
	const struct ek_conv_q_row *list;
	const size_t *count;
} lists[] = {
	{CHECK_S8, ek_conv_s8, &ek_conv_s8_count},
	{CHECK_U8, ek_conv_u8, &ek_conv_u8_count},
	{CHECK_S16, ek_conv_s16, &ek_conv_s16_count},
};

static enum check_type weights_type(enum check_type type)
{
	return type == CHECK_U8 ? CHECK_U8 : CHECK_S8;
}

static struct ek_conv_shape shape_small(struct check *c)
{
	uint32_t groups = check_below(c, 4) ? 1 : 1 + check_below(c, 3);
	return (struct ek_conv_shape){
		.window = check_window(c, true),
		.in_c = groups * (1 + check_below(c, check_below(c, 2) ? 3 : 40)),
		/* Beyond two panels of 64 channels now and then. */
		.out_c = groups *
			(1 +
				check_below(c,
					check_below(c, 2)           ? 3
						: check_below(c, 4) ? 70
								    : 150)),
		.groups = groups,
	};
}

/* First layers, products, and what comes between. */
static struct ek_conv_shape shape_common(struct check *c)
{
	static const uint32_t outputs[] = {8, 16, 24, 32, 48, 64, 96, 128};
	static const uint32_t inputs[] = {1, 3, 8, 16, 24, 32, 72};
	return (struct ek_conv_shape){
		.window = check_window_common(c, check_below(c, 2) ? 1 : 3),
		.in_c = check_below(c, 3) ? inputs[check_below(c, 7)] : 3,
		.out_c = outputs[check_below(c, 8)],
		.groups = 1,
	};
}

/* Layers of real networks, to measure: products of all depths, filters, first layers. */
static const struct {
	uint32_t size, in_c, out_c, taps, stride;
} layers[] = {
	{112, 16, 96, 1, 1},
	{112, 32, 64, 1, 1},
	{56, 64, 128, 1, 1},
	{56, 128, 128, 1, 1},
	{28, 256, 256, 1, 1},
	{14, 512, 512, 1, 1},
	{7, 1024, 1024, 1, 1},
	{56, 144, 24, 1, 1},
	{32, 16, 16, 3, 1},
	{16, 32, 32, 3, 1},
	{8, 64, 64, 3, 1},
	{224, 3, 32, 3, 2},
	{96, 3, 8, 3, 2},
	{32, 3, 16, 3, 1},
};
static const size_t n_layers = sizeof(layers) / sizeof(layers[0]);

static struct ek_conv_shape shape_layer(size_t i)
{
	return (struct ek_conv_shape){
		.window = check_window_large(layers[i].size, layers[i].taps, layers[i].stride),
		.in_c = layers[i].in_c,
		.out_c = layers[i].out_c,
		.groups = 1,
	};
}

static size_t pixels(const struct ek_window *w)
{
	return (size_t)w->batch * w->y.out * w->x.out;
}

/* Index of what (pixel, tap, group channel c) reads, or -1 outside of the picture. */
static int64_t input_at(
	const struct ek_conv_shape *s, size_t p, uint32_t ky, uint32_t kx, uint32_t channel)
{
	const struct ek_window *w = &s->window;
	int64_t x = (int64_t)(p % w->x.out) * w->x.stride - w->x.pad + (int64_t)kx * w->x.dilation;
	int64_t y = (int64_t)(p / w->x.out % w->y.out) * w->y.stride - w->y.pad +
		(int64_t)ky * w->y.dilation;
	int64_t b = (int64_t)(p / w->x.out / w->y.out);
	if (x < 0 || y < 0 || x >= w->x.in || y >= w->y.in) {
		return -1;
	}
	return ((b * w->y.in + y) * w->x.in + x) * s->in_c + channel;
}

static int64_t naive_sum(enum check_type type, const struct ek_conv_q *a, size_t p, uint32_t n)
{
	const struct ek_conv_shape *s = &a->shape;
	uint32_t depth = s->in_c / s->groups, group = n / (s->out_c / s->groups);
	size_t at = n * ek_conv_depth(s);
	int64_t sum = 0;
	for (uint32_t ky = 0; ky < s->window.y.taps; ky++) {
		for (uint32_t kx = 0; kx < s->window.x.taps; kx++) {
			for (uint32_t k = 0; k < depth; k++, at++) {
				int64_t i = input_at(s, p, ky, kx, group * depth + k);
				int64_t w = check_get(weights_type(type), a->weights, at);
				sum += i < 0
					? 0
					: (check_get(type, a->input, (size_t)i) - a->input_zero) *
						(w - a->weights_zero);
			}
		}
	}
	return sum;
}

static void *naive(struct check *c, enum check_type type, const struct ek_conv_q *a)
{
	size_t rows = pixels(&a->shape.window), cols = a->shape.out_c;
	void *expected = check_buffer(c, rows * cols * check_bytes(type), check_bytes(type));
	for (size_t i = 0; i < rows * cols && !c->bench; i++) {
		uint32_t n = (uint32_t)(i % cols);
		int64_t acc = naive_sum(type, a, i / cols, n);
		acc += a->bias32 ? a->bias32[n] : a->bias64 ? a->bias64[n] : 0;
		int64_t y = a->wide  ? check_requant64(acc, a->scale[n])
			: a->ties_up ? check_requant_up(check_wrap(acc), a->scale[n])
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
	snprintf(s->what, sizeof(s->what), "%ux%ux%ux%u k%ux%u o%u g%u s%u%u d%u%u p%u%u", w->batch,
		w->y.in, w->x.in, shape->in_c, w->y.taps, w->x.taps, shape->out_c, shape->groups,
		w->y.stride, w->x.stride, w->y.dilation, w->x.dilation, w->y.pad, w->x.pad);
	s->rows = (uint32_t)pixels(w);
	s->cols = shape->out_c;
	s->work = (uint64_t)s->rows * s->cols * ek_conv_depth(shape);
}

static struct ek_conv_q args_q(
	struct check *c, enum check_type type, const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	struct ek_conv_q a = {.shape = *shape};
	a.input = check_fill(c, type, (size_t)w->batch * w->y.in * w->x.in * shape->in_c);
	a.weights = check_weights(c, weights_type(type), shape->out_c * ek_conv_depth(shape));
	a.wide = type == CHECK_S16 && check_below(c, 2);
	if (a.wide && check_below(c, 4)) {
		int64_t *bias = check_buffer(c, shape->out_c * sizeof(*bias), sizeof(*bias));
		for (uint32_t n = 0; n < shape->out_c; n++) {
			bias[n] = (int64_t)check_between(c, -1000000, 1000000) * 1000;
		}
		a.bias64 = bias;
	} else if (check_below(c, 8)) {
		a.bias32 = check_s32(c, shape->out_c);
	}
	a.scale = check_scales(c, shape->out_c);
	if (type != CHECK_S16) {
		int32_t lo = 0, hi = 0;
		check_range(type, &lo, &hi);
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
	a.ties_up = type == CHECK_S8 && !c->bench && check_below(c, 3) == 0;
	bool ties = a.ties_up || check_below(c, 4) == 0;
	if (type != CHECK_S16 && !c->bench && ties) { /* the sum is the bias */
		memset((void *)a.input, a.input_zero,
			(size_t)w->batch * w->y.in * w->x.in * shape->in_c);
		a.bias32 = check_ties(c, a.scale, shape->out_c);
	}
	return a;
}

/* Sums within 32 of a bias that check_far() has: one weight of a filter is 1, the others 0. */
static struct ek_conv_q args_far(
	struct check *c, enum check_type type, const struct ek_conv_shape *shape)
{
	const int32_t zero = check_middle(type);
	const size_t n = (size_t)shape->window.y.in * shape->window.x.in * shape->in_c;
	const size_t depth = ek_conv_depth(shape), one = depth / 2;
	struct ek_conv_q a = {
		.shape = *shape, .input_zero = zero, .weights_zero = zero, .output_zero = zero};
	void *input = check_buffer(c, n, 1), *to = check_buffer(c, depth * shape->out_c, 1);
	for (size_t i = 0; i < n; i++) {
		check_put(type, input, i, zero + (int64_t)(i / shape->in_c % 64) - 32);
	}
	for (size_t i = 0; i < depth * shape->out_c; i++) {
		check_put(weights_type(type), to, i, zero + (i % depth == one));
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
	static const struct {
		uint32_t in_c, out_c, taps;
	} shapes[] = {{3, 8, 3}, {3, 16, 3}, {16, 64, 1}, {16, 24, 1}, {16, 16, 3}, {32, 32, 3}};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct ek_window_axis size = {.in = 8,
			.out = 8,
			.taps = shapes[i].taps,
			.stride = 1,
			.dilation = 1,
			.pad = shapes[i].taps / 2};
		const struct ek_conv_shape shape = {.window = {1, size, size},
			.in_c = shapes[i].in_c,
			.out_c = shapes[i].out_c,
			.groups = 1};
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

/* In double; the slack is what float sums may lose: a few units in the last place of every product.
 */
static float naive_f32(const struct ek_conv_f32 *a, size_t p, uint32_t n, double *ret_slack)
{
	const struct ek_conv_shape *s = &a->shape;
	uint32_t depth = s->in_c / s->groups, group = n / (s->out_c / s->groups);
	size_t at = n * ek_conv_depth(s);
	double sum = a->bias ? (double)a->bias[n] : 0, magnitude = fabs(sum);
	for (uint32_t tap = 0; tap < s->window.y.taps * s->window.x.taps; tap++) {
		for (uint32_t k = 0; k < depth; k++, at++) {
			int64_t i = input_at(s, p, tap / s->window.x.taps, tap % s->window.x.taps,
				group * depth + k);
			double product = i < 0 ? 0 : (double)a->input[i] * (double)a->weights[at];
			sum += product;
			magnitude += fabs(product);
		}
	}
	*ret_slack = 1e-5 * magnitude + 1e-30;
	return (float)fmin(fmax(sum, (double)a->lo), (double)a->hi);
}

/* What rows that pack weights have to the bit: the bias, then one fused multiply-add for each tap and
 * channel, of zero outside of the picture. */
static float chain_f32(const struct ek_conv_f32 *a, size_t p, uint32_t n)
{
	const struct ek_conv_shape *s = &a->shape;
	const float *w = a->weights + n * ek_conv_depth(s);
	float sum = a->bias ? a->bias[n] : 0;
	for (uint32_t tap = 0; tap < s->window.y.taps * s->window.x.taps; tap++) {
		for (uint32_t k = 0; k < s->in_c; k++, w++) {
			int64_t i =
				input_at(s, p, tap / s->window.x.taps, tap % s->window.x.taps, k);
			sum = fmaf(i < 0 ? 0 : a->input[i], *w, sum);
		}
	}
	sum = sum < a->lo ? a->lo : sum;
	return sum > a->hi ? a->hi : sum;
}

static struct ek_conv_f32 args_f32(struct check *c, const struct ek_conv_shape *shape)
{
	const struct ek_window *w = &shape->window;
	struct ek_conv_f32 a = {.shape = *shape, .lo = -1, .hi = check_below(c, 2) ? 6 : 1e30f};
	size_t inputs = (size_t)w->batch * w->y.in * w->x.in * shape->in_c;
	float *input = check_f32(c, inputs);
	a.weights = check_f32(c, shape->out_c * ek_conv_depth(shape));
	a.bias = check_below(c, 4) ? check_f32(c, shape->out_c) : NULL;
	if (!c->bench && check_below(c, 4) == 0) { /* sums too small for a normal float */
		for (size_t i = 0; i < inputs; i++) {
			input[i] *= 0x1p-130f;
		}
		a.bias = NULL;
	}
	a.input = input;
	return a;
}

static void check_f32_list(struct check *c, const struct ek_conv_shape *shape)
{
	struct ek_conv_f32 a = args_f32(c, shape);
	struct check_subject s = {.element_bytes = sizeof(float), .run = run_f32};
	describe(&s, shape);
	s.products = CHECK_FLOATS;
	size_t n = (size_t)s.rows * s.cols;
	float *near = check_buffer(c, n * sizeof(float), sizeof(float));
	float *chain = check_buffer(c, n * sizeof(float), sizeof(float));
	double *slack = check_buffer(c, n * sizeof(double), sizeof(double));
	for (size_t i = 0; i < n && !c->bench; i++) {
		near[i] = naive_f32(&a, i / s.cols, (uint32_t)(i % s.cols), &slack[i]);
		chain[i] =
			shape->groups > 1 ? 0 : chain_f32(&a, i / s.cols, (uint32_t)(i % s.cols));
	}
	const float *weights = a.weights;
	for (size_t i = 0; i < ek_conv_f32_count; i++) {
		const struct ek_conv_f32_row *row = &ek_conv_f32[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		uint64_t packed = row->packed_bytes(shape);
		a.weights = weights;
		s.expected = packed ? chain : near;
		s.slack = packed ? NULL : slack;
		if (packed) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&a, to);
			a.weights = to;
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

void check_conv(struct check *c)
{
	uint32_t cases = c->bench ? (uint32_t)n_layers : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		struct ek_conv_shape shape = c->bench ? shape_layer(i)
			: i % 4 == 3                  ? shape_common(c)
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
