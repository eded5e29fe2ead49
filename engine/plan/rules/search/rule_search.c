/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_search - TOPK_V2, UNIQUE, WHERE, NON_MAX_SUPPRESSION_V4 and _V5, BUCKETIZE (TFLite
 * kernels/topk_v2.cc, unique.cc, where.cc, non_max_suppression.cc, bucketize.cc)
 */
#include <errno.h>

#include "base/bytes.h"
#include "engine/plan/rules/rule_dims.h"

/* n * log2(n), about: what sorting n elements costs. */
static uint64_t sort_cost(uint64_t n)
{
	uint64_t levels = 1;
	while (levels < 63 && n >> levels) {
		levels++;
	}
	return rule_cost_mul(n, levels);
}

static int check_topk_types(const struct op_context *ctx, struct error *err)
{
	const struct tensor *in = op_context_input(ctx, 0), *indices = rule_output(ctx, 1);
	uint32_t narrow = RULE_TYPE(INT32) | RULE_TYPE(INT16);
	int r = rule_type_among(ctx, in, "input",
		RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) |
			RULE_TYPE(INT16),
		err);
	r = r < 0 ? r : rule_type_among(ctx, op_context_input(ctx, 1), "k", narrow, err);
	r = r < 0 ? r : rule_one_element(ctx, 1, "k", err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output 0 (values)", in->type, err);
	return r < 0 ? r : rule_type_among(ctx, indices, "output of indices", narrow, err);
}

static int64_t read_k(const struct op_context *ctx)
{
	const uint8_t *data = ctx->constants[ctx->node->inputs[1]];
	return op_context_input(ctx, 1)->type == DTYPE_INT16 ? (int16_t)bytes_get_u16(data)
							     : rule_value(ctx, 1, 0);
}

static int check_k(const struct op_context *ctx, int32_t row, struct error *err)
{
	int64_t k = read_k(ctx);
	if (k < 0 || k > row) {
		return error_set(
			err, -EBADMSG, "the top %lld of %d elements", (long long)k, (int)row);
	}
	return 0;
}

int rule_topk_v2(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_topk_types(ctx, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	if (r < 0) {
		return r;
	}
	unsigned int last = in->rank - 1u;
	if (rule_output(ctx, 1)->type == DTYPE_INT16 && in->dim[last] > INT16_MAX + 1) {
		return error_set(err, -EBADMSG, "int16 indices of %d elements", (int)in->dim[last]);
	}
	if (rule_known(ctx, 1)) {
		r = check_k(ctx, in->dim[last], err);
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *in;
	ret->shapes[0].dim[last] = rule_known(ctx, 1) ? (int32_t)read_k(ctx) : -1;
	ret->shapes[1] = ret->shapes[0];
	ret->macs = sort_cost(rule_elements(in));
	return 0;
}

int rule_unique(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *in = op_context_input(ctx, 0);
	int32_t type = ctx->node->options.out_type.type;
	int r = rule_type_among(ctx, in, "input",
		RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8) | RULE_TYPE(INT8) |
			RULE_TYPE(INT16),
		err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 0), "input", 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output 0 (values)", in->type, err);
	if (r < 0) {
		return r;
	}
	if (type != DTYPE_INT32 && type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "index type %s, must be int32 or int64",
			dtype_name((unsigned int)type));
	}
	r = rule_type_is(rule_output(ctx, 1), "output 1 (indices)", (unsigned int)type, err);
	rule_set_unknown(&ret->shapes[0], 1);
	ret->shapes[1] = *rule_shape(ctx, 0);
	ret->macs = sort_cost(rule_elements(rule_shape(ctx, 0)));
	return r;
}

int rule_where(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input",
		RULE_INDICES | RULE_TYPE(BOOL) | RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) |
			RULE_TYPE(UINT8) | RULE_TYPE(UINT32),
		err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT64, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 1, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = (struct shape){.rank = 2, .dim = {-1, in->rank}};
	ret->macs = rule_elements(in);
	return 0;
}

/* Boxes [n, 4], scores [n], then scalars: how many, and the thresholds (V5: sigma as well). */
static int check_suppression(const struct op_context *ctx, struct error *err)
{
	static const char *const names[] = {"input 0 (boxes)", "input 1 (scores)",
		"input 2 (max output size)", "input 3 (IoU threshold)", "input 4 (score threshold)",
		"input 5 (sigma)"};
	static const uint8_t ranks[] = {2, 1, 0, 0, 0, 0};
	for (uint32_t i = 0; i < ctx->node->n_inputs; i++) {
		int r = rule_type_is(op_context_input(ctx, i), names[i],
			i == 2 ? DTYPE_INT32 : DTYPE_FLOAT32, err);
		r = r < 0 ? r : rule_rank_is(rule_shape(ctx, i), names[i], ranks[i], err);
		if (r < 0) {
			return r;
		}
	}
	const struct shape *boxes = rule_shape(ctx, 0), *scores = rule_shape(ctx, 1);
	if (boxes->dim[1] != 4 || boxes->dim[0] != scores->dim[0]) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "boxes %s for %d scores",
			shape_format(text, sizeof(text), boxes), (int)scores->dim[0]);
	}
	return 0;
}

static int suppression_outputs(const struct op_context *ctx, const struct shape *selected,
	struct op_result *ret, struct error *err)
{
	bool soft = ctx->node->n_outputs == 3;
	int r = rule_type_is(rule_output(ctx, 0), "output 0 (indices)", DTYPE_INT32, err);
	ret->shapes[0] = *selected;
	if (r == 0 && soft) {
		r = rule_type_is(rule_output(ctx, 1), "output 1 (scores)", DTYPE_FLOAT32, err);
		ret->shapes[1] = *selected;
	}
	uint32_t last = ctx->node->n_outputs - 1;
	ret->shapes[last] = (struct shape){0};
	return r < 0 ? r : rule_type_is(rule_output(ctx, last), "output (count)", DTYPE_INT32, err);
}

int rule_non_max_suppression(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct shape selected = {.rank = 1, .dim = {-1}};
	uint64_t n = 0;
	int r = check_suppression(ctx, err);
	if (r < 0) {
		return r;
	}
	n = (uint64_t)rule_shape(ctx, 1)->dim[0];
	if (rule_known(ctx, 2)) {
		int64_t limit = rule_value(ctx, 2, 0);
		selected = (struct shape){0};
		r = rule_dims_add(&selected, limit, err);
		limit = limit < 0 || (uint64_t)limit > n ? (int64_t)n : limit;
		ret->macs = rule_cost_add(sort_cost(n), rule_cost_mul(n, (uint64_t)limit));
	}
	return r < 0 ? r : suppression_outputs(ctx, &selected, ret, err);
}

int rule_bucketize(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_list *b = &ctx->node->options.bucketize.boundaries;
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input",
		RULE_INDICES | RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT64), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT32, err);
	if (r < 0) {
		return r;
	}
	if (!b->data) {
		return error_set(err, -EBADMSG, "boundaries are missing");
	}
	for (uint32_t i = 1; i < b->count; i++) {
		if (options_list_get_f32(b, i) < options_list_get_f32(b, i - 1)) {
			return error_set(
				err, -EBADMSG, "boundary %u is below the one before it", i);
		}
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return 0;
}
