/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_hlo_index - STABLEHLO_GATHER and STABLEHLO_SCATTER (the StableHLO specification, gather and
 * scatter; TFLite kernels/stablehlo_gather.cc, stablehlo_scatter.cc)
 *
 * Both walk over batches: all dimensions of the indices but index_vector_dim, which holds one
 * start for each dimension that the map names. Starts are data.
 */
#include <errno.h>

#include "base/bytes.h"
#include "engine/plan/rules/rule_dims.h"

/* Bit d of *ret: dimension d is in the list; each is there once, below @rank. */
static int read_dims(const struct options_list *list, const char *name, unsigned int rank,
	uint32_t *ret, struct error *err)
{
	*ret = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		int64_t d = options_list_get(list, i);
		if (d < 0 || d >= rank || (*ret >> d & 1)) {
			return error_set(err, -EBADMSG, "%s: dimension %lld of a tensor of rank %u",
				name, (long long)d, rank);
		}
		*ret |= 1u << d;
	}
	return 0;
}

/* The vectors of the indices are as long as the map. A vector dimension that is the indices' rank
 * means vectors of one. */
static int check_vectors(const struct op_context *ctx, int64_t dimension,
	const struct options_list *map, struct error *err)
{
	const struct shape *indices = rule_shape(ctx, 1);
	if (dimension < 0 || dimension > indices->rank) {
		return error_set(err, -EBADMSG, "index vector dimension %lld of indices of rank %u",
			(long long)dimension, indices->rank);
	}
	int32_t size = dimension < indices->rank ? indices->dim[dimension] : 1;
	if (size < 0 || (uint32_t)size != map->count) {
		return error_set(err, -EBADMSG, "index vectors of %d for %u dimensions", (int)size,
			map->count);
	}
	return 0;
}

static int check_types(const struct op_context *ctx, uint32_t types, struct error *err)
{
	const struct tensor *operand = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, operand, "operand", types, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, op_context_input(ctx, 1), "indices",
			    RULE_TYPE(INT32) | RULE_TYPE(INT64), err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", operand->type, err);
}

#define HLO_TYPES                                                                                  \
	(RULE_TYPE(FLOAT16) | RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT64) | RULE_TYPE(INT8) |          \
		RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(UINT8) |        \
		RULE_TYPE(UINT16) | RULE_TYPE(UINT32) | RULE_TYPE(BOOL))

/* Each slice fits into its dimension; of a collapsed one, one element. */
static int check_slices(const struct op_context *ctx, const struct options_hlo_gather *o,
	uint32_t collapsed, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	if (o->slice_sizes.count != in->rank) {
		return error_set(err, -EBADMSG, "%u slice sizes for an operand of rank %u",
			o->slice_sizes.count, in->rank);
	}
	for (unsigned int d = 0; d < in->rank; d++) {
		int64_t size = options_list_get(&o->slice_sizes, d);
		if (size < 0 || size > in->dim[d] || ((collapsed >> d & 1) && size != 1)) {
			return error_set(err, -EBADMSG, "slice of %lld in dimension %u of %d",
				(long long)size, d, (int)in->dim[d]);
		}
	}
	return 0;
}

/* The result's offset dimensions are the slice's, in order; the others the batch's, in order. */
static int gather_shape(
	const struct op_context *ctx, uint32_t collapsed, struct shape *ret, struct error *err)
{
	const struct options_hlo_gather *o = &ctx->node->options.hlo_gather;
	const struct shape *in = rule_shape(ctx, 0), *indices = rule_shape(ctx, 1);
	unsigned int vector = o->index_vector_dim < indices->rank ? 1 : 0;
	unsigned int rank = indices->rank - vector + o->offset_dims.count;
	unsigned int from_slice = 0, from_batch = 0;
	uint32_t offsets = 0;
	int r = read_dims(&o->offset_dims, "offset dims", rank, &offsets, err);
	*ret = (struct shape){0};
	for (unsigned int d = 0; r == 0 && d < rank; d++) {
		if (offsets >> d & 1) {
			while (from_slice < in->rank && (collapsed >> from_slice & 1)) {
				from_slice++;
			}
			r = rule_dims_add(
				ret, options_list_get(&o->slice_sizes, from_slice++), err);
		} else {
			from_batch += from_batch == (uint64_t)o->index_vector_dim;
			r = rule_dims_add(ret, indices->dim[from_batch++], err);
		}
	}
	return r;
}

