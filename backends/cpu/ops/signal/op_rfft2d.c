/* SPDX-License-Identifier: Apache-2.0 */
/* RFFT2D: rows as real numbers, then the columns of what they give; in double, as the reference
 * does. Source: tflite kernels/rfft2d.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/ops/signal/fft_parts.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"

/* Numbers transformed between two looks at the clock: a millisecond where columns are far apart. */
#define CHECK_EVERY 8192
/* Of a column: each stands in a page of its own, which may be a new one. */
#define COLUMN_PART 512

struct rfft_state {
	size_t in_h, in_w; /* of one picture; cut, or filled up with zeros */
	size_t out_h, in_row; /* lengths of the transforms */
	size_t out_w; /* in_row / 2 + 1 */
	uint64_t pictures;
	const struct ek_complex_f64 *row_table, *column_table;
	/* Parts of the scratch: a row of numbers, a column, all rows' results. */
	uint64_t row_at, column_at, results_at;
};

static int prepare_tables(struct op_setup *setup, struct rfft_state *s, struct error *err)
{
	struct ek_complex_f64 *row, *column;
	row = op_alloc(setup, ek_fft_table_count(s->in_row) * sizeof(*row));
	column = op_alloc(setup, ek_fft_table_count(s->out_h) * sizeof(*column));
	if (!row || !column) {
		return op_alloc_failed(setup, err);
	}
	s->row_table = row;
	s->column_table = column;
	int r = fft_parts_table(row, s->in_row, setup->control);
	r = r < 0 ? r : fft_parts_table(column, s->out_h, setup->control);
	return tiles_result(r, err);
}

static int rfft_prepare(struct op_setup *setup, struct error *err)
{
	struct rfft_state *s = setup->state;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct params lengths;
	int r = params_read(setup, 1, &lengths, err);
	if (r < 0) {
		return r;
	}
	s->in_h = (size_t)in->dim[in->rank - 2];
	s->in_w = (size_t)in->dim[in->rank - 1];
	s->out_h = (size_t)out->dim[out->rank - 2];
	s->out_w = (size_t)out->dim[out->rank - 1];
	s->in_row = (size_t)lengths.value[1];
	s->pictures = op_gemm(in, 0, in->rank - 2u);
	s->row_at = op_scratch(setup, s->in_row * sizeof(double));
	s->column_at = op_scratch(setup, s->out_h * sizeof(struct ek_complex_f64));
	s->results_at =
		op_scratch(setup, (uint64_t)s->out_h * s->out_w * sizeof(struct ek_complex_f64));
	return prepare_tables(setup, s, err);
}

struct rfft_run {
	const struct rfft_state *state;
	double *row;
	struct ek_complex_f64 *column, *results;
	const struct run_control *control;
	uint64_t since_check;
};

static int check(struct rfft_run *run, uint64_t numbers)
{
	run->since_check += numbers;
	if (run->since_check < CHECK_EVERY) {
		return 0;
	}
	run->since_check = 0;
	return run_control_check(run->control);
}

/* The row's numbers, with zeros up to the transform's length. */
static int take_row(struct rfft_run *run, const float *src)
{
	const size_t given = run->state->in_w;
	struct tiles t = {.total = run->state->in_row, .control = run->control};
	while (tiles_next(&t)) {
		for (size_t x = (size_t)t.at; x < t.at + t.count; x++) {
			run->row[x] = x < given ? (double)src[x] : 0;
		}
	}
	return t.result;
}

static int transform_row(struct rfft_run *run, const float *src, size_t y)
{
	const struct rfft_state *s = run->state;
	struct ek_complex_f64 *dst = run->results + y * s->out_w;
	if (y >= s->in_h) {
		return tiles_clear(dst, s->out_w * sizeof(*dst), run->control);
	}
	int r = take_row(run, src + y * s->in_w);
	return r < 0 ? r : fft_parts_real(dst, run->row, s->in_row, s->row_table, run->control);
}

static int transform_rows(struct rfft_run *run, const float *src)
{
	const struct rfft_state *s = run->state;
	int r = 0;
	for (size_t y = 0; y < s->out_h && r == 0; y++) {
		r = transform_row(run, src, y);
		r = r < 0 ? r : check(run, s->in_row);
	}
	return r;
}

