/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "kernels/gemm/matmul.h"
#include "tests/kernels/kernel_check.h"

static const struct {
	enum check_type type;
	const struct ek_matmul_q_row *list;
	const size_t *count;
} lists[] = {
	{CHECK_S8, ek_matmul_s8, &ek_matmul_s8_count},
	{CHECK_U8, ek_matmul_u8, &ek_matmul_u8_count},
	{CHECK_S16, ek_matmul_s16, &ek_matmul_s16_count},
};

static enum check_type weights_type(enum check_type type)
{
	return type == CHECK_U8 ? CHECK_U8 : CHECK_S8;
}

static void describe(struct check_subject *s, const struct ek_matmul_shape *shape)
{
	snprintf(s->what, sizeof(s->what), "%u rows, %u columns, depth %u", shape->rows,
		shape->cols, shape->depth);
	s->rows = shape->rows;
	s->cols = shape->cols;
	s->work = (uint64_t)shape->rows * shape->cols * shape->depth;
}

static void *naive(
	struct check *c, enum check_type type, const struct ek_matmul_q *a, enum check_type out)
{
	size_t cols = a->shape.cols, depth = a->shape.depth, n = a->shape.rows * cols;
	void *expected = check_buffer(c, n * check_bytes(out), check_bytes(out));
	for (size_t i = 0; i < n && !c->bench; i++) {
		size_t row = i / cols, col = i % cols;
		int64_t acc = a->bias32 ? a->bias32[col] : a->bias64 ? a->bias64[col] : 0;
		for (size_t k = 0; k < depth; k++) {
			acc += (int64_t)(check_get(type, a->a, row * depth + k) - a->input_zero) *
				(check_get(weights_type(type), a->w, col * depth + k) -
					a->weights_zero);
		}
		acc = a->wide ? acc : check_wrap(acc);
		double real = (double)acc * a->scale[col];
		/* ties away from zero, cut to int32 */
		real = real < 0 ? ceil(real - 0.5) : floor(real + 0.5);
		int64_t y = a->fixed ? check_requant((int32_t)acc, a->fixed[col])
				     : (int64_t)fmin(fmax(real, INT32_MIN), INT32_MAX);
		y = check_clamp(check_wrap(y + a->output_zero), a->lo, a->hi);
		check_put(out, expected, i, y);
	}
	return expected;
}

struct run_q {
	const struct ek_matmul_q_row *row;
	const struct ek_matmul_q *args;
	void *scratch;
};

static void run_q(const void *args, const struct ek_tile *tile)
{
	const struct run_q *r = args;
	r->row->run(r->args, tile, r->scratch);
}

static struct ek_matmul_q args_q(
	struct check *c, enum check_type type, const struct ek_matmul_shape *shape)
{
	struct ek_matmul_q a = {.shape = *shape};
	a.a = check_fill(c, type, (size_t)shape->rows * shape->depth);
	a.w = check_weights(c, weights_type(type), (size_t)shape->cols * shape->depth);
	a.bias32 = check_below(c, 4) ? check_s32(c, shape->cols) : NULL;
	a.wide = type == CHECK_S16 && check_below(c, 2);
	a.output_s16 = type == CHECK_S16 || check_below(c, 4) == 0;
	double *scale = check_buffer(c, shape->cols * sizeof(*scale), sizeof(*scale));
	for (uint32_t n = 0; n < shape->cols; n++) {
		/* halves make ties */
		scale[n] = check_below(c, 3) ? check_between(c, 1, 1 << 30) * 0x1p-40 : 0.5;
	}
	a.scale = scale;
	a.fixed = type == CHECK_S8 && check_below(c, 4) == 0 ? check_scales(c, shape->cols) : NULL;
	int32_t lo = 0, hi = 0;
	check_range(type, &lo, &hi);
	a.input_zero = type == CHECK_S16 ? 0 : check_between(c, lo, hi);
	a.weights_zero = type == CHECK_U8 ? check_between(c, 0, UINT8_MAX) : 0;
	a.output_zero = type == CHECK_S16 ? 0 : check_between(c, lo, hi);
	check_limits(c, a.output_s16 ? CHECK_S16 : type, &a.lo, &a.hi);
	if (c->bench) {
		a.output_s16 = type == CHECK_S16;
		a.fixed = NULL;
		a.weights_zero = type == CHECK_U8 ? 128 : 0;
		check_plain(c, type, &a.output_zero, &a.lo, &a.hi);
	}
	return a;
}

