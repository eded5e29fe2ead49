/* SPDX-License-Identifier: Apache-2.0 */
/* The products of recurrent operators; what is element by element there has no variants and is tested
 * in tests/unit/kernels and by whole sequences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/gemm/matvec.h"
#include "kernels/recurrent/lstm.h"
#include "kernels/recurrent/svdf.h"
#include "tests/kernels/kernel_check.h"

struct run_svdf {
	const struct ek_svdf_q_row *row;
	const struct ek_svdf_q *args;
	int16_t *newest; /* [batch][filters], gathered from the state */
};

static void run_feature(const void *args, const struct ek_tile *tile)
{
	const struct run_svdf *r = args;
	const struct ek_svdf_shape *s = &r->args->shape;
	r->row->feature(r->args, tile);
	for (uint32_t b = tile->first_row; b < tile->first_row + tile->n_rows; b++) {
		for (uint32_t f = tile->first_col; f < tile->first_col + tile->n_cols; f++) {
			size_t at = (size_t)b * s->filters + f;
			r->newest[at] = r->args->state[(at + 1) * s->memory - 1];
		}
	}
}

static void run_output(const void *args, const struct ek_tile *tile)
{
	const struct run_svdf *r = args;
	r->row->output(r->args, tile);
}

static int16_t *naive_feature(struct check *c, const struct ek_svdf_q *a)
{
	size_t depth = a->shape.depth, n = (size_t)a->shape.batch * a->shape.filters;
	int16_t *expected = check_buffer(c, n * sizeof(*expected), sizeof(*expected));
	for (size_t i = 0; i < n; i++) {
		int64_t sum = 0;
		for (size_t k = 0; k < depth; k++) {
			sum += (a->input[i / a->shape.filters * depth + k] - a->input_zero) *
				a->feature_weights[i % a->shape.filters * depth + k];
		}
		int32_t y = check_requant(check_wrap(sum), a->feature_scale);
		expected[i] = (int16_t)check_clamp(y, INT16_MIN, INT16_MAX);
	}
	return expected;
}

static int8_t *naive_output(struct check *c, const struct ek_svdf_q *a)
{
	const struct ek_svdf_shape *s = &a->shape;
	size_t units = s->filters / s->rank, n = s->batch * units;
	int8_t *expected = check_buffer(c, n, 1);
	for (size_t i = 0; i < n; i++) {
		int64_t sum = a->bias ? a->bias[i % units] : 0;
		for (size_t k = 0; k < (size_t)s->rank * s->memory; k++) {
			size_t filter = i % units * s->rank + k / s->memory;
			size_t state = (i / units * s->filters + filter) * s->memory;
			sum += (int64_t)a->state[state + k % s->memory] *
				a->time_weights[filter * s->memory + k % s->memory];
		}
		int32_t y = check_requant(check_wrap(sum), a->output_scale);
		expected[i] = (int8_t)check_clamp(
			check_wrap((int64_t)y + a->output_zero), INT8_MIN, INT8_MAX);
	}
	return expected;
}

static struct ek_svdf_shape svdf_shape(struct check *c)
{
	if (c->bench) {
		return (struct ek_svdf_shape){1, 400, 256, 2, 10};
	}
	uint32_t rank = 1 + check_below(c, 3);
	return (struct ek_svdf_shape){1 + check_below(c, 3), 1 + check_below(c, 50),
		rank * (1 + check_below(c, 20)), rank, 1 + check_below(c, 12)};
}

static void svdf_row(struct check *c, const struct ek_svdf_q_row *row, struct ek_svdf_q *a)
{
	const struct ek_svdf_shape *s = &a->shape;
	uint32_t units = s->filters / s->rank;
	size_t newest = (size_t)s->batch * s->filters;
	struct run_svdf r = {row, a, check_buffer(c, newest * sizeof(int16_t), sizeof(int16_t))};
	struct check_subject feature = {
		.variant = &row->variant,
		.rows = s->batch,
		.cols = s->filters,
		.col_step = 1,
		.element_bytes = sizeof(int16_t),
		.expected = naive_feature(c, a),
		.output = r.newest,
		.work = (uint64_t)newest * s->depth,
		.run = run_feature,
		.args = &r,
	};
	snprintf(feature.what, sizeof(feature.what),
		"feature, batch %u depth %u filters %u memory %u", s->batch, s->depth, s->filters,
		s->memory);
	check_subject(c, &feature);
	a->output = check_buffer(c, (size_t)s->batch * units, 1);
	struct check_subject output = {
		.variant = &row->variant,
		.rows = s->batch,
		.cols = units,
		.col_step = 1,
		.element_bytes = 1,
		.expected = naive_output(c, a),
		.output = a->output,
		.work = (uint64_t)newest * s->memory,
		.run = run_output,
		.args = &r,
	};
	snprintf(output.what, sizeof(output.what), "output, batch %u units %u rank %u memory %u",
		s->batch, units, s->rank, s->memory);
	check_subject(c, &output);
}

