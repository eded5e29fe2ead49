/* SPDX-License-Identifier: Apache-2.0 */
/* The element-wise families: a row of n elements, cut into tiles of columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/elementwise/arith_q.h"
#include "kernels/elementwise/lut.h"
#include "kernels/elementwise/unary.h"
#include "kernels/reduce/sum.h"
#include "kernels/requant/requant.h"
#include "tests/kernels/kernel_check.h"

static uint32_t row_length(struct check *c)
{
	return c->bench ? 4096 : 1 + check_below(c, check_below(c, 2) ? 20 : 300);
}

/* Sums and products: two operands, either of which may be one element for the whole row. */
struct pair {
	const struct ek_arith_q_row *kernel;
	struct ek_arith_q params;
	const void *a, *b;
	void *dst;
	size_t in_bytes, out_bytes, a_step, b_step;
};

static void run_pair(const void *args, const struct ek_tile *tile)
{
	const struct pair *p = args;
	size_t first = tile->first_col, n = tile->n_rows ? tile->n_cols : 0;
	const char *a = (const char *)p->a + first * p->a_step * p->in_bytes;
	const char *b = (const char *)p->b + first * p->b_step * p->in_bytes;
	char *dst = (char *)p->dst + first * p->out_bytes;
	p->kernel->run(dst, a, b, n, p->a_step, p->b_step, &p->params);
}

/* With the result in the memory of either operand that is as long. */
static void check_pair(struct check *c, struct pair *p, struct check_subject *s)
{
	s->output = p->dst = check_buffer(c, s->cols * s->element_bytes, s->element_bytes);
	if (!check_wants(c, s->variant)) {
		return;
	}
	check_subject(c, s);
	if (p->a_step && p->in_bytes == p->out_bytes) {
		check_in_place(c, s, &p->a, &p->dst);
	}
	if (p->b_step && p->in_bytes == p->out_bytes) {
		check_in_place(c, s, &p->b, &p->dst);
	}
}

/* Operands, steps and the frame of a subject for a row of @n. */
static struct check_subject make_pair(
	struct check *c, struct pair *p, enum check_type in, enum check_type out, uint32_t n)
{
	uint32_t shape = c->bench ? 0 : check_below(c, 3);
	p->a_step = shape != 1;
	p->b_step = shape != 2;
	p->in_bytes = check_bytes(in);
	p->out_bytes = check_bytes(out);
	p->a = check_fill(c, in, p->a_step ? n : 1);
	p->b = check_fill(c, in, p->b_step ? n : 1);
	struct check_subject s = {.rows = 1,
		.cols = n,
		.col_step = 1,
		.element_bytes = p->out_bytes,
		.work = n,
		.run = run_pair,
		.args = p};
	snprintf(s.what, sizeof(s.what), "n %u, steps %zu %zu", n, p->a_step, p->b_step);
	return s;
}

enum add_form {
	ADD_SCALED,
	ADD_POT,
	ADD_SQUARED,
};

static int64_t naive_add(const struct ek_arith_q *p, enum add_form form, int32_t a, int32_t b)
{
	if (form == ADD_POT) {
		int64_t x = check_divide(a, 1ll << -p->a_scale.shift);
		int64_t y = check_divide(b, 1ll << -p->b_scale.shift);
		return check_clamp(
			check_clamp(x + p->sign * y, INT16_MIN, INT16_MAX), p->lo, p->hi);
	}
	int32_t x = check_requant((a - p->a_zero) * (1 << p->left_shift), p->a_scale);
	int32_t y = check_requant((b - p->b_zero) * (1 << p->left_shift), p->b_scale);
	int32_t sum = form == ADD_SQUARED ? (x - y) * (x - y) : x + p->sign * y;
	return check_clamp((int64_t)check_requant(sum, p->scale) + p->zero, p->lo, p->hi);
}

static int32_t random_zero(struct check *c, enum check_type type)
{
	int32_t lo, hi;
	check_range(type, &lo, &hi);
	return type == CHECK_S16 ? 0 : check_between(c, lo, hi);
}

/* A factor in (0, @most], as quant_split() would give it. */
static struct ek_scale random_scale(struct check *c, int32_t most_shift)
{
	return (struct ek_scale){
		check_between(c, 1 << 30, INT32_MAX), most_shift - (int32_t)check_below(c, 12)};
}

static void make_add(
	struct check *c, enum check_type type, enum add_form form, struct ek_arith_q *p)
{
	check_limits(c, type, &p->lo, &p->hi);
	p->sign = check_below(c, 2) ? 1 : -1;
	p->left_shift = form == ADD_SQUARED ? 7 : type == CHECK_S16 ? 15 : 20;
	p->a_zero = random_zero(c, type);
	p->b_zero = random_zero(c, type);
	p->zero = random_zero(c, type);
	p->a_scale = random_scale(c, -1);
	p->b_scale = random_scale(c, -1);
	p->scale = random_scale(c, -p->left_shift + 8);
	if (form == ADD_POT) {
		p->a_scale.shift = -(int32_t)check_below(c, 10);
		p->b_scale.shift = -(int32_t)check_below(c, 10);
	}
}