static void check_q(struct check *c, size_t list, const struct ek_matmul_shape *shape)
{
	enum check_type type = lists[list].type;
	struct ek_matmul_q a = args_q(c, type, shape);
	enum check_type out = a.output_s16 ? CHECK_S16 : type;
	struct check_subject s = {.element_bytes = check_bytes(out), .run = run_q};
	describe(&s, shape);
	s.products = type == CHECK_S16 ? CHECK_OTHER : CHECK_BYTES;
	s.expected = naive(c, type, &a, out);
	const void *weights = a.w;
	for (size_t i = 0; i < *lists[list].count; i++) {
		const struct ek_matmul_q_row *row = &lists[list].list[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		uint64_t packed = row->packed_bytes(shape);
		a.w = weights;
		if (packed) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&a, to);
			a.w = to;
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
	}
	check_free_all(c);
}

struct run_f32 {
	const struct ek_matmul_f32_row *row;
	const struct ek_matmul_f32 *args;
};

static void run_f32(const void *args, const struct ek_tile *tile)
{
	const struct run_f32 *r = args;
	r->row->run(r->args, tile);
}

static void check_f32_list(struct check *c, const struct ek_matmul_shape *shape)
{
	struct ek_matmul_f32 a = {.shape = *shape, .lo = -2, .hi = 2};
	a.a = check_f32(c, (size_t)shape->rows * shape->depth);
	a.w = check_f32(c, (size_t)shape->cols * shape->depth);
	a.bias = check_below(c, 4) ? check_f32(c, shape->cols) : NULL;
	struct check_subject s = {.element_bytes = sizeof(float), .run = run_f32};
	describe(&s, shape);
	s.products = CHECK_FLOATS;
	size_t n = (size_t)s.rows * s.cols;
	float *expected = check_buffer(c, n * sizeof(float), sizeof(float));
	double *slack = check_buffer(c, n * sizeof(double), sizeof(double));
	for (size_t i = 0; i < n && !c->bench; i++) {
		size_t row = i / s.cols, col = i % s.cols;
		double sum = a.bias ? (double)a.bias[col] : 0, magnitude = fabs(sum);
		for (size_t k = 0; k < shape->depth; k++) {
			double product = (double)a.a[row * shape->depth + k] *
				(double)a.w[col * shape->depth + k];
			sum += product;
			magnitude += fabs(product);
		}
		expected[i] = (float)fmin(fmax(sum, (double)a.lo), (double)a.hi);
		slack[i] = 1e-5 * magnitude + 1e-30;
	}
	s.expected = expected;
	s.slack = slack;
	const float *weights = a.w;
	for (size_t i = 0; i < ek_matmul_f32_count; i++) {
		const struct ek_matmul_f32_row *row = &ek_matmul_f32[i];
		if (!check_wants(c, &row->variant)) {
			continue;
		}
		uint64_t packed = row->packed_bytes(shape);
		a.w = weights;
		if (packed) {
			void *to = check_buffer(c, (size_t)packed, 64);
			row->pack(&a, to);
			a.w = to;
		}
		a.output = check_buffer(c, n * sizeof(float), sizeof(float));
		const struct run_f32 r = {row, &a};
		s.variant = &row->variant;
		s.col_step = row->col_step;
		s.output = a.output;
		s.args = &r;
		check_subject(c, &s);
	}
	check_free_all(c);
}

#define BENCH_LAYERS 4

/* Degenerate first; one beyond 2^15, where sums of products leave a chunk; then anything. */
static struct ek_matmul_shape shape_of(struct check *c, uint32_t i)
{
	static const struct ek_matmul_shape first[] = {
		{1, 1, 1}, {1, 1, 2}, {2, 1, 1}, {1, 3, 1}, {1, 2, 32769}, {1, 2, 70001}};
	static const struct ek_matmul_shape layers[BENCH_LAYERS] = {
		{1, 128, 128}, {1, 256, 1024}, {1, 1001, 1280}, {16, 512, 512}};
	if (c->bench) {
		return layers[i];
	}
	if (i < sizeof(first) / sizeof(first[0])) {
		return first[i];
	}
	return (struct ek_matmul_shape){
		1 + check_below(c, 6), 1 + check_below(c, 70), 1 + check_below(c, 300)};
}

void check_matmul(struct check *c)
{
	uint32_t cases = c->bench ? BENCH_LAYERS : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		struct ek_matmul_shape shape = shape_of(c, i);
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
			check_q(c, k, &shape);
		}
		check_f32_list(c, &shape);
	}
}
