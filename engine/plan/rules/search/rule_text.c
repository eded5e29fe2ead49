/* SPDX-License-Identifier: Apache-2.0 */
/* rule_text - LSH_PROJECTION and SKIP_GRAM (TFLite kernels/lsh_projection.cc, skip_gram.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define MAX_NGRAM 4096

enum lsh_type {
	LSH_SPARSE = 1,
	LSH_DENSE = 2
};

static int check_lsh_items(const struct op_context *ctx, struct error *err)
{
	const struct shape *items = rule_shape(ctx, 1);
	if (dtype_bits(op_context_input(ctx, 1)->type) % 8 != 0) {
		return error_set(err, -EOPNOTSUPP,
			"LSH_PROJECTION v%u with %s input is not there yet", ctx->node->version,
			dtype_name(op_context_input(ctx, 1)->type));
	}
	if (items->rank < 1 || items->dim[0] < 1) {
		return error_set(err, -EBADMSG, "input without items");
	}
	if (ctx->node->n_inputs < 3) {
		return 0;
	}
	int r = rule_type_is(op_context_input(ctx, 2), "weights", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 2), "weights", 1, err);
	if (r == 0 && rule_shape(ctx, 2)->dim[0] != items->dim[0]) {
		r = error_set(err, -EBADMSG, "%d weights for %d items",
			(int)rule_shape(ctx, 2)->dim[0], (int)items->dim[0]);
	}
	return r;
}

/* hash functions [hashes, bits], items [n, ...], weights [n] -> [hashes] or [hashes * bits] */
int rule_lsh_projection(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *hash = rule_shape(ctx, 0);
	unsigned int type = ctx->node->options.lsh.type;
	int r = rule_type_is(op_context_input(ctx, 0), "hash functions", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(hash, "hash functions", 2, err);
	r = r < 0 ? r : check_lsh_items(ctx, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT32, err);
	if (r < 0) {
		return r;
	}
	if (hash->dim[1] > 32) {
		return error_set(err, -EBADMSG, "%d bits of a hash, at most 32", (int)hash->dim[1]);
	}
	if (type != LSH_SPARSE && type != LSH_DENSE) {
		return error_set(err, -EBADMSG, "projection of type %u", type);
	}
	uint64_t bits = rule_elements(hash);
	if (bits > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "%llu bits", (unsigned long long)bits);
	}
	ret->shapes[0] = (struct shape){
		.rank = 1, .dim = {type == LSH_SPARSE ? hash->dim[0] : (int32_t)bits}};
	ret->macs = rule_cost_mul(bits,
		rule_cost_add(10 * (uint64_t)rule_shape(ctx, 1)->dim[0],
			rule_elements(rule_shape(ctx, 1))));
	return 0;
}

/* One string of words -> as many strings as there are n-grams, which only a run knows. */
int rule_skip_gram(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_type_is(op_context_input(ctx, 0), "input", DTYPE_STRING, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_STRING, err);
	r = r < 0 ? r : rule_not_empty(rule_shape(ctx, 0), "input", err);
	if (r == 0 && ctx->node->options.skip_gram.ngram_size > MAX_NGRAM) {
		r = error_set(err, -EBADMSG, "n-grams of %d words, at most %d",
			(int)ctx->node->options.skip_gram.ngram_size, MAX_NGRAM);
	}
	rule_set_unknown(&ret->shapes[0], 1);
	return r;
}