static void check_add(struct check *c)
{
	static const struct {
		const struct ek_arith_q_row *list;
		const size_t *count;
		enum check_type type;
		enum add_form form;
	} lists[] = {
		{ek_add_s8, &ek_add_s8_count, CHECK_S8, ADD_SCALED},
		{ek_add_u8, &ek_add_u8_count, CHECK_U8, ADD_SCALED},
		{ek_add_s16, &ek_add_s16_count, CHECK_S16, ADD_SCALED},
		{ek_add_s16_pot, &ek_add_s16_pot_count, CHECK_S16, ADD_POT},
		{ek_squared_difference_s8, &ek_squared_difference_s8_count, CHECK_S8, ADD_SQUARED},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		enum check_type type = lists[k].type;
		struct pair p = {0};
		uint32_t n = row_length(c);
		struct check_subject s = make_pair(c, &p, type, type, n);
		make_add(c, type, lists[k].form, &p.params);
		void *expected = check_buffer(c, n * s.element_bytes, s.element_bytes);
		for (uint32_t i = 0; i < n; i++) {
			check_put(type, expected, i,
				naive_add(&p.params, lists[k].form,
					check_get(type, p.a, i * p.a_step),
					check_get(type, p.b, i * p.b_step)));
		}
		s.expected = expected;
		for (size_t v = 0; v < *lists[k].count; v++) {
			p.kernel = &lists[k].list[v];
			p.params.line.form = FLOAT_REQUANT_NONE;
			if (p.kernel->prove && (c->bench || check_below(c, 2))) {
				p.kernel->prove(&p.params);
			}
			s.variant = &p.kernel->variant;
			check_pair(c, &p, &s);
		}
		check_free_all(c);
	}
}

static int64_t naive_mul(const struct ek_arith_q *p, bool mixed, int32_t a, int32_t b)
{
	if (mixed) {
		int64_t high = ((int64_t)a * b + (1 << 14)) >> 15;
		high = check_clamp(high, INT16_MIN, INT16_MAX);
		return check_clamp(check_divide(high, 256) + p->zero, p->lo, p->hi);
	}
	int32_t product = check_wrap((int64_t)(a - p->a_zero) * (b - p->b_zero));
	return check_clamp((int64_t)check_requant(product, p->scale) + p->zero, p->lo, p->hi);
}

static void check_mul(struct check *c)
{
	static const struct {
		const struct ek_arith_q_row *list;
		const size_t *count;
		enum check_type in, out;
	} lists[] = {
		{ek_mul_s8, &ek_mul_s8_count, CHECK_S8, CHECK_S8},
		{ek_mul_u8, &ek_mul_u8_count, CHECK_U8, CHECK_U8},
		{ek_mul_s16, &ek_mul_s16_count, CHECK_S16, CHECK_S16},
		{ek_mul_s16s8, &ek_mul_s16s8_count, CHECK_S16, CHECK_S8},
		{ek_mul_s16u8, &ek_mul_s16u8_count, CHECK_S16, CHECK_U8},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		enum check_type in = lists[k].in, out = lists[k].out;
		struct pair p = {0};
		uint32_t n = row_length(c);
		struct check_subject s = make_pair(c, &p, in, out, n);
		check_limits(c, out, &p.params.lo, &p.params.hi);
		p.params.a_zero = random_zero(c, in);
		p.params.b_zero = random_zero(c, in);
		p.params.zero = random_zero(c, out);
		p.params.scale = random_scale(c, 0);
		void *expected = check_buffer(c, n * s.element_bytes, s.element_bytes);
		for (uint32_t i = 0; i < n; i++) {
			check_put(out, expected, i,
				naive_mul(&p.params, in != out, check_get(in, p.a, i * p.a_step),
					check_get(in, p.b, i * p.b_step)));
		}
		s.expected = expected;
		for (size_t v = 0; v < *lists[k].count; v++) {
			p.kernel = &lists[k].list[v];
			p.params.line.form = FLOAT_REQUANT_NONE;
			if (p.kernel->prove && (c->bench || check_below(c, 2))) {
				p.kernel->prove(&p.params);
			}
			s.variant = &p.kernel->variant;
			check_pair(c, &p, &s);
		}
		check_free_all(c);
	}
}

