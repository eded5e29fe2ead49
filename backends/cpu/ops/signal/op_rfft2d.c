/* SPDX-License-Identifier: Apache-2.0 */
/* RFFT2D: rows as real numbers, then the columns of what they give; in double, as the reference
 * does. Source: tflite kernels/rfft2d.cc. */
#include <string.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/params.h"
#include "kernels/fft.h"

/* Numbers transformed between two looks at the clock. */
#define CHECK_EVERY 65536

struct rfft_state {
	size_t in_h, in_w; /* of one picture; cut, or filled up with zeros */
	size_t out_h, in_row; /* lengths of the transforms */
	size_t out_w; /* in_row / 2 + 1 */
	uint64_t pictures;
	const struct ek_complex_f64 *row_table, *column_table;
	/* Parts of the scratch: a row of numbers, a column, all rows' results. */
	uint64_t row_at, column_at, results_at;
};

static int rfft_accept(const struct op_setup *setup, struct error *err)
{
	int r = accept_type(op_tensor_in(setup, 0), ACCEPT(FLOAT32), err);
	return r < 0 ? r : accept_type(op_tensor_out(setup, 0), ACCEPT(COMPLEX64), err);
}

static int prepare_tables(struct op_setup *setup, struct rfft_state *s, struct error *err)
{
	struct ek_complex_f64 *row, *column;
	row = op_alloc(setup, ek_fft_table_count(s->in_row) * sizeof(*row));
	column = op_alloc(setup, ek_fft_table_count(s->out_h) * sizeof(*column));
	if (!row || !column) {
		return op_alloc_failed(setup, err);
	}
	ek_fft_table_f64(row, s->in_row);
	ek_fft_table_f64(column, s->out_h);
	s->row_table = row;
	s->column_table = column;
	return 0;
}

static int rfft_prepare(struct op_setup *setup, struct error *err)
{
	struct rfft_state *s = setup->state = op_alloc(setup, sizeof(*s));
	if (!s) {
		return op_alloc_failed(setup, err);
	}
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
	s->pictures = op_product(in, 0, in->rank - 2u);
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

static int transform_rows(struct rfft_run *run, const float *src)
{
	const struct rfft_state *s = run->state;
	const size_t n = s->in_w < s->in_row ? s->in_w : s->in_row;
	for (size_t y = 0; y < s->out_h; y++) {
		struct ek_complex_f64 *dst = run->results + y * s->out_w;
		if (y >= s->in_h) {
			memset(dst, 0, s->out_w * sizeof(*dst));
			continue;
		}
		for (size_t x = 0; x < s->in_row; x++) {
			run->row[x] = x < n ? (double)src[y * s->in_w + x] : 0;
		}
		ek_rfft_f64(dst, run->row, s->in_row, s->row_table);
		int r = check(run, s->in_row);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int transform_columns(struct rfft_run *run, struct ek_complex_f32 *dst)
{
	const struct rfft_state *s = run->state;
	for (size_t x = 0; x < s->out_w; x++) {
		for (size_t y = 0; y < s->out_h; y++) {
			run->column[y] = run->results[y * s->out_w + x];
		}
		ek_fft_f64(run->column, s->out_h, s->column_table);
		for (size_t y = 0; y < s->out_h; y++) {
			dst[y * s->out_w + x] = (struct ek_complex_f32){
				(float)run->column[y].re, (float)run->column[y].im};
		}
		int r = check(run, s->out_h);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/*
 * Rows of one number: the reference leaves the columns untransformed and gives, for height h, the
 * mean m of the numbers y and h - y as m - i * m before the middle and m + i * m behind it; row 0
 * counts as before, the middle is real.
 */
static void transform_narrow(
	const struct rfft_state *s, const float *src, struct ek_complex_f32 *dst)
{
	for (size_t y = 0; y < s->out_h; y++) {
		const size_t mirror = y ? s->out_h - y : 0;
		const double a = y < s->in_h ? (double)src[y * s->in_w] : 0;
		const double b = mirror < s->in_h ? (double)src[mirror * s->in_w] : 0;
		const float mean = (float)((a + b) / 2);
		const float sign = y < mirror || y == 0 ? -1 : y == mirror ? 0 : 1;
		dst[y] = (struct ek_complex_f32){mean, sign * mean};
	}
}

static int transform(struct rfft_run *run, const float *src, struct ek_complex_f32 *dst)
{
	const struct rfft_state *s = run->state;
	if (s->in_row == 1 && s->in_w > 0) {
		transform_narrow(s, src, dst);
		return check(run, s->out_h);
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
	.accept = rfft_accept,
	.prepare = rfft_prepare,
	.run = rfft_run};