static void check_svdf(struct check *c)
{
	struct ek_svdf_shape s = svdf_shape(c);
	struct ek_svdf_q a = {.shape = s};
	a.input = check_s8(c, (size_t)s.batch * s.depth);
	a.feature_weights = check_s8(c, (size_t)s.filters * s.depth);
	a.time_weights = check_s16(c, (size_t)s.filters * s.memory);
	a.bias = check_below(c, 4) ? check_s32(c, s.filters / s.rank) : NULL;
	a.feature_scale = *check_scales(c, 1);
	a.output_scale = *check_scales(c, 1);
	a.input_zero = check_between(c, INT8_MIN, INT8_MAX);
	a.output_zero = check_between(c, INT8_MIN, INT8_MAX);
	a.state = check_s16(c, (size_t)s.batch * s.filters * s.memory);
	for (size_t i = 0; i < ek_svdf_s8_count; i++) {
		if (check_wants(c, &ek_svdf_s8[i].variant)) {
			svdf_row(c, &ek_svdf_s8[i], &a);
		}
	}
	check_free_all(c);
}

struct run_gate {
	const struct ek_lstm_q_row *row;
	const struct ek_lstm_q *args;
	struct ek_lstm_q_sight sight;
	int16_t *s;
};

static void run_gate(const void *args, const struct ek_tile *tile)
{
	const struct run_gate *r = args;
	if (tile->n_rows) {
		r->row->gate(r->args, EK_LSTM_FORGET, &r->sight, tile->first_col,
			tile->first_col + tile->n_cols, r->s);
	}
}

static int64_t dot(const int8_t *a, const int8_t *b, size_t n)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += a[i] * b[i];
	}
	return sum;
}

static int16_t *naive_gate(struct check *c, const struct run_gate *r)
{
	const struct ek_lstm_q *a = r->args;
	const struct ek_lstm_gate_q *g = &a->gate[EK_LSTM_FORGET];
	int16_t *s = check_buffer(c, a->cells * sizeof(*s), sizeof(*s));
	for (size_t n = 0; n < a->cells; n++) {
		const struct ek_lstm_q_sight *see = &r->sight;
		int64_t x = dot(see->x, g->w + n * a->inputs, a->inputs) + g->w_bias[n];
		int64_t h = dot(see->h, g->r + n * a->outputs, a->outputs) + g->r_bias[n];
		size_t position = see->position + n;
		int64_t v =
			check_clamp(check_requant(check_wrap(x), g->w_scale), INT16_MIN, INT16_MAX);
		v = check_clamp(v + check_requant(check_wrap(h), g->r_scale), INT16_MIN, INT16_MAX);
		if (g->peephole && position < a->peephole_end) {
			int32_t weight = g->peephole[position % a->peephole_wrap];
			v += check_requant(weight * see->c[n], g->peephole_scale);
		}
		s[n] = (int16_t)check_clamp(v, INT16_MIN, INT16_MAX);
	}
	return s;
}