static int take_column(struct rfft_run *run, size_t x)
{
	const struct rfft_state *s = run->state;
	struct tiles t = {.total = s->out_h, .control = run->control, .each = COLUMN_PART};
	while (tiles_next(&t)) {
		for (size_t y = (size_t)t.at; y < t.at + t.count; y++) {
			run->column[y] = run->results[y * s->out_w + x];
		}
	}
	return t.result;
}

static int give_column(struct rfft_run *run, struct ek_complex_f32 *dst, size_t x)
{
	const struct rfft_state *s = run->state;
	struct tiles t = {.total = s->out_h, .control = run->control, .each = COLUMN_PART};
	while (tiles_next(&t)) {
		for (size_t y = (size_t)t.at; y < t.at + t.count; y++) {
			dst[y * s->out_w + x] = (struct ek_complex_f32){
				(float)run->column[y].re, (float)run->column[y].im};
		}
	}
	return t.result;
}

static int transform_columns(struct rfft_run *run, struct ek_complex_f32 *dst)
{
	const struct rfft_state *s = run->state;
	int r = 0;
	for (size_t x = 0; x < s->out_w && r == 0; x++) {
		r = take_column(run, x);
		r = r < 0 ? r
			  : fft_parts_complex(run->column, s->out_h, s->column_table, run->control);
		r = r < 0 ? r : give_column(run, dst, x);
		r = r < 0 ? r : check(run, s->out_h);
	}
	return r;
}

/*
 * Rows of one number: the reference leaves the columns untransformed and gives, for height h, the
 * mean m of the numbers y and h - y as m - i * m before the middle and m + i * m behind it; row 0
 * counts as before, the middle is real.
 */
static struct ek_complex_f32 narrow_result(const struct rfft_state *s, const float *src, size_t y)
{
	const size_t mirror = y ? s->out_h - y : 0;
	const double a = y < s->in_h ? (double)src[y * s->in_w] : 0;
	const double b = mirror < s->in_h ? (double)src[mirror * s->in_w] : 0;
	const float mean = (float)((a + b) / 2);
	const float sign = y < mirror || y == 0 ? -1 : y == mirror ? 0 : 1;
	return (struct ek_complex_f32){mean, sign * mean};
}

static int transform_narrow(struct rfft_run *run, const float *src, struct ek_complex_f32 *dst)
{
	struct tiles t = {.total = run->state->out_h, .control = run->control};
	while (tiles_next(&t)) {
		for (size_t y = (size_t)t.at; y < t.at + t.count; y++) {
			dst[y] = narrow_result(run->state, src, y);
		}
	}
	return t.result < 0 ? t.result : check(run, run->state->out_h);
}

static int transform(struct rfft_run *run, const float *src, struct ek_complex_f32 *dst)
{
	const struct rfft_state *s = run->state;
	if (s->in_row == 1 && s->in_w > 0) {
		return transform_narrow(run, src, dst);
	}
	int r = transform_rows(run, src);
	return r < 0 ? r : transform_columns(run, dst);
}

static int rfft_run(const struct op_call *call, struct error *err)
{
	const struct rfft_state *s = call->state;
	char *scratch = call->scratch;
	struct rfft_run run = {
		.state = s,
		.row = (void *)(scratch + s->row_at),
		.column = (void *)(scratch + s->column_at),
		.results = (void *)(scratch + s->results_at),
		.control = call->control,
	};
	const float *src = op_in(call, 0)->data;
	struct ek_complex_f32 *dst = op_out(call, 0)->data;
	for (uint64_t i = 0; i < s->pictures; i++) {
		int r = transform(&run, src + i * s->in_h * s->in_w, dst + i * s->out_h * s->out_w);
		if (r < 0) {
			return error_set(err, r, "given up in the middle of the operator");
		}
	}
	return 0;
}

const struct cpu_op op_rfft2d = {.op = OP_RFFT2D,
	.params = 1u << 1,
	.types_in[0] = ACCEPT(FLOAT32),
	.types_out = ACCEPT(COMPLEX64),
	.state_bytes = sizeof(struct rfft_state),
	.prepare = rfft_prepare,
	.run = rfft_run};