/* One operand: tables, codes of another scale, floats to codes, sums of columns. */
struct single {
	const struct ek_lut8 *lut8; /* one of these */
	const struct ek_requant *requant;
	const struct ek_quantize *quantize;
	const struct ek_sum *sum;
	const struct ek_unary *unary;
	struct ek_requant_params requant_params;
	struct ek_quantize_params quantize_params;
	const uint8_t *table;
	const void *src;
	void *dst;
	size_t in_bytes, out_bytes;
};

static void run_single(const void *args, const struct ek_tile *tile)
{
	const struct single *p = args;
	const void *src = (const char *)p->src + tile->first_col * p->in_bytes;
	void *dst = (char *)p->dst + tile->first_col * p->out_bytes;
	size_t n = tile->n_rows ? tile->n_cols : 0;
	if (p->lut8) {
		p->lut8->run(dst, src, n, p->table);
	} else if (p->requant) {
		p->requant->run(dst, src, n, &p->requant_params);
	} else if (p->unary) {
		p->unary->run(dst, src, n, NULL);
	} else if (p->quantize) {
		p->quantize->run(dst, src, n, &p->quantize_params);
	} else {
		memset(dst, 0, n * p->out_bytes);
		p->sum->run(dst, src, n, 1);
	}
}

static struct check_subject make_single(struct single *p, uint32_t n)
{
	struct check_subject s = {.rows = 1,
		.cols = n,
		.col_step = 1,
		.element_bytes = p->out_bytes,
		.work = n,
		.run = run_single,
		.args = p};
	snprintf(s.what, sizeof(s.what), "n %u", n);
	return s;
}

static void check_single(struct check *c, struct single *p, struct check_subject *s,
	const struct ek_variant *variant, const void *expected)
{
	s->variant = variant;
	s->expected = expected;
	s->output = p->dst = check_buffer(c, s->cols * s->element_bytes, s->element_bytes);
	if (!check_wants(c, variant)) {
		return;
	}
	check_subject(c, s);
	if (p->in_bytes == p->out_bytes) {
		check_in_place(c, s, &p->src, &p->dst);
	}
}

static void check_lut8(struct check *c)
{
	uint32_t n = row_length(c);
	struct single p = {.in_bytes = 1, .out_bytes = 1};
	p.table = check_u8(c, 256);
	const uint8_t *src = p.src = check_u8(c, n);
	struct check_subject s = make_single(&p, n);
	uint8_t *expected = check_buffer(c, n, 1);
	for (uint32_t i = 0; i < n; i++) {
		expected[i] = p.table[src[i]];
	}
	for (size_t v = 0; v < ek_lut8_count; v++) {
		p.lut8 = &ek_lut8[v];
		check_single(c, &p, &s, &ek_lut8[v].variant, expected);
	}
	check_free_all(c);
}

static void check_requantise(struct check *c)
{
	static const struct {
		const struct ek_requant *list;
		const size_t *count;
		size_t in_bytes, out_bytes;
	} lists[] = {
		{ek_requant_s16s8, &ek_requant_s16s8_count, 2, 1},
		{ek_requant_s16s16, &ek_requant_s16s16_count, 2, 2},
		{ek_requant_s16s32, &ek_requant_s16s32_count, 2, 4},
		{ek_requant_s32s8, &ek_requant_s32s8_count, 4, 1},
		{ek_requant_s32s16, &ek_requant_s32s16_count, 4, 2},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		uint32_t n = row_length(c);
		struct single p = {.in_bytes = lists[k].in_bytes, .out_bytes = lists[k].out_bytes};
		struct ek_requant_params *q = &p.requant_params;
		check_limits(c, p.out_bytes == 1 ? CHECK_S8 : CHECK_S16, &q->lo, &q->hi);
		q->src_zero = check_between(c, -128, 127);
		q->zero = check_between(c, -128, 127);
		q->scale = random_scale(c, 2);
		p.src = p.in_bytes == 2 ? (void *)check_s16(c, n) : check_s32(c, n);
		struct check_subject s = make_single(&p, n);
		void *expected = check_buffer(c, n * p.out_bytes, p.out_bytes);
		for (uint32_t i = 0; i < n; i++) {
			int32_t x = p.in_bytes == 2 ? ((const int16_t *)p.src)[i]
						    : ((const int32_t *)p.src)[i];
			int32_t y = check_requant(check_wrap((int64_t)x - q->src_zero), q->scale);
			int64_t code = check_clamp(check_wrap((int64_t)y + q->zero), q->lo, q->hi);
			memcpy((char *)expected + i * p.out_bytes, &code, p.out_bytes);
		}
		for (size_t v = 0; v < *lists[k].count; v++) {
			p.requant = &lists[k].list[v];
			check_single(c, &p, &s, &p.requant->variant, expected);
		}
		check_free_all(c);
	}
}

