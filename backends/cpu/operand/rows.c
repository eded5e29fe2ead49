/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/rows.h"

#include <string.h>

#include "backends/cpu/operand/string_tensor.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/nibbles.h"

void rows_init(struct rows *rows, const struct op_setup *setup, uint32_t input, uint32_t first,
	rows_at_fn *at)
{
	const struct shape *out = op_shape_out(setup, 0);
	*rows = (struct rows){.input = input, .at = at, .shape = *out};
	rows->count = op_gemm(out, 0, first);
	rows->elements = op_gemm(out, first, out->rank);
}

struct put {
	const struct rows *rows;
	void *out;
	const void *in;
	size_t bits;
	const struct run_control *control;
};
/* Row @row of the input becomes row @r of the output. 0, -ETIMEDOUT or -ECANCELED. */
typedef int put_fn(const struct put *p, uint64_t r, int64_t row);

static int put_bytes(const struct put *p, uint64_t r, int64_t row)
{
	size_t bytes = (size_t)p->rows->elements * (p->bits / 8);
	char *to = (char *)p->out + r * bytes;
	return row == ROWS_NONE
		? tiles_clear(to, bytes, p->control)
		: tiles_copy(to, (const char *)p->in + (size_t)row * bytes, bytes, p->control);
}

static int put_s4(const struct put *p, uint64_t r, int64_t row)
{
	size_t n = (size_t)p->rows->elements;
	ek_copy_s4(p->out, (size_t)r * n, p->in, (size_t)row * n, n);
	return 0;
}

static int run_plain(const struct op_call *call, const struct rows *rows, put_fn *put, size_t bits,
	struct error *err)
{
	const struct put p = {
		rows, op_out(call, 0)->data, op_in(call, rows->input)->data, bits, call->control};
	struct tiles t = {
		.total = rows->count, .control = call->control, .each = tiles_rows(rows->elements)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int64_t row = ROWS_NONE;
			int r = rows->at(call, i, &row, err);
			if (r < 0) {
				return r;
			}
			t.result = put(&p, i, row);
			if (t.result < 0) {
				return tiles_end(&t, err);
			}
		}
	}
	return tiles_end(&t, err);
}

/* Adds the bytes of a row's strings to *ret_bytes; writes them as well where @w is not NULL. */
static void take_strings(const struct rows *rows, const struct strings *in, int64_t row,
	struct strings_writer *w, uint64_t *ret_bytes)
{
	for (uint64_t k = 0; k < rows->elements; k++) {
		uint32_t length = 0;
		const void *text = "";
		if (row != ROWS_NONE) {
			text = strings_get(
				in, (uint32_t)((uint64_t)row * rows->elements + k), &length);
		}
		*ret_bytes += length;
		if (w) {
			strings_put(w, text, length);
		}
	}
}

static int walk_strings(const struct op_call *call, const struct rows *rows,
	const struct strings *in, struct strings_writer *w, uint64_t *ret_bytes, struct error *err)
{
	struct tiles t = {
		.total = rows->count, .control = call->control, .each = tiles_rows(rows->elements)};
	*ret_bytes = 0;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int64_t row = ROWS_NONE;
			int r = rows->at(call, i, &row, err);
			if (r < 0) {
				return r;
			}
			take_strings(rows, in, row, w, ret_bytes);
		}
	}
	return tiles_end(&t, err);
}

static int run_strings(const struct op_call *call, const struct rows *rows, struct error *err)
{
	const struct value *src = op_in(call, rows->input);
	uint64_t n = op_elements(&rows->shape), bytes = 0;
	struct strings in = {0};
	int r = run_control_open_strings(call->control, &in, src, op_elements(&src->shape), err);
	r = r < 0 ? r : walk_strings(call, rows, &in, NULL, &bytes, err);
	if (r < 0) {
		return r;
	}
	bytes += strings_head_bytes(n);
	if (bytes > STRINGS_MAX_BYTES) {
		return error_set(err, -EFBIG, "strings of %llu bytes", (unsigned long long)bytes);
	}
	r = op_give_output(call, 0, &rows->shape, bytes, err);
	if (r < 0) {
		return r;
	}
	struct strings_writer w = strings_writer_within(op_out(call, 0)->data, (uint32_t)n, bytes);
	r = walk_strings(call, rows, &in, &w, &bytes, err);
	return r < 0 ? r : string_tensor_check(&w, err);
}

int rows_run(const struct op_call *call, const struct rows *rows, struct error *err)
{
	unsigned int type = call->subgraph->tensors[call->node->outputs[0]].type;
	if (type == DTYPE_STRING) {
		return run_strings(call, rows, err);
	}
	return run_plain(
		call, rows, type == DTYPE_INT4 ? put_s4 : put_bytes, dtype_bits(type), err);
}
