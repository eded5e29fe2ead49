/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMBEDDING_LOOKUP: rows as they are, or made floats. Source: tflite kernels/embedding_lookup.cc.
 *
 * The reference's floats are bytes, taken for int8 codes, times a scale, which is 0 where the table
 * has none: so uint8 codes from 128 on are negative, and a float16 table with a float32 output gives
 * zeros that have the bytes' signs.
 */
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/rows.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/f16.h"

struct embedding_state {
	struct rows rows;
	const struct quant *quant; /* of the table; one scale, or one for each row */
	uint8_t from, to;
};

static int embedding_at(const struct op_call *call, uint64_t r, int64_t *ret_row, struct error *err)
{
	const struct indices ids = indices_of(call, 0, "ids");
	return indices_read(&ids, r, op_in(call, 1)->shape.dim[0], ret_row, err);
}

static void embedding_init(struct op_setup *setup)
{
	struct embedding_state *s = setup->state;
	rows_init(&s->rows, setup, 1, 1, embedding_at);
	s->quant = &op_tensor_in(setup, 1)->quant;
	s->from = op_tensor_in(setup, 1)->type;
	s->to = op_tensor_out(setup, 0)->type;
}

/* Element @i of the table as the reference's real number. */
static float read_code(const void *table, unsigned int type, uint64_t i, float scale)
{
	int code = ((const int8_t *)table)[type == DTYPE_INT4 ? i / 2 : i];
	if (type == DTYPE_INT4) {
		int nibble = code >> (i & 1 ? 4 : 0) & 15;
		code = nibble - (nibble & 8 ? 16 : 0);
	}
	return (float)code * scale;
}

static int widen_row(const struct op_call *call, uint64_t r, uint64_t row)
{
	const struct embedding_state *s = call->state;
	const void *table = op_in(call, 1)->data;
	void *out = op_out(call, 0)->data;
	uint64_t n = s->rows.elements;
	const struct quant *q = s->quant;
	float scale = q->n_scales ? q->scale[q->n_scales > 1 ? row : 0] : 0;
	/* LiteRT kernels/embedding_lookup.cc: a row of nibbles starts with a byte. */
	uint64_t from = s->from == DTYPE_INT4 ? row * n / 2 * 2 : row * n;
	struct tiles t = {.total = n, .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t k = t.at; k < t.at + t.count; k++) {
			float v = read_code(table, s->from, from + k, scale);
			if (s->to == DTYPE_FLOAT16) {
				((uint16_t *)out)[r * n + k] = ek_f16_from(v);
			} else {
				((float *)out)[r * n + k] = v;
			}
		}
	}
	return t.result;
}

static int embedding_run(const struct op_call *call, struct error *err)
{
	const struct embedding_state *s = call->state;
	if (s->from == s->to) {
		return rows_run(call, &s->rows, err);
	}
	struct tiles t = {.total = s->rows.count,
		.control = call->control,
		.each = tiles_rows(s->rows.elements)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; t.result == 0 && i < t.at + t.count; i++) {
			int64_t row = 0;
			int r = embedding_at(call, i, &row, err);
			if (r < 0) {
				return r;
			}
			t.result = widen_row(call, i, (uint64_t)row);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_embedding_lookup = {.op = OP_EMBEDDING_LOOKUP,
	.state_bytes = sizeof(struct embedding_state),
	.init = embedding_init,
	.run = embedding_run};