static void check_lstm(struct check *c)
{
	struct ek_lstm_q a = {
		.inputs = c->bench ? 128 : 1 + check_below(c, 60),
		.cells = c->bench ? 128 : 1 + check_below(c, 60),
		.outputs = c->bench ? 128 : 1 + check_below(c, 60),
	};
	struct ek_lstm_gate_q *g = &a.gate[EK_LSTM_FORGET];
	g->w = check_s8(c, (size_t)a.cells * a.inputs);
	g->r = check_s8(c, (size_t)a.cells * a.outputs);
	g->w_bias = check_s32(c, a.cells);
	g->r_bias = check_s32(c, a.cells);
	g->peephole = check_below(c, 2) ? check_s16(c, a.cells) : NULL;
	g->w_scale = *check_scales(c, 1);
	g->r_scale = *check_scales(c, 1);
	g->peephole_scale = *check_scales(c, 1);
	a.peephole_wrap = 1 + check_below(c, a.cells);
	a.peephole_end = a.peephole_wrap * (1 + check_below(c, 3));
	struct run_gate r = {.args = &a};
	r.sight.x = check_s8(c, a.inputs);
	r.sight.h = check_s8(c, a.outputs);
	r.sight.c = check_s16(c, a.cells);
	r.sight.position = a.cells * check_below(c, 3);
	struct check_subject s = {.rows = 1, .cols = a.cells, .col_step = 1};
	snprintf(s.what, sizeof(s.what), "gate, inputs %u cells %u outputs %u", a.inputs, a.cells,
		a.outputs);
	s.element_bytes = sizeof(int16_t);
	s.work = (uint64_t)a.cells * (a.inputs + a.outputs);
	s.expected = naive_gate(c, &r);
	s.run = run_gate;
	s.args = &r;
	for (size_t i = 0; i < ek_lstm_s8_count; i++) {
		if (check_wants(c, &ek_lstm_s8[i].variant)) {
			r.row = &ek_lstm_s8[i];
			r.s = check_buffer(c, a.cells * sizeof(*r.s), sizeof(*r.s));
			s.variant = &r.row->variant;
			s.output = r.s;
			check_subject(c, &s);
		}
	}
	check_free_all(c);
}

struct run_curve {
	const struct ek_lstm_q_row *row;
	const int16_t *x;
	int16_t *y;
	int32_t integer_bits; /* of the second function; -1: the first */
};

static void run_curve(const void *args, const struct ek_tile *tile)
{
	const struct run_curve *r = args;
	const size_t n = tile->n_rows ? tile->n_cols : 0;
	int16_t *y = r->y + tile->first_col;
	if (r->integer_bits >= 0) {
		r->row->tanh(r->x + tile->first_col, r->integer_bits, n, y);
		return;
	}
	memcpy(y, r->x + tile->first_col, n * sizeof(*y));
	r->row->logistic(y, n);
}

/* All numbers, against entry 0, which a unit test compares with the functions themselves. */
static void check_curve(struct check *c, int32_t integer_bits)
{
	const uint32_t n = c->bench ? 1024 : 65536;
	int16_t *x = check_buffer(c, n * sizeof(*x), sizeof(*x));
	for (uint32_t i = 0; i < n; i++) {
		x[i] = (int16_t)((int32_t)(i * (65536 / n)) - 32768);
	}
	struct run_curve r = {.x = x, .integer_bits = integer_bits};
	struct check_subject s = {.rows = 1, .cols = n, .col_step = 1, .element_bytes = sizeof(*x)};
	snprintf(s.what, sizeof(s.what), "%s of %u, %d integer bits",
		integer_bits < 0 ? "logistic" : "tanh", n, integer_bits);
	s.work = n;
	s.run = run_curve;
	s.args = &r;
	r.row = &ek_lstm_s8[0];
	s.expected = r.y = check_buffer(c, n * sizeof(*x), sizeof(*x));
	run_curve(&r, &(struct ek_tile){.n_rows = 1, .n_cols = n});
	for (size_t i = 0; i < ek_lstm_s8_count; i++) {
		r.row = &ek_lstm_s8[i];
		s.variant = &r.row->variant;
		s.output = r.y = check_buffer(c, n * sizeof(*x), sizeof(*x));
		if (check_wants(c, s.variant)) {
			check_subject(c, &s);
		}
	}
	check_free_all(c);
}

struct run_matvec {
	const struct ek_matvec_row *row;
	const struct ek_matvec *m;
	const struct ek_matvec_x *x;
	const float *before;
	float *sum;
};

static void run_matvec(const void *args, const struct ek_tile *tile)
{
	const struct run_matvec *r = args;
	uint32_t first = tile->first_col, end = first + (tile->n_rows ? tile->n_cols : 0);
	for (uint32_t n = first; n < end; n++) {
		r->sum[n] = r->before[n];
	}
	r->row->add(r->m, r->x, first, end, r->sum);
}

