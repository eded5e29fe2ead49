/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_scatter - SCATTER_ND, SPARSE_TO_DENSE, ONE_HOT and the segment operators (TFLite
 * kernels/scatter_nd.cc, sparse_to_dense.cc, one_hot.cc, unsorted_segment.cc, segment_sum.cc).
 * Indices and segment ids are data: the operators check them in each run.
 */
#include <errno.h>

#include "engine/plan/rules/rule_dims.h"

/* updates [outer of indices..., rest of the output...] */
static int check_updates(const struct op_context *ctx, const struct shape *out, struct error *err)
{
	const struct shape *indices = rule_shape(ctx, 0), *updates = rule_shape(ctx, 1);
	unsigned int outer = indices->rank - 1u;
	int32_t depth = indices->dim[outer];
	bool fits = depth <= out->rank && updates->rank == outer + out->rank - (unsigned int)depth;
	for (unsigned int i = 0; fits && i < updates->rank; i++) {
		fits = updates->dim[i] ==
			(i < outer ? indices->dim[i] : out->dim[i - outer + (unsigned int)depth]);
	}
	if (!fits) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE], c[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "updates %s do not fit indices %s and output %s",
			shape_format(a, sizeof(a), updates), shape_format(b, sizeof(b), indices),
			shape_format(c, sizeof(c), out));
	}
	return 0;
}

static int check_scatter_nd(const struct op_context *ctx, struct error *err)
{
	const struct tensor *updates = op_context_input(ctx, 1);
	int r = rule_type_is(op_context_input(ctx, 0), "input 0 (indices)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 2), "input 2 (shape)", DTYPE_INT32, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, updates, "updates",
			    RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(BOOL) |
				    RULE_TYPE(INT8) | RULE_TYPE(INT64) | RULE_TYPE(INT32),
			    err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", updates->type, err);
	r = r < 0 ? r : rule_rank_from(rule_shape(ctx, 0), "input 0 (indices)", 1, err);
	return r < 0 ? r : rule_rank_from(rule_shape(ctx, 1), "input 1 (updates)", 1, err);
}

int rule_scatter_nd(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_scatter_nd(ctx, err);
	r = r < 0 ? r : rule_dims_read(ctx, 2, "shape", &ret->shapes[0], err);
	if (r < 0) {
		return r;
	}
	/* Indices and updates may be more than the places they go to. */
	ret->macs = rule_cost_add(rule_cost_elements(&ret->shapes[0]),
		rule_cost_add(
			rule_elements(rule_shape(ctx, 0)), rule_elements(rule_shape(ctx, 1))));
	return rule_known(ctx, 2) ? check_updates(ctx, &ret->shapes[0], err) : 0;
}

#define MAX_DENSE_RANK 4 /* kMaxDimensions of sparse_to_dense.cc */

static int check_dense_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *values = op_context_input(ctx, 2);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "indices", RULE_INDICES, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, values, "values",
			    RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) | RULE_TYPE(UINT8),
			    err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 3), "input 3 (default)", values->type, err);
	r = r < 0 ? r : rule_one_element(ctx, 3, "default", err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", values->type, err);
}

/* Indices: a scalar or list for an output of one dimension, else [n, rank]; as many values, or a
 * scalar for all. */
static int check_dense_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *indices = rule_shape(ctx, 0), *values = rule_shape(ctx, 2);
	int r = rule_rank_is(rule_shape(ctx, 1), "input 1 (shape)", 1, err);
	if (r < 0) {
		return r;
	}
	int32_t rank = rule_shape(ctx, 1)->dim[0];
	if (indices->rank > 2 || (indices->rank == 2 ? indices->dim[1] : 1) != rank) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "indices %s for an output of rank %d",
			shape_format(text, sizeof(text), indices), (int)rank);
	}
	if (rank > MAX_DENSE_RANK) {
		return error_set(err, -EOPNOTSUPP,
			"an output of rank %d (above %d) is not there yet", (int)rank,
			MAX_DENSE_RANK);
	}
	int32_t n = indices->rank ? indices->dim[0] : 1;
	if (values->rank > 1 || (values->rank == 1 && values->dim[0] != n)) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "values %s for %d indices",
			shape_format(text, sizeof(text), values), (int)n);
	}
	return 0;
}

