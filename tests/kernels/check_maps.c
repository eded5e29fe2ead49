/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and resize: rows whose elements depend on more than one of the source. */
#include <stdio.h>

#include "kernels/resize.h"
#include "kernels/softmax.h"
#include "tests/kernels/check.h"

struct softmax {
	const struct ek_softmax *row;
	struct ek_softmax_params params;
	const char *src;
	char *dst;
	size_t n, in_bytes, out_bytes;
};

static void run_softmax(const void *args, const struct ek_tile *tile)
{
	const struct softmax *s = args;
	uint32_t end = tile->n_cols ? tile->first_row + tile->n_rows : tile->first_row;
	for (uint32_t i = tile->first_row; i < end; i++) {
		s->row->run(s->dst + i * s->n * s->out_bytes, s->src + i * s->n * s->in_bytes, s->n,
			&s->params);
	}
}

/* What is expected is entry 0's answer: golden cases compare that with the reference. */
static void check_softmax(struct check *c)
{
	static const struct {
		const struct ek_softmax *list;
		const size_t *count;
		enum check_type in, out;
	} lists[] = {
		{ek_softmax_s8, &ek_softmax_s8_count, CHECK_S8, CHECK_S8},
		{ek_softmax_u8, &ek_softmax_u8_count, CHECK_U8, CHECK_U8},
		{ek_softmax_s8to16, &ek_softmax_s8to16_count, CHECK_S8, CHECK_S16},
		{ek_softmax_u8to16, &ek_softmax_u8to16_count, CHECK_U8, CHECK_S16},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		const uint32_t rows = 3;
		struct softmax a = {.in_bytes = check_bytes(lists[k].in),
			.out_bytes = check_bytes(lists[k].out)};
		a.n = c->bench ? 1001 : 1 + check_below(c, check_below(c, 2) ? 20 : 300);
		struct ek_scale scale = {
			check_between(c, 1 << 30, INT32_MAX), 12 + (int32_t)check_below(c, 16)};
		int32_t exp8[256];
		ek_softmax_exp8(scale, -(31 << 26 >> scale.shift), exp8);
		a.params.exp8 = exp8;
		a.params.out_bits = (int32_t)(8 * a.out_bytes);
		check_range(lists[k].out, &a.params.out_lo, &a.params.out_hi);
		a.src = check_fill(c, lists[k].in, rows * a.n);
		struct check_subject s = {.rows = rows,
			.cols = (uint32_t)a.n,
			.col_step = (uint32_t)a.n,
			.element_bytes = a.out_bytes,
			.work = rows * a.n,
			.run = run_softmax,
			.args = &a};
		snprintf(s.what, sizeof(s.what), "n %zu", a.n);
		s.expected = a.dst = check_buffer(c, rows * a.n * a.out_bytes, a.out_bytes);
		a.row = &lists[k].list[0];
		run_softmax(&a, &(struct ek_tile){.n_rows = rows, .n_cols = (uint32_t)a.n});
		for (size_t v = 0; v < *lists[k].count; v++) {
			a.row = &lists[k].list[v];
			s.variant = &a.row->variant;
			s.output = a.dst = check_buffer(c, rows * a.n * a.out_bytes, a.out_bytes);
			if (check_wants(c, s.variant)) {
				check_subject(c, &s);
			}
		}
		check_free_all(c);
	}
}

struct resize {
	const struct ek_resize *row;
	const void *row0, *row1;
	const struct ek_resize_point *points;
	struct ek_resize_point y;
	char *dst;
	size_t channels, element_bytes;
};

static void run_resize(const void *args, const struct ek_tile *tile)
{
	const struct resize *r = args;
	size_t first = tile->first_col / r->channels;
	size_t n = tile->n_rows ? tile->n_cols / r->channels : 0;
	r->row->run(r->dst + tile->first_col * r->element_bytes, r->row0, r->row1, n, r->channels,
		r->points + first, &r->y);
}

static int64_t naive_resize(
	const struct resize *r, enum check_type type, size_t pixel, size_t channel)
{
	const struct ek_resize_point *x = &r->points[pixel];
	size_t left = (size_t)x->x0 * r->channels + channel;
	size_t right = (size_t)x->x1 * r->channels + channel;
	int64_t a = check_get(type, r->row0, left), b = check_get(type, r->row1, left);
	int64_t p = check_get(type, r->row0, right), q = check_get(type, r->row1, right);
	int64_t wx = x->weight.fixed, wy = r->y.weight.fixed;
	return check_divide(
		(1024 - wx) * ((1024 - wy) * a + wy * b) + wx * ((1024 - wy) * p + wy * q),
		1 << 20);
}

