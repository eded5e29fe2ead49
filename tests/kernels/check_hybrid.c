/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hybrid products are seen as convolutions here: a matrix product is one of 1x1 pictures, a batch
 * entry per row; a depthwise convolution has as many groups as input channels. Only the order of
 * the weights differs.
 */
#include <math.h>
#include <stdio.h>

#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/gemm/matmul.h"
#include "tests/kernels/kernel_check.h"

/* Operands of all three, with what a naive loop makes of them. */
struct operands {
	struct ek_conv_shape shape;
	bool taps_first; /* weights are [tap][n], not [n][tap][k] */
	uint32_t block; /* of a weights' row */
	const int8_t *input, *weights;
	const struct ek_hybrid_row *row;
	const float *scale, *bias;
	float lo, hi;
};

struct run {
	const struct ek_conv_h_row *conv_row; /* one of the three */
	const struct ek_conv_h_row *depthwise_row;
	const struct ek_matmul_h_row *matmul_row;
	struct ek_conv_h conv;
	struct ek_conv_h depthwise;
	struct ek_matmul_h matmul;
	void *scratch;
};

static void run_tile(const void *args, const struct ek_tile *tile)
{
	const struct run *r = args;
	if (r->conv_row) {
		r->conv_row->run(&r->conv, tile, r->scratch);
	} else if (r->depthwise_row) {
		r->depthwise_row->run(&r->depthwise, tile, NULL);
	} else {
		r->matmul_row->run(&r->matmul, tile, r->scratch);
	}
}

static float *scales(struct check *c, size_t n)
{
	float *scale = check_buffer(c, n * sizeof(*scale), sizeof(*scale));
	for (size_t i = 0; i < n; i++) {
		scale[i] = (float)check_between(c, 1, 1 << 20) * 0x1p-24f;
	}
	return scale;
}

static struct operands operands_of(
	struct check *c, const struct ek_conv_shape *shape, bool taps_first, uint32_t block)
{
	const struct ek_window *w = &shape->window;
	size_t n_weights = shape->out_c * ek_conv_depth(shape);
	struct operands o = {
		.shape = *shape, .taps_first = taps_first, .block = block, .lo = -40, .hi = 40};
	o.input = check_s8(c, (size_t)w->batch * w->y.in * w->x.in * shape->in_c);
	o.weights = check_s8(c, n_weights);
	o.scale = scales(c, n_weights / block);
	o.bias = check_below(c, 4) ? check_f32(c, shape->out_c) : NULL;
	struct ek_hybrid_row *row = check_buffer(c, w->batch * sizeof(*row), sizeof(float));
	const float *row_scale = scales(c, w->batch);
	for (uint32_t b = 0; b < w->batch; b++) {
		row[b] = (struct ek_hybrid_row){
			row_scale[b], check_below(c, 3) ? check_between(c, -128, 127) : 0};
	}
	o.row = row;
	return o;
}

/* What (pixel, tap, channel k of the group) adds before its zero point is taken off, in *ret. */
static bool input_at(const struct operands *o, size_t p, uint32_t tap, uint32_t k, int64_t *ret)
{
	const struct ek_window *w = &o->shape.window;
	int64_t x = (int64_t)(p % w->x.out) * w->x.stride - w->x.pad +
		(int64_t)(tap % w->x.taps) * w->x.dilation;
	int64_t y = (int64_t)(p / w->x.out % w->y.out) * w->y.stride - w->y.pad +
		(int64_t)(tap / w->x.taps) * w->y.dilation;
	size_t b = p / w->x.out / w->y.out;
	if (x < 0 || y < 0 || x >= w->x.in || y >= w->y.in) {
		return false;
	}
	*ret = o->input[((b * w->y.in + (size_t)y) * w->x.in + (size_t)x) * o->shape.in_c + k];
	return true;
}

/* The inner sums in integers, what follows rounded step by step. */
static float naive(const struct operands *o, size_t p, uint32_t n)
{
	const struct ek_conv_shape *s = &o->shape;
	uint32_t own = s->in_c / s->groups, group = n / (s->out_c / s->groups);
	size_t depth = ek_conv_depth(s), blocks = depth / o->block;
	struct ek_hybrid_row row = o->row[p / s->window.x.out / s->window.y.out];
	float sum = 0;
	int64_t dot = 0;
	for (size_t i = 0; i < depth; i++) {
		int64_t x = row.zero;
		(void)input_at(o, p, (uint32_t)(i / own), group * own + (uint32_t)(i % own), &x);
		size_t at = o->taps_first ? i * s->out_c + n : n * depth + i;
		dot += (x - row.zero) * o->weights[at];
		if ((i + 1) % o->block == 0) {
			float scale = row.scale * o->scale[n * blocks + i / o->block];
			sum += (float)check_wrap(dot) * scale;
			dot = 0;
		}
	}
	sum = o->bias ? sum + o->bias[n] : sum;
	return fminf(fmaxf(sum, o->lo), o->hi);
}

static void describe(
	struct check_subject *s, const char *family, const struct operands *o, size_t rows)
{
	const struct ek_conv_shape *shape = &o->shape;
	const struct ek_window *w = &shape->window;
	snprintf(s->what, sizeof(s->what), "%s %ux%ux%ux%u k%ux%u o%u g%u s%u%u d%u%u block %u",
		family, w->batch, w->y.in, w->x.in, shape->in_c, w->y.taps, w->x.taps, shape->out_c,
		shape->groups, w->y.stride, w->x.stride, w->y.dilation, w->x.dilation, o->block);
	s->rows = (uint32_t)rows;
	s->cols = shape->out_c;
	s->work = (uint64_t)rows * s->cols * ek_conv_depth(shape);
}

