/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMBEDDING_LOOKUP_SPARSE: weighted rows of a table, combined. Source: tflite
 * kernels/embedding_lookup_sparse.cc. Neighbours that go to one place are one bucket, which is
 * divided as a whole when the next one begins, or the end.
 */
#include <math.h>

#include "backends/cpu/operand/indices.h"
#include "backends/cpu/tiles.h"

enum combiner {
	COMBINER_SUM = 0,
	COMBINER_MEAN = 1,
	COMBINER_SQRTN = 2,
};

struct sparse_state {
	uint64_t lookups, row; /* ids; elements of a row */
	uint32_t rank; /* of the sparse tensor */
	struct shape outer; /* its dimensions but the last */
	uint8_t combiner;
};

struct bucket {
	float *at;
	float weights, squares;
	uint64_t count;
};

static void sparse_init(struct op_setup *setup)
{
	struct sparse_state *s = setup->state;
	const struct shape *table = op_shape_in(setup, 4);
	s->lookups = (uint64_t)op_shape_in(setup, 0)->dim[0];
	s->row = op_gemm(table, 1, table->rank);
	s->rank = (uint32_t)op_shape_in(setup, 1)->dim[1];
	s->outer = *op_shape_out(setup, 0);
	s->outer.rank = (uint8_t)(s->rank - 1);
	s->combiner = setup->node->options.embedding_sparse.combiner;
}

static void bucket_end(const struct sparse_state *s, const struct bucket *b)
{
	if (s->combiner == COMBINER_SUM || b->count == 0) {
		return;
	}
	float divisor = s->combiner == COMBINER_MEAN ? b->weights : sqrtf(b->squares);
	for (uint64_t k = 0; k < s->row; k++) {
		b->at[k] /= divisor;
	}
}

static void bucket_add(
	const struct sparse_state *s, struct bucket *b, const float *row, float weight)
{
	b->squares += weight * weight;
	b->weights += weight;
	b->count++;
	for (uint64_t k = 0; k < s->row; k++) {
		b->at[k] += row[k] * weight;
	}
}

static int look_up(const struct op_call *call, uint64_t i, struct bucket *b, struct error *err)
{
	const struct sparse_state *s = call->state;
	const struct indices ids = indices_of(call, 0, "ids"),
			     places = indices_of(call, 1, "indices");
	int64_t row = 0;
	uint64_t place = 0;
	int r = indices_read(&ids, i, op_in(call, 4)->shape.dim[0], &row, err);
	r = r < 0 ? r
		  : indices_read_vector(&places, i * s->rank, s->rank - 1, &s->outer, &place, err);
	if (r < 0) {
		return r;
	}
	float *at = (float *)op_out(call, 0)->data + place * s->row;
	if (at != b->at) {
		bucket_end(s, b);
		*b = (struct bucket){.at = at};
	}
	bucket_add(s, b, (const float *)op_in(call, 4)->data + (uint64_t)row * s->row,
		((const float *)op_in(call, 3)->data)[i]);
	return 0;
}

static int sparse_run(const struct op_call *call, struct error *err)
{
	const struct sparse_state *s = call->state;
	const struct value *out = op_out(call, 0);
	struct bucket b = {.at = out->data};
	struct tiles t = {
		.total = s->lookups, .control = call->control, .each = tiles_rows(s->row)};
	int r = tiles_result(
		tiles_clear(out->data, op_elements(&out->shape) * sizeof(float), call->control),
		err);
	if (r < 0) {
		return r;
	}
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			r = look_up(call, i, &b, err);
			if (r < 0) {
				return r;
			}
		}
	}
	bucket_end(s, &b);
	return tiles_end(&t, err);
}

const struct cpu_op op_embedding_lookup_sparse = {.op = OP_EMBEDDING_LOOKUP_SPARSE,
	.state_bytes = sizeof(struct sparse_state),
	.init = sparse_init,
	.run = sparse_run};
