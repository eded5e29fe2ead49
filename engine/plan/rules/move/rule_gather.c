/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_gather - GATHER, GATHER_ND, EMBEDDING_LOOKUP, EMBEDDING_LOOKUP_SPARSE, HASHTABLE_LOOKUP
 * (TFLite kernels/gather.cc, gather_nd.cc, embedding_lookup.cc, embedding_lookup_sparse.cc,
 * hashtable_lookup.cc). Indices are data: the operators check them in each run.
 */
#include <errno.h>

#include "engine/plan/rules/rule_dims.h"

#define GATHERED                                                                                   \
	(RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) |            \
		RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(BOOL) |         \
		RULE_TYPE(STRING))
#define INDICES (RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64))

static int check_gathered(const struct op_context *ctx, uint32_t types, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, input, "input", types, err);
	r = r < 0 ? r : rule_type_among(ctx, op_context_input(ctx, 1), "indices", INDICES, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
}

/* batch_dims below 0 counts from the end of the indices. */
static int read_batch(
	const struct op_context *ctx, unsigned int axis, unsigned int *ret_batch, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *indices = rule_shape(ctx, 1);
	int64_t batch = ctx->node->options.axis.count;
	batch += batch < 0 ? indices->rank : 0;
	if (batch < 0 || batch > axis || batch > indices->rank) {
		return error_set(err, -EBADMSG,
			"%d batch dimensions with axis %u and indices of rank %u",
			(int)ctx->node->options.axis.count, axis, indices->rank);
	}
	for (unsigned int i = 0; i < batch; i++) {
		if (in->dim[i] != indices->dim[i]) {
			return error_set(err, -EBADMSG,
				"batch dimension %u is %d in the input, %d in the indices", i,
				(int)in->dim[i], (int)indices->dim[i]);
		}
	}
	*ret_batch = (unsigned int)batch;
	return 0;
}

int rule_gather(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *indices = rule_shape(ctx, 1);
	struct shape *out = &ret->shapes[0];
	unsigned int axis = 0, batch = 0;
	int r = check_gathered(ctx, GATHERED | RULE_TYPE(INT4), err);
	r = r < 0 ? r : rule_axis(ctx->node->options.axis.axis, in->rank, &axis, err);
	r = r < 0 ? r : read_batch(ctx, axis, &batch, err);
	if (r < 0) {
		return r;
	}
	if (op_context_input(ctx, 0)->type == DTYPE_STRING && in->rank != 1) {
		return rule_rank_is(in, "input (string)", 1, err);
	}
	*out = (struct shape){0};
	r = rule_dims_add_from(out, in, 0, axis, err);
	r = r < 0 ? r : rule_dims_add_from(out, indices, batch, indices->rank, err);
	return r < 0 ? r : rule_dims_add_from(out, in, axis + 1, in->rank, err);
}

int rule_gather_nd(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0), *indices = rule_shape(ctx, 1);
	struct shape *out = &ret->shapes[0];
	int r = check_gathered(ctx, GATHERED, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	r = r < 0 ? r : rule_rank_from(indices, "indices", 1, err);
	if (r < 0) {
		return r;
	}
	int32_t depth = indices->dim[indices->rank - 1];
	if (depth > in->rank) {
		return error_set(err, -EBADMSG, "indices of %d dimensions for an input of %u",
			(int)depth, in->rank);
	}
	*out = (struct shape){0};
	r = rule_dims_add_from(out, indices, 0, indices->rank - 1u, err);
	return r < 0 ? r : rule_dims_add_from(out, in, (unsigned int)depth, in->rank, err);
}

#define EMBEDDED (RULE_WHOLE_BYTES | RULE_TYPE(INT4))
#define EMBEDDED_CODES (RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT4))

/* Codes become floats by one scale, or one of each row, around 0. (Halves become float32 zeros: see
 * backends/cpu/ops/search/op_embedding_lookup.c.) */
static int check_embedding_scales(
	const struct op_context *ctx, const struct tensor *table, struct error *err)
{
	if (table->quant.n_scales == 0) {
		return error_set(err, -EBADMSG, "table (%s) has no scale", dtype_name(table->type));
	}
	int r = rule_per_channel(table, "table", rule_shape(ctx, 1), 0, err);
	return r < 0 ? r : rule_zero_points_zero(table, "table", err);
}

static int check_embedding_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *table = op_context_input(ctx, 1), *output = rule_output(ctx, 0);
	int r = rule_type_is(op_context_input(ctx, 0), "input 0 (ids)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_among(ctx, table, "table", EMBEDDED, err);
	if (r < 0 || table->type == output->type) {
		return r;
	}
	if (output->type != DTYPE_FLOAT32 && output->type != DTYPE_FLOAT16) {
		return rule_type_is(output, "output", table->type, err);
	}
	if (EMBEDDED_CODES >> table->type & 1) {
		return check_embedding_scales(ctx, table, err);
	}
	return table->type == DTYPE_FLOAT16 && table->quant.n_scales == 0
		? 0
		: rule_type_is(output, "output", table->type, err);
}