static void check_quantise(struct check *c)
{
	static const struct {
		const struct ek_quantize *list;
		const size_t *count;
		enum check_type type;
	} lists[] = {
		{ek_quantize_s8, &ek_quantize_s8_count, CHECK_S8},
		{ek_quantize_u8, &ek_quantize_u8_count, CHECK_U8},
		{ek_quantize_s16, &ek_quantize_s16_count, CHECK_S16},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		enum check_type type = lists[k].type;
		uint32_t n = row_length(c);
		struct single p = {.in_bytes = 4, .out_bytes = check_bytes(type)};
		struct ek_quantize_params *q = &p.quantize_params;
		check_limits(c, type, &q->lo, &q->hi);
		q->zero = random_zero(c, type);
		q->step = ldexpf(1 + (float)check_below(c, 8) / 8, (int)check_below(c, 24) - 16);
		float *values = check_f32(c, n);
		q->even = !c->bench && check_below(c, 3) == 0;
		for (uint32_t i = 0; i < n && check_below(c, 2); i++) { /* ties */
			values[i] = q->step * ((float)check_between(c, -200, 200) + 0.5f);
		}
		const float inverse = 1.0f / q->step, *src = p.src = values;
		struct check_subject s = make_single(&p, n);
		void *expected = check_buffer(c, n * p.out_bytes, p.out_bytes);
		for (uint32_t i = 0; i < n; i++) {
			double code = q->even ? rint((double)(src[i] * inverse))
					      : round((double)(src[i] / q->step));
			code += q->zero;
			check_put(type, expected, i, (int64_t)fmin(fmax(code, q->lo), q->hi));
		}
		for (size_t v = 0; v < *lists[k].count; v++) {
			p.quantize = &lists[k].list[v];
			check_single(c, &p, &s, &p.quantize->variant, expected);
		}
		check_free_all(c);
	}
}

static void check_sums(struct check *c)
{
	static const struct {
		const struct ek_sum *list;
		const size_t *count;
		enum check_type type;
	} lists[] = {
		{ek_sum_s8, &ek_sum_s8_count, CHECK_S8},
		{ek_sum_u8, &ek_sum_u8_count, CHECK_U8},
		{ek_sum_s16, &ek_sum_s16_count, CHECK_S16},
	};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		uint32_t n = row_length(c);
		struct single p = {.in_bytes = check_bytes(lists[k].type), .out_bytes = 4};
		p.src = check_fill(c, lists[k].type, n);
		struct check_subject s = make_single(&p, n);
		int32_t *expected = check_buffer(c, n * 4, 4), total = 5;
		for (uint32_t i = 0; i < n; i++) {
			expected[i] = check_get(lists[k].type, p.src, i);
			total += expected[i];
		}
		for (size_t v = 0; v < *lists[k].count; v++) {
			int32_t sum = 5;
			p.sum = &lists[k].list[v];
			check_single(c, &p, &s, &p.sum->variant, expected);
			p.sum->run(&sum, p.src, n, 0);
			if (sum != total) {
				printf("%s n %u: sum %d, expected %d\n", p.sum->variant.name, n,
					sum, total);
				c->failed++;
			}
		}
		check_free_all(c);
	}
}

/* Any bits, or numbers where the functions bend. */
static float *curve_arguments(struct check *c, uint32_t n)
{
	float *x = check_buffer(c, n * sizeof(*x), sizeof(*x));
	bool any = check_below(c, 3) == 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bits = check_below(c, 65536) << 16 | check_below(c, 65536);
		float at = ldexpf((float)(int32_t)bits, -31 + (int)check_below(c, 9));
		memcpy(&x[i], &bits, sizeof(bits));
		x[i] = any ? x[i] : at;
	}
	return x;
}

/* Against entry 0: what a naive loop could do here, that one does. */
static void check_curves(struct check *c)
{
	static const struct {
		const struct ek_unary *list;
		const size_t *count;
	} lists[] = {
		{ek_logistic_list, &ek_logistic_list_count}, {ek_tanh_list, &ek_tanh_list_count}};
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		uint32_t n = row_length(c);
		struct single p = {.in_bytes = sizeof(float), .out_bytes = sizeof(float)};
		p.src = curve_arguments(c, n);
		struct check_subject s = make_single(&p, n);
		void *expected = check_buffer(c, n * sizeof(float), sizeof(float));
		lists[k].list[0].run(expected, p.src, n, NULL);
		for (size_t v = 0; v < *lists[k].count; v++) {
			p.unary = &lists[k].list[v];
			check_single(c, &p, &s, &p.unary->variant, expected);
		}
		check_free_all(c);
	}
}

void check_rows(struct check *c)
{
	uint32_t cases = c->bench ? 1 : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		check_add(c);
		check_mul(c);
		check_lut8(c);
		check_requantise(c);
		check_quantise(c);
		check_sums(c);
		check_curves(c);
	}
}