int rule_hlo_gather(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_hlo_gather *o = &ctx->node->options.hlo_gather;
	const struct shape *in = rule_shape(ctx, 0);
	uint32_t collapsed = 0, map = 0;
	int r = check_types(ctx, HLO_TYPES | RULE_TYPE(COMPLEX64), err);
	r = r < 0 ? r
		  : read_dims(&o->collapsed_slice_dims, "collapsed slice dims", in->rank,
			    &collapsed, err);
	r = r < 0 ? r : read_dims(&o->start_index_map, "start index map", in->rank, &map, err);
	r = r < 0 ? r : check_vectors(ctx, o->index_vector_dim, &o->start_index_map, err);
	r = r < 0 ? r : check_slices(ctx, o, collapsed, err);
	if (r < 0) {
		return r;
	}
	if (o->offset_dims.count != in->rank - o->collapsed_slice_dims.count) {
		return error_set(err, -EBADMSG, "%u offset dims and %u collapsed ones of rank %u",
			o->offset_dims.count, o->collapsed_slice_dims.count, in->rank);
	}
	return gather_shape(ctx, collapsed, &ret->shapes[0], err);
}

/* The updates' dimensions that are not of the window are the batch's, in order. */
static int check_update_dims(const struct op_context *ctx, uint32_t window, struct error *err)
{
	const struct options_hlo_scatter *o = &ctx->node->options.hlo_scatter;
	const struct shape *indices = rule_shape(ctx, 1), *updates = rule_shape(ctx, 2);
	unsigned int vector = o->index_vector_dim < indices->rank ? 1 : 0;
	unsigned int batch = 0;
	bool fits = updates->rank == indices->rank - vector + o->update_window_dims.count;
	for (unsigned int d = 0; fits && d < updates->rank; d++) {
		if (!(window >> d & 1)) {
			batch += batch == (uint64_t)o->index_vector_dim;
			fits = updates->dim[d] == indices->dim[batch++];
		}
	}
	if (!fits) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "updates %s for indices %s",
			shape_format(a, sizeof(a), updates), shape_format(b, sizeof(b), indices));
	}
	return 0;
}

static bool is_combination(unsigned int op)
{
	return op == OP_STABLEHLO_ADD || op == OP_STABLEHLO_MULTIPLY ||
		op == OP_STABLEHLO_MAXIMUM || op == OP_STABLEHLO_MINIMUM;
}

/* The body takes what is there and the update. One operator of both, or the update itself. */
static int check_body(const struct op_context *ctx, struct error *err)
{
	const struct subgraph *body = &ctx->graph->subgraphs[ctx->node->options.hlo_scatter.body];
	bool known = body->n_inputs == 2 && body->n_outputs == 1 && body->n_nodes <= 1;
	if (known && body->n_nodes == 0) {
		known = body->outputs[0] == body->inputs[1];
	} else if (known) {
		const struct node *n = &body->nodes[0];
		int32_t a = body->inputs[0], b = body->inputs[1];
		known = is_combination(n->op) && n->n_inputs == 2 && n->n_outputs == 1 &&
			n->outputs[0] == body->outputs[0] &&
			((n->inputs[0] == a && n->inputs[1] == b) ||
				(n->inputs[0] == b && n->inputs[1] == a));
	}
	return known ? 0
		     : error_set(err, -EOPNOTSUPP,
			       "a body that is not the sum, product, maximum or minimum of its two "
			       "inputs, or the second of them, is not there yet");
}

int rule_hlo_scatter(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_hlo_scatter *o = &ctx->node->options.hlo_scatter;
	const struct shape *in = rule_shape(ctx, 0), *updates = rule_shape(ctx, 2);
	uint32_t window = 0, inserted = 0, map = 0;
	int r = check_types(ctx, HLO_TYPES, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 2), "input 2 (updates)",
			    op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r
		  : read_dims(&o->update_window_dims, "update window dims", updates->rank, &window,
			    err);
	r = r < 0 ? r
		  : read_dims(&o->inserted_window_dims, "inserted window dims", in->rank, &inserted,
			    err);
	r = r < 0 ? r : read_dims(&o->scatter_dims, "scatter dims", in->rank, &map, err);
	r = r < 0 ? r : check_vectors(ctx, o->index_vector_dim, &o->scatter_dims, err);
	r = r < 0 ? r : check_update_dims(ctx, window, err);
	if (r < 0) {
		return r;
	}
	if (o->update_window_dims.count + o->inserted_window_dims.count != in->rank) {
		return error_set(err, -EBADMSG, "%u window dims and %u inserted ones of rank %u",
			o->update_window_dims.count, o->inserted_window_dims.count, in->rank);
	}
	ret->shapes[0] = *in;
	ret->macs = rule_cost_add(rule_elements(in), rule_elements(updates));
	return check_body(ctx, err);
}