int rule_embedding_lookup(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *ids = rule_shape(ctx, 0), *table = rule_shape(ctx, 1);
	int r = check_embedding_types(ctx, err);
	r = r < 0 ? r : rule_rank_is(ids, "input 0 (ids)", 1, err);
	r = r < 0 ? r : rule_rank_from(table, "table", 2, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *table;
	ret->shapes[0].dim[0] = ids->dim[0];
	return 0;
}

static int check_sparse_types(const struct op_context *ctx, struct error *err)
{
	static const char *const names[] = {"input 0 (ids)", "input 1 (indices)", "input 2 (shape)",
		"input 3 (weights)", "input 4 (table)"};
	for (uint32_t i = 0; i < 5; i++) {
		int r = rule_type_is(op_context_input(ctx, i), names[i],
			i < 3 ? DTYPE_INT32 : DTYPE_FLOAT32, err);
		r = r == 0 && i < 4
			? rule_rank_is(rule_shape(ctx, i), names[i], i == 1 ? 2 : 1, err)
			: r;
		if (r < 0) {
			return r;
		}
	}
	return rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
}

static int check_sparse_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *indices = rule_shape(ctx, 1), *table = rule_shape(ctx, 4);
	int32_t n = rule_shape(ctx, 0)->dim[0], weights = rule_shape(ctx, 3)->dim[0];
	if (indices->dim[0] != n || weights != n) {
		return error_set(err, -EBADMSG, "%d ids with %d indices and %d weights", (int)n,
			(int)indices->dim[0], (int)weights);
	}
	if (indices->dim[1] < 1 || indices->dim[1] != rule_shape(ctx, 2)->dim[0]) {
		return error_set(err, -EBADMSG, "indices of %d dimensions, a shape of %d",
			(int)indices->dim[1], (int)rule_shape(ctx, 2)->dim[0]);
	}
	return rule_rank_from(table, "table", 2, err);
}

/* The last dimension of the sparse tensor is combined, the table's rows take its place. */
int rule_embedding_lookup_sparse(
	const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *table = rule_shape(ctx, 4);
	struct shape *out = &ret->shapes[0];
	int r = check_sparse_types(ctx, err);
	r = r < 0 ? r : check_sparse_shapes(ctx, err);
	if (r < 0) {
		return r;
	}
	if (ctx->node->options.embedding_sparse.combiner > 2) {
		return error_set(
			err, -EBADMSG, "combiner %u", ctx->node->options.embedding_sparse.combiner);
	}
	uint64_t outer = rule_elements(rule_shape(ctx, 2)) - 1;
	if (outer + table->rank - 1 > SHAPE_MAX_RANK) {
		return error_set(err, -EOPNOTSUPP, "an output of rank above %d is not there yet",
			SHAPE_MAX_RANK);
	}
	/* Each id adds a row of the table. */
	uint64_t work = rule_elements(rule_shape(ctx, 1));
	if (table->dim[0] > 0) {
		work = rule_cost_add(work,
			rule_cost_mul((uint64_t)rule_shape(ctx, 0)->dim[0],
				rule_elements(table) / (uint64_t)table->dim[0]));
	}
	ret->macs = work;
	if (!rule_known(ctx, 2)) {
		rule_set_unknown(out, (unsigned int)outer + table->rank - 1u);
		return 0;
	}
	*out = (struct shape){0};
	for (uint64_t k = 0; r == 0 && k < outer; k++) {
		r = rule_dims_add(out, rule_value(ctx, 2, k), err);
	}
	r = r < 0 ? r : rule_dims_add_from(out, table, 1, table->rank, err);
	ret->macs = r < 0 ? 0 : rule_cost_add(work, rule_cost_elements(out));
	return r;
}

#define LOOKED_UP                                                                                  \
	(GATHERED | RULE_TYPE(UINT16) | RULE_TYPE(UINT32) | RULE_TYPE(FLOAT64) |                   \
		RULE_TYPE(COMPLEX64))

static int check_lookup_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *values = op_context_input(ctx, 2);
	int r = rule_type_is(op_context_input(ctx, 0), "input 0 (lookups)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "input 1 (keys)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_among(ctx, values, "values", LOOKED_UP, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output 0", values->type, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 1), "output 1 (hits)", DTYPE_UINT8, err);
}

int rule_hashtable_lookup(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *lookups = rule_shape(ctx, 0), *keys = rule_shape(ctx, 1),
			   *values = rule_shape(ctx, 2);
	int r = check_lookup_types(ctx, err);
	r = r < 0 ? r : rule_rank_is(lookups, "input 0 (lookups)", 1, err);
	r = r < 0 ? r : rule_rank_is(keys, "input 1 (keys)", 1, err);
	if (r == 0 && op_context_input(ctx, 2)->type == DTYPE_STRING) {
		r = rule_rank_is(values, "input 2 (string values)", 1, err);
	}
	if (r < 0) {
		return r;
	}
	if (values->rank < 1 || values->dim[0] < 1 || values->dim[0] != keys->dim[0]) {
		return error_set(err, -EBADMSG, "%d keys for %d values", (int)keys->dim[0],
			values->rank ? (int)values->dim[0] : 1);
	}
	ret->shapes[0] = *values;
	ret->shapes[0].dim[0] = lookups->dim[0];
	ret->shapes[1] = *lookups;
	return 0;
}