int rule_sparse_to_dense(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_dense_types(ctx, err);
	r = r < 0 ? r : check_dense_shapes(ctx, err);
	r = r < 0 ? r : rule_dims_read(ctx, 1, "shape", &ret->shapes[0], err);
	if (r == 0) {
		ret->macs = rule_cost_add(
			rule_cost_elements(&ret->shapes[0]), rule_elements(rule_shape(ctx, 0)));
	}
	return r;
}

static int check_one_hot(const struct op_context *ctx, struct error *err)
{
	const struct tensor *on = op_context_input(ctx, 2);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "indices", RULE_INDICES, err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "depth", false, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, on, "on value",
			    RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) |
				    RULE_TYPE(BOOL),
			    err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 3), "input 3 (off value)", on->type, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", on->type, err);
	r = r < 0 ? r : rule_one_element(ctx, 2, "on value", err);
	return r < 0 ? r : rule_one_element(ctx, 3, "off value", err);
}

int rule_one_hot(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int32_t axis = ctx->node->options.axis.axis;
	int r = check_one_hot(ctx, err);
	if (r < 0) {
		return r;
	}
	if (axis < -1 || axis > in->rank) {
		return error_set(
			err, -EBADMSG, "axis %d with indices of rank %u", (int)axis, in->rank);
	}
	unsigned int at = axis < 0 ? in->rank : (unsigned int)axis;
	r = rule_dims_insert(in, at, rule_known(ctx, 1) ? rule_value(ctx, 1, 0) : 0, out, err);
	if (r == 0 && !rule_known(ctx, 1)) {
		out->dim[at] = -1;
	}
	if (r == 0) { /* indices are read where the depth is 0 as well */
		ret->macs = rule_cost_add(rule_cost_elements(out), rule_elements(in));
	}
	return r;
}

static int check_segment_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *data = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, data, "data", RULE_TYPE(FLOAT32) | RULE_TYPE(INT32), err);
	r = r < 0
		? r
		: rule_type_is(op_context_input(ctx, 1), "input 1 (segment ids)", DTYPE_INT32, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", data->type, err);
}

/* The ids have the first dimensions of the data. */
static int check_segment_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *data = rule_shape(ctx, 0), *ids = rule_shape(ctx, 1);
	bool fits = ids->rank <= data->rank;
	for (unsigned int i = 0; fits && i < ids->rank; i++) {
		fits = ids->dim[i] == data->dim[i];
	}
	if (!fits) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "segment ids %s for data %s",
			shape_format(a, sizeof(a), ids), shape_format(b, sizeof(b), data));
	}
	return 0;
}

int rule_unsorted_segment(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *data = rule_shape(ctx, 0), *ids = rule_shape(ctx, 1);
	struct shape *out = &ret->shapes[0];
	int r = check_segment_types(ctx, err);
	r = r < 0 ? r : check_segment_shapes(ctx, err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 2, "number of segments", false, err);
	if (r == 0 && rule_shape(ctx, 2)->rank > 1) {
		r = error_set(err, -EBADMSG, "input 2 (number of segments) has rank %u, at most 1",
			rule_shape(ctx, 2)->rank);
	}
	if (r < 0) {
		return r;
	}
	*out = (struct shape){0};
	r = rule_dims_add(out, rule_known(ctx, 2) ? rule_value(ctx, 2, 0) : 0, err);
	r = r < 0 ? r : rule_dims_add_from(out, data, ids->rank, data->rank, err);
	if (r == 0 && !rule_known(ctx, 2)) {
		out->dim[0] = -1;
	}
	ret->macs = rule_cost_add(
		rule_cost_elements(out), rule_cost_add(rule_elements(data), rule_elements(ids)));
	return r;
}

/* How many segments there are is what the ids say. */
int rule_segment_sum(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *data = rule_shape(ctx, 0);
	int r = check_segment_types(ctx, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 1), "input 1 (segment ids)", 1, err);
	r = r < 0 ? r : check_segment_shapes(ctx, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *data;
	ret->shapes[0].dim[0] = -1;
	ret->macs = rule_elements(data);
	return 0;
}
