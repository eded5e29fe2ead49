/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "kernels/pool/pool.h"
#include "tests/kernels/kernel_check.h"

static const struct list {
	bool is_max, is_float, is_l2;
	enum check_type type;
	const struct ek_pool_row *rows;
	const size_t *count;
} lists[] = {
	{false, false, false, CHECK_S8, ek_average_pool_s8, &ek_average_pool_s8_count},
	{false, false, false, CHECK_U8, ek_average_pool_u8, &ek_average_pool_u8_count},
	{false, false, false, CHECK_S16, ek_average_pool_s16, &ek_average_pool_s16_count},
	{false, true, false, CHECK_S8, ek_average_pool_f32, &ek_average_pool_f32_count},
	{true, false, false, CHECK_S8, ek_max_pool_s8, &ek_max_pool_s8_count},
	{true, false, false, CHECK_U8, ek_max_pool_u8, &ek_max_pool_u8_count},
	{true, false, false, CHECK_S16, ek_max_pool_s16, &ek_max_pool_s16_count},
	{true, true, false, CHECK_S8, ek_max_pool_f32, &ek_max_pool_f32_count},
	{false, true, true, CHECK_S8, ek_l2_pool_f32, &ek_l2_pool_f32_count},
};

static size_t element_bytes(const struct list *l)
{
	return l->is_float ? sizeof(float) : check_bytes(l->type);
}

/* What all taps of one output element come to. */
struct sums {
	int64_t sum, max, n;
	float sum_f32, max_f32;
};

static struct sums sum_up(const struct list *l, const struct ek_pool *a, size_t p, size_t channel)
{
	const struct ek_window *w = &a->window;
	struct sums s = {.max = INT64_MIN, .max_f32 = -INFINITY};
	for (uint32_t tap = 0; tap < w->y.taps * w->x.taps; tap++) {
		int64_t x = (int64_t)(p % w->x.out) * w->x.stride - w->x.pad + tap % w->x.taps;
		int64_t y = (int64_t)(p / w->x.out % w->y.out) * w->y.stride - w->y.pad +
			tap / w->x.taps;
		if (x < 0 || y < 0 || x >= w->x.in || y >= w->y.in) {
			continue;
		}
		size_t row = (p / w->x.out / w->y.out * w->y.in + (size_t)y) * w->x.in;
		size_t at = (row + (size_t)x) * a->channels + channel;
		int64_t v = l->is_float ? 0 : check_get(l->type, a->input, at);
		float f = l->is_float ? ((const float *)a->input)[at] : 0;
		s.n++;
		s.sum += v;
		s.max = v > s.max ? v : s.max;
		s.sum_f32 += l->is_l2 ? f * f : f;
		s.max_f32 = f > s.max_f32 ? f : s.max_f32;
	}
	return s;
}

static void naive(const struct list *l, const struct ek_pool *a, size_t elements, void *expected)
{
	for (size_t i = 0; i < elements; i++) {
		struct sums s = sum_up(l, a, i / a->channels, i % a->channels);
		if (l->is_float) {
			float y = l->is_max ? s.max_f32 : s.sum_f32 / (float)s.n;
			y = l->is_l2 ? sqrtf(y) : y;
			((float *)expected)[i] = fminf(fmaxf(y, a->lo_f32), a->hi_f32);
			continue;
		}
		int64_t y = l->is_max ? s.max : check_divide(s.sum, s.n);
		check_put(l->type, expected, i, check_clamp(y, a->lo, a->hi));
	}
}

struct run {
	const struct ek_pool_row *row;
	const struct ek_pool *args;
};

static void run(const void *args, const struct ek_tile *tile)
{
	const struct run *r = args;
	r->row->run(r->args, tile);
}

/* Codes of a type: any, or two neighbours, whose averages lie about where rounding changes. */
static void *fill(struct check *c, enum check_type type, size_t n)
{
	void *x = check_fill(c, type, n);
	if (check_below(c, 3)) {
		return x;
	}
	int32_t lo, hi;
	check_range(type, &lo, &hi);
	int32_t code = check_below(c, 2) ? hi : check_between(c, lo + 1, hi);
	for (size_t i = 0; i < n; i++) {
		check_put(type, x, i, code - (int32_t)check_below(c, 2));
	}
	return x;
}

static void check_list(
	struct check *c, const struct list *l, const struct ek_window *w, uint32_t channels)
{
	struct ek_pool a = {.window = *w, .channels = channels, .lo_f32 = -1.5f, .hi_f32 = 1};
	size_t inputs = (size_t)w->batch * w->y.in * w->x.in * channels;
	a.input = l->is_float ? (void *)check_f32(c, inputs) : fill(c, l->type, inputs);
	check_limits(c, l->type, &a.lo, &a.hi);
	struct check_subject s = {.element_bytes = element_bytes(l), .run = run, .col_step = 1};
	snprintf(s.what, sizeof(s.what), "%ux%ux%ux%u f%ux%u s%u%u p%u%u", w->batch, w->y.in,
		w->x.in, channels, w->y.taps, w->x.taps, w->y.stride, w->x.stride, w->y.pad,
		w->x.pad);
	s.rows = w->batch * w->y.out * w->x.out;
	s.cols = channels;
	s.work = (uint64_t)s.rows * s.cols * w->y.taps * w->x.taps;
	size_t elements = (size_t)s.rows * s.cols;
	void *expected = check_buffer(c, elements * s.element_bytes, s.element_bytes);
	naive(l, &a, elements, expected);
	s.expected = expected;
	for (size_t i = 0; i < *l->count; i++) {
		if (!check_wants(c, &l->rows[i].variant)) {
			continue;
		}
		a.output = check_buffer(c, elements * s.element_bytes, s.element_bytes);
		const struct run r = {&l->rows[i], &a};
		s.variant = &l->rows[i].variant;
		s.output = a.output;
		s.args = &r;
		check_subject(c, &s);
	}
	check_free_all(c);
}

/* One window over a whole picture, as a global average has it. */
static struct ek_window window_whole(struct check *c, uint32_t most)
{
	struct ek_window w = {.batch = 1};
	struct ek_window_axis *axes[] = {&w.y, &w.x};
	for (size_t i = 0; i < 2; i++) {
		const uint32_t size = most - check_below(c, 20);
		*axes[i] = (struct ek_window_axis){
			.in = size, .out = 1, .taps = size, .stride = 1, .dilation = 1};
	}
	return w;
}

/* Sums beyond 16 bits, and now and then of more than 2^14 taps. */
static void check_whole(struct check *c)
{
	const bool large = check_below(c, 8) == 0;
	const struct ek_window w = window_whole(c, large ? 140 : 35);
	const uint32_t channels = 1 + check_below(c, large ? 4 : 70);
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		check_list(c, &lists[k], &w, channels);
	}
}

void check_pool(struct check *c)
{
	uint32_t cases = c->bench ? 1 : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		struct ek_window w = c->bench ? check_window_large(28, 3, 1)
			: check_below(c, 2)   ? check_window(c, false)
					      : window_whole(c, 20 + check_below(c, 3));
		uint32_t channels = c->bench ? 64 : 1 + check_below(c, check_below(c, 2) ? 4 : 140);
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
			check_list(c, &lists[k], &w, channels);
		}
		if (!c->bench && i % 10 == 0) {
			check_whole(c);
		}
	}
}