/* Each row of @list over the same operands. */
static void matvec_rows(struct check *c, const struct ek_matvec_row *list, size_t count,
	struct run_matvec *r, struct check_subject *s)
{
	for (size_t i = 0; i < count; i++) {
		if (check_wants(c, &list[i].variant)) {
			r->row = &list[i];
			r->sum = check_buffer(c, s->cols * sizeof(float), sizeof(float));
			s->variant = &list[i].variant;
			s->output = r->sum;
			check_subject(c, s);
		}
	}
}

static void check_matvec_f32(
	struct check *c, struct ek_matvec *m, struct run_matvec *r, struct check_subject *s)
{
	const float *w = check_f32(c, (size_t)s->cols * m->columns), *x = check_f32(c, m->columns);
	float *expected = check_buffer(c, s->cols * sizeof(*expected), sizeof(*expected));
	double *slack = check_buffer(c, s->cols * sizeof(*slack), sizeof(*slack));
	for (size_t n = 0; n < s->cols; n++) {
		double sum = (double)r->before[n], size = fabs(sum);
		for (size_t k = 0; k < m->columns; k++) {
			double product = (double)w[n * m->columns + k] * (double)x[k];
			sum += product;
			size += fabs(product);
		}
		expected[n] = (float)sum;
		slack[n] = size * (m->columns + 2) * 1.2e-7;
	}
	const struct ek_matvec_x row = {.x = x};
	m->w = w;
	r->x = &row;
	s->expected = expected;
	s->slack = slack;
	matvec_rows(c, ek_matvec_f32, 1, r, s);
	/* All others give its bits. */
	memcpy(expected, r->before, s->cols * sizeof(*expected));
	ek_matvec_f32[0].add(m, &row, 0, s->cols, expected);
	s->slack = NULL;
	matvec_rows(c, ek_matvec_f32 + 1, ek_matvec_f32_count - 1, r, s);
}

static void check_matvec_hybrid(
	struct check *c, struct ek_matvec *m, struct run_matvec *r, struct check_subject *s)
{
	const int8_t *w = check_s8(c, (size_t)s->cols * m->columns), *x = check_s8(c, m->columns);
	float *expected = check_buffer(c, s->cols * sizeof(*expected), sizeof(*expected));
	const struct ek_matvec_x row = {x, {0.0123f, check_between(c, INT8_MIN, INT8_MAX)}};
	m->w = w;
	m->scale = 0.0077f;
	for (size_t n = 0; n < s->cols; n++) {
		int64_t sum = 0;
		for (size_t k = 0; k < m->columns; k++) {
			sum += (x[k] - row.row.zero) * w[n * m->columns + k];
		}
		float scale = row.row.scale * m->scale, product = (float)check_wrap(sum) * scale;
		expected[n] = r->before[n] + product;
	}
	r->x = &row;
	s->expected = expected;
	s->slack = NULL;
	matvec_rows(c, ek_matvec_hybrid, ek_matvec_hybrid_count, r, s);
}

static void check_matvec(struct check *c)
{
	struct ek_matvec m = {.columns = c->bench ? 256 : 1 + check_below(c, 80)};
	struct check_subject s = {.rows = 1, .col_step = 1, .element_bytes = sizeof(float)};
	s.cols = c->bench ? 256 : 1 + check_below(c, 40);
	s.work = (uint64_t)s.cols * m.columns;
	snprintf(s.what, sizeof(s.what), "%u rows of %u", s.cols, m.columns);
	struct run_matvec r = {.m = &m, .before = check_f32(c, s.cols)};
	s.run = run_matvec;
	s.args = &r;
	check_matvec_f32(c, &m, &r, &s);
	check_matvec_hybrid(c, &m, &r, &s);
	check_free_all(c);
}

void check_recurrent(struct check *c)
{
	uint32_t cases = c->bench ? 1 : c->cases;
	for (uint32_t i = 0; i < cases; i++) {
		check_svdf(c);
		check_lstm(c);
		check_matvec(c);
	}
	for (int32_t bits = -1; bits <= 6; bits += c->bench ? 4 : 1) {
		check_curve(c, bits);
	}
}
