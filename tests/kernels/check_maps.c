/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, resize and the greatest element: what depends on more than one element of the source. */
#include <stdio.h>

#include "kernels/move/resize.h"
#include "kernels/reduce/argmax.h"
#include "kernels/softmax/softmax.h"
#include "tests/kernels/kernel_check.h"

struct softmax {
	const struct ek_softmax *row;
	struct ek_softmax_params params;
	const void *src;
	void *dst;
	size_t n, in_bytes, out_bytes;
};

static void run_softmax(const void *args, const struct ek_tile *tile)
{
	const struct softmax *s = args;
	uint32_t end = tile->n_cols ? tile->first_row + tile->n_rows : tile->first_row;
	for (uint32_t i = tile->first_row; i < end; i++) {
		s->row->run((char *)s->dst + i * s->n * s->out_bytes,
			(const char *)s->src + i * s->n * s->in_bytes, s->n, &s->params);
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
			if (!check_wants(c, s.variant)) {
				continue;
			}
			check_subject(c, &s);
			if (a.in_bytes == a.out_bytes) {
				check_in_place(c, &s, &a.src, &a.dst);
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
		uint32_t n = c->bench ? 256 : 1 + check_below(c, 20);
		uint32_t in = c->bench ? 32 : 1 + check_below(c, 12);
		struct resize r = {.element_bytes = check_bytes(type)};
		r.channels = c->bench ? 16 : 1 + check_below(c, 40);
		struct ek_resize_point *points = check_buffer(c, n * sizeof(*points), 8);
		for (uint32_t i = 0; i < n; i++) {
			points[i].x0 = (int32_t)(c->bench ? i * in / n : check_below(c, in));
			points[i].x1 = points[i].x0 + ((uint32_t)points[i].x0 + 1 < in);
			/* At the border they are beyond. */
			points[i].weight.fixed = points[i].x0 == points[i].x1 && !c->bench
				? check_between(c, -1024, 2048)
				: check_between(c, 0, 1024);
		}
		r.points = points;
		r.row0 = check_fill(c, type, in * r.channels);
		r.row1 = c->bench || check_below(c, 4) ? check_fill(c, type, in * r.channels)
						       : r.row0;
		r.y.weight.fixed = r.row0 == r.row1 ? check_between(c, -1024, 2048)
						    : check_between(c, 0, 1024);
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

static float real_at(const struct resize *r, const void *row, size_t i)
{
	return r->element_bytes == 1 ? ((const uint8_t *)row)[i] : ((const float *)row)[i];
}

/* The four products, each rounded, and their sums in the header's order. */
static float naive_resize_real(const struct resize *r, size_t pixel, size_t channel)
{
	const struct ek_resize_point *x = &r->points[pixel];
	size_t left = (size_t)x->x0 * r->channels + channel;
	size_t right = (size_t)x->x1 * r->channels + channel;
	float wx = x->weight.real, wy = r->y.weight.real;
	float a = real_at(r, r->row0, left) * (1 - wy), b = real_at(r, r->row1, left) * wy;
	float p = real_at(r, r->row0, right) * (1 - wy), q = real_at(r, r->row1, right) * wy;
	return a * (1 - wx) + b * (1 - wx) + p * wx + q * wx;
}

static const void *naive_resize_reals(struct check *c, const struct resize *r, size_t elements)
{
	void *expected = check_buffer(c, elements * r->element_bytes, r->element_bytes);
	for (size_t i = 0; i < elements; i++) {
		float v = naive_resize_real(r, i / r->channels, i % r->channels);
		if (r->element_bytes == 1) {
			((uint8_t *)expected)[i] = (uint8_t)(v + 0.5f);
		} else {
			((float *)expected)[i] = v;
		}
	}
	return expected;
}

static void check_resize_real(
	struct check *c, const struct ek_resize *list, size_t count, bool is_float)
{
	uint32_t n = c->bench ? 256 : 1 + check_below(c, 20);
	uint32_t in = c->bench ? 32 : 1 + check_below(c, 12);
	struct resize r = {.element_bytes = is_float ? sizeof(float) : 1};
	r.channels = c->bench ? 21 : 1 + check_below(c, 40);
	struct ek_resize_point *points = check_buffer(c, n * sizeof(*points), 8);
	for (uint32_t i = 0; i < n; i++) {
		points[i].x0 = (int32_t)(c->bench ? i * in / n : check_below(c, in));
		points[i].x1 = points[i].x0 + ((uint32_t)points[i].x0 + 1 < in);
		points[i].weight.real = (float)check_below(c, 1024) / 1024;
	}
	r.points = points;
	r.y.weight.real = (float)check_below(c, 1000) / 1000;
	r.row0 = is_float ? (void *)check_f32(c, in * r.channels) : check_u8(c, in * r.channels);
	r.row1 = is_float ? (void *)check_f32(c, in * r.channels) : check_u8(c, in * r.channels);
	size_t elements = n * r.channels;
	struct check_subject s = {.rows = 1,
		.cols = (uint32_t)elements,
		.col_step = (uint32_t)r.channels,
		.element_bytes = r.element_bytes,
		.work = elements,
		.run = run_resize,
		.args = &r};
	snprintf(s.what, sizeof(s.what), "%u of %u pixels, %zu channels", n, in, r.channels);
	s.expected = naive_resize_reals(c, &r, elements);
	for (size_t v = 0; v < count; v++) {
		r.row = &list[v];
		s.variant = &r.row->variant;
		r.dst = s.output = check_buffer(c, elements * r.element_bytes, r.element_bytes);
		if (check_wants(c, s.variant)) {
			check_subject(c, &s);
		}
	}
	check_free_all(c);
}

struct largest {
	const struct ek_arg *row;
	const uint8_t *src;
	uint32_t n, step, *found;
};

static void run_largest(const void *args, const struct ek_tile *tile)
{
	const struct largest *l = args;
	const uint32_t end = tile->first_row + (tile->n_cols ? tile->n_rows : 0);
	for (uint32_t i = tile->first_row; i < end; i++) {
		const uint8_t *row = l->src + (size_t)i * l->n * l->step;
		l->found[i] = (uint32_t)l->row->run(row, l->n, l->step);
	}
}

static uint32_t naive_largest(const struct largest *l, enum check_type type, uint32_t row)
{
	uint32_t best = 0;
	const uint8_t *src = l->src + (size_t)row * l->n * l->step;
	for (uint32_t i = 1; i < l->n; i++) {
		if (check_get(type, src, (size_t)i * l->step) >
			check_get(type, src, (size_t)best * l->step)) {
			best = i;
		}
	}
	return best;
}

/* Codes of which many are equal half of the time. */
static void check_argmax(struct check *c, enum check_type type)
{
	const uint32_t rows = 8;
	struct largest l = {.n = c->bench ? 21 : 1 + check_below(c, 80),
		.step = c->bench ? 1 : 1 + check_below(c, 2)};
	const size_t elements = (size_t)rows * l.n * l.step;
	uint8_t *src = check_fill(c, type, elements);
	uint8_t mask = check_below(c, 2) ? 0xff : 0x83;
	for (size_t i = 0; i < elements; i++) {
		src[i] &= mask;
	}
	l.src = src;
	uint32_t *expected = check_buffer(c, rows * sizeof(*expected), sizeof(*expected));
	for (uint32_t i = 0; i < rows; i++) {
		expected[i] = naive_largest(&l, type, i);
	}
	struct check_subject s = {.rows = rows,
		.cols = 1,
		.col_step = 1,
		.element_bytes = sizeof(*expected),
		.expected = expected,
		.work = (uint64_t)rows * l.n,
		.run = run_largest,
		.args = &l};
	snprintf(s.what, sizeof(s.what), "n %u, step %u", l.n, l.step);
	const struct ek_arg *list = type == CHECK_S8 ? ek_argmax_s8_list : ek_argmax_u8_list;
	for (size_t v = 0; v < (type == CHECK_S8 ? ek_argmax_s8_count : ek_argmax_u8_count); v++) {
		l.row = &list[v];
		s.variant = &l.row->variant;
		s.output = l.found = check_buffer(c, rows * sizeof(*l.found), sizeof(*l.found));
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
		check_resize_real(c, ek_resize_f32, ek_resize_f32_count, true);
		check_resize_real(c, ek_resize_u8, ek_resize_u8_count, false);
		check_argmax(c, CHECK_S8);
		check_argmax(c, CHECK_U8);
	}
}