/* Runs what @r holds; its output must be a fresh one of @o's size. */
static void check_run(
	struct check *c, const struct operands *o, const char *family, struct check_subject *s)
{
	const struct ek_window *w = &o->shape.window;
	size_t rows = (size_t)w->batch * w->y.out * w->x.out, n = rows * o->shape.out_c;
	describe(s, family, o, rows);
	float *expected = check_buffer(c, n * sizeof(float), sizeof(float));
	for (size_t i = 0; i < n; i++) {
		expected[i] = naive(o, i / s->cols, (uint32_t)(i % s->cols));
	}
	s->element_bytes = sizeof(float);
	s->expected = expected;
	s->run = run_tile;
	check_subject(c, s);
}

static float *output(struct check *c, const struct operands *o)
{
	const struct ek_window *w = &o->shape.window;
	size_t n = (size_t)w->batch * w->y.out * w->x.out * o->shape.out_c;
	return check_buffer(c, n * sizeof(float), sizeof(float));
}

static void check_conv_h(struct check *c, const struct ek_conv_shape *shape)
{
	for (size_t i = 0; i < ek_conv_h8_count; i++) {
		const struct ek_conv_h_row *row = &ek_conv_h8[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		struct operands o = operands_of(c, shape, false, (uint32_t)ek_conv_depth(shape));
		struct run r = {
			.conv_row = row,
			.conv = {*shape, o.input, o.weights, o.row, o.scale, o.bias, o.lo, o.hi,
				false, output(c, &o)},
			.scratch = check_buffer(c, (size_t)row->scratch_bytes(shape), 64),
		};
		uint64_t packed = row->packed_bytes ? row->packed_bytes(&r.conv) : 0;
		if (packed && (c->bench || check_below(c, 4))) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&r.conv, to);
			r.conv.weights = to;
			r.conv.is_packed = true;
		}
		struct check_subject s = {.variant = &row->variant, .col_step = row->col_step};
		s.args = &r;
		s.output = r.conv.output;
		check_run(c, &o, "conv", &s);
	}
}

static void check_depthwise_h(struct check *c, struct ek_conv_shape shape)
{
	shape.groups = shape.in_c;
	shape.out_c = shape.in_c * (1 + check_below(c, 3));
	for (size_t i = 0; i < ek_depthwise_h8_count; i++) {
		const struct ek_conv_h_row *row = &ek_depthwise_h8[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		struct operands o = operands_of(c, &shape, true, (uint32_t)ek_conv_depth(&shape));
		const struct run r = {
			.depthwise_row = row,
			.depthwise = {shape, o.input, o.weights, o.row, o.scale, o.bias, o.lo, o.hi,
				false, output(c, &o)},
		};
		struct check_subject s = {.variant = &row->variant, .col_step = row->col_step};
		s.args = &r;
		s.output = r.depthwise.output;
		check_run(c, &o, "depthwise", &s);
	}
}

static void check_matmul_h(struct check *c, uint32_t rows, uint32_t cols, uint32_t block)
{
	uint32_t depth = block * (c->bench || check_below(c, 2) ? 1 : 2 + check_below(c, 3));
	const struct ek_window_axis one = {
		.in = 1, .out = 1, .taps = 1, .stride = 1, .dilation = 1};
	const struct ek_conv_shape shape = {
		.window = {rows, one, one}, .in_c = depth, .out_c = cols, .groups = 1};
	for (size_t i = 0; i < ek_matmul_h8_count; i++) {
		const struct ek_matmul_h_row *row = &ek_matmul_h8[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		struct operands o = operands_of(c, &shape, false, block);
		struct run r = {
			.matmul_row = row,
			.matmul = {{rows, cols, depth}, o.input, o.weights, o.row, o.scale, block,
				o.bias, o.lo, o.hi, false, output(c, &o)},
		};
		r.scratch = check_buffer(c, (size_t)row->scratch_bytes(&r.matmul.shape), 64);
		uint64_t packed = row->packed_bytes ? row->packed_bytes(&r.matmul) : 0;
		if (packed && (c->bench || check_below(c, 4))) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&r.matmul, to);
			r.matmul.w = to;
			r.matmul.is_packed = true;
		}
		struct check_subject s = {.variant = &row->variant, .col_step = row->col_step};
		s.args = &r;
		s.output = r.matmul.output;
		check_run(c, &o, "matmul", &s);
	}
}

static struct ek_conv_shape shape_of(struct check *c)
{
	uint32_t groups = check_below(c, 4) ? 1 : 1 + check_below(c, 3);
	return (struct ek_conv_shape){
		.window = c->bench ? check_window_large(16, 3, 1) : check_window(c, true),
		.in_c = c->bench ? 32 : groups * (1 + check_below(c, 20)),
		.out_c = c->bench ? 32 : groups * (1 + check_below(c, 30)),
		.groups = c->bench ? 1 : groups,
	};
}

void check_hybrid(struct check *c)
{
	uint32_t cases = c->bench ? 1 : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		struct ek_conv_shape shape = shape_of(c);
		check_conv_h(c, &shape);
		check_depthwise_h(c, shape);
		check_matmul_h(c, 1 + check_below(c, 6), c->bench ? 256 : 1 + check_below(c, 70),
			c->bench ? 1024 : 1 + check_below(c, 100));
		check_free_all(c);
	}
}