static void check_resize(struct check *c)
{
	static const struct {
		const struct ek_resize *list;
		const size_t *count;
		enum check_type type;
	} lists[] = {
		{ek_resize_s8, &ek_resize_s8_count, CHECK_S8},
		{ek_resize_s16, &ek_resize_s16_count, CHECK_S16},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		enum check_type type = lists[k].type;
		uint32_t n = c->bench ? 256 : 1 + check_below(c, 20), in = 1 + check_below(c, 12);
		struct resize r = {.element_bytes = check_bytes(type)};
		r.channels = c->bench ? 16 : 1 + check_below(c, 40);
		struct ek_resize_point *points = check_buffer(c, n * sizeof(*points), 8);
		for (uint32_t i = 0; i < n; i++) {
			points[i].x0 = (int32_t)check_below(c, in);
			points[i].x1 = points[i].x0 + ((uint32_t)points[i].x0 + 1 < in);
			points[i].weight.fixed = check_between(c, 0, 1023);
		}
		r.points = points;
		r.y.weight.fixed = check_between(c, 0, 1023);
		r.row0 = check_fill(c, type, in * r.channels);
		r.row1 = check_fill(c, type, in * r.channels);
		size_t elements = n * r.channels;
		struct check_subject s = {.rows = 1,
			.cols = (uint32_t)elements,
			.col_step = (uint32_t)r.channels,
			.element_bytes = r.element_bytes,
			.work = elements,
			.run = run_resize,
			.args = &r};
		snprintf(
			s.what, sizeof(s.what), "%u of %u pixels, %zu channels", n, in, r.channels);
		void *expected = check_buffer(c, elements * r.element_bytes, r.element_bytes);
		for (size_t i = 0; i < elements; i++) {
			check_put(type, expected, i,
				naive_resize(&r, type, i / r.channels, i % r.channels));
		}
		s.expected = expected;
		for (size_t v = 0; v < *lists[k].count; v++) {
			r.row = &lists[k].list[v];
			s.variant = &r.row->variant;
			r.dst = s.output =
				check_buffer(c, elements * r.element_bytes, r.element_bytes);
			if (check_wants(c, s.variant)) {
				check_subject(c, &s);
			}
		}
		check_free_all(c);
	}
}

/* The four products, each rounded, and their sums in the header's order. */
static float naive_resize_f32(const struct resize *r, size_t pixel, size_t channel)
{
	const struct ek_resize_point *x = &r->points[pixel];
	size_t left = (size_t)x->x0 * r->channels + channel;
	size_t right = (size_t)x->x1 * r->channels + channel;
	const float *row0 = r->row0, *row1 = r->row1;
	float wx = x->weight.real, wy = r->y.weight.real;
	float a = row0[left] * (1 - wy), b = row1[left] * wy;
	float p = row0[right] * (1 - wy), q = row1[right] * wy;
	return a * (1 - wx) + b * (1 - wx) + p * wx + q * wx;
}

static void check_resize_f32(struct check *c)
{
	uint32_t n = c->bench ? 256 : 1 + check_below(c, 20), in = 1 + check_below(c, 12);
	struct resize r = {.element_bytes = sizeof(float)};
	r.channels = c->bench ? 21 : 1 + check_below(c, 40);
	struct ek_resize_point *points = check_buffer(c, n * sizeof(*points), 8);
	for (uint32_t i = 0; i < n; i++) {
		points[i].x0 = (int32_t)check_below(c, in);
		points[i].x1 = points[i].x0 + ((uint32_t)points[i].x0 + 1 < in);
		points[i].weight.real = (float)check_below(c, 1024) / 1024;
	}
	r.points = points;
	r.y.weight.real = (float)check_below(c, 1000) / 1000;
	r.row0 = check_f32(c, in * r.channels);
	r.row1 = check_f32(c, in * r.channels);
	size_t elements = n * r.channels;
	struct check_subject s = {.rows = 1,
		.cols = (uint32_t)elements,
		.col_step = (uint32_t)r.channels,
		.element_bytes = sizeof(float),
		.work = elements,
		.run = run_resize,
		.args = &r};
	snprintf(s.what, sizeof(s.what), "%u of %u pixels, %zu channels", n, in, r.channels);
	float *expected = check_buffer(c, elements * sizeof(float), sizeof(float));
	for (size_t i = 0; i < elements; i++) {
		expected[i] = naive_resize_f32(&r, i / r.channels, i % r.channels);
	}
	s.expected = expected;
	for (size_t v = 0; v < ek_resize_f32_count; v++) {
		r.row = &ek_resize_f32[v];
		s.variant = &r.row->variant;
		r.dst = s.output = check_buffer(c, elements * sizeof(float), sizeof(float));
		if (check_wants(c, s.variant)) {
			check_subject(c, &s);
		}
	}
	check_free_all(c);
}

void check_maps(struct check *c)
{
	uint32_t cases = c->bench ? 1 : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		check_softmax(c);
		check_resize(c);
		check_resize_f32(c);
	}
}
