/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_space - BATCH_TO_SPACE_ND, SPACE_TO_BATCH_ND, DEPTH_TO_SPACE, SPACE_TO_DEPTH (TFLite
 * kernels/batch_to_space_nd.cc, space_to_batch_nd.cc, depth_to_space.cc, space_to_depth.cc)
 */
#include <errno.h>

#include "engine/plan/rules/rule.h"

/* Batch, one or two dimensions of space, depth; a block size and two edges for each of space. */
static int check_blocks(const struct op_context *ctx, const char *edges, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_moved(ctx, 0, RULE_WHOLE_BYTES, err);
	r = r < 0 ? r : rule_same_codes(ctx, op_context_input(ctx, 0), "input", err);
	if (r == 0 && in->rank != 3 && in->rank != 4) {
		r = error_set(err, -EBADMSG, "input has rank %u, must have 3 or 4", in->rank);
	}
	r = r < 0 ? r : rule_list(ctx, 1, "block", in->rank - 2, 0, err);
	return r < 0 ? r : rule_list(ctx, 2, edges, in->rank - 2, 2, err);
}

/* Numbers of one dimension of space, from 0 (a block: from 1) to SHAPE_MAX_DIM. */
struct space {
	int64_t block, before, after;
};

static int read_space(
	const struct op_context *ctx, unsigned int i, struct space *ret, struct error *err)
{
	struct space s = {
		rule_value(ctx, 1, i), rule_value(ctx, 2, 2 * i), rule_value(ctx, 2, 2 * i + 1)};
	if (s.block < 1 || s.block > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "block of %lld", (long long)s.block);
	}
	if (s.before < 0 || s.after < 0 || s.before > SHAPE_MAX_DIM || s.after > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "edges %lld and %lld of dimension %u",
			(long long)s.before, (long long)s.after, i + 1);
	}
	*ret = s;
	return 0;
}

static bool blocks_known(const struct op_context *ctx, struct op_result *ret)
{
	struct shape *out = &ret->shapes[0];
	const struct shape *in = rule_shape(ctx, 0);
	*out = *in;
	if (rule_known(ctx, 1) && rule_known(ctx, 2)) {
		return true;
	}
	rule_set_unknown(out, in->rank);
	out->dim[in->rank - 1] = in->dim[in->rank - 1];
	return false;
}

int rule_batch_to_space(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct shape *out = &ret->shapes[0];
	struct space s;
	int r = check_blocks(ctx, "crops", err);
	if (r < 0 || !blocks_known(ctx, ret)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i + 2u < out->rank; i++) {
		r = read_space(ctx, i, &s, err);
		if (r == 0 && out->dim[0] % s.block != 0) {
			r = error_set(err, -EBADMSG, "a batch of %d in blocks of %lld",
				(int)out->dim[0], (long long)s.block);
		}
		if (r == 0) {
			out->dim[0] = (int32_t)(out->dim[0] / s.block);
			r = rule_set_dim(
				out, i + 1, out->dim[i + 1] * s.block - s.before - s.after, err);
		}
	}
	return r;
}

int rule_space_to_batch(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct shape *out = &ret->shapes[0];
	struct space s;
	int r = check_blocks(ctx, "paddings", err);
	if (r < 0 || !blocks_known(ctx, ret)) {
		return r;
	}
	for (unsigned int i = 0; r == 0 && i + 2u < out->rank; i++) {
		r = read_space(ctx, i, &s, err);
		int64_t padded = r < 0 ? 0 : out->dim[i + 1] + s.before + s.after;
		if (r == 0 && padded % s.block != 0) {
			r = error_set(err, -EBADMSG, "dimension %u of %lld in blocks of %lld",
				i + 1, (long long)padded, (long long)s.block);
		}
		r = r < 0 ? r : rule_set_dim(out, i + 1, padded / s.block, err);
		r = r < 0 ? r : rule_set_dim(out, 0, out->dim[0] * s.block, err);
	}
	return r;
}

static int check_depth(const struct op_context *ctx, struct error *err)
{
	int32_t block = ctx->node->options.block.size;
	int r = rule_moved(ctx, 0,
		RULE_TYPE(FLOAT32) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT32) |
			RULE_TYPE(INT64),
		err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 0), "input", 4, err);
	if (r == 0 && (block < 1 || block > RULE_MAX_STEP)) {
		r = error_set(
			err, -EBADMSG, "block of %d, must be 1 to %d", (int)block, RULE_MAX_STEP);
	}
	return r;
}

int rule_depth_to_space(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int64_t block = ctx->node->options.block.size;
	int r = check_depth(ctx, err);
	if (r == 0 && in->dim[3] % (block * block) != 0) {
		r = error_set(err, -EBADMSG, "depth of %d in blocks of %lldx%lld", (int)in->dim[3],
			(long long)block, (long long)block);
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *in;
	ret->shapes[0].dim[3] = (int32_t)(in->dim[3] / (block * block));
	r = rule_set_dim(&ret->shapes[0], 1, in->dim[1] * block, err);
	return r < 0 ? r : rule_set_dim(&ret->shapes[0], 2, in->dim[2] * block, err);
}

int rule_space_to_depth(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int64_t block = ctx->node->options.block.size;
	int r = check_depth(ctx, err);
	if (r == 0 && (in->dim[1] % block != 0 || in->dim[2] % block != 0)) {
		r = error_set(err, -EBADMSG, "%dx%d in blocks of %lldx%lld", (int)in->dim[1],
			(int)in->dim[2], (long long)block, (long long)block);
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *in;
	ret->shapes[0].dim[1] = (int32_t)(in->dim[1] / block);
	ret->shapes[0].dim[2] = (int32_t)(in->dim[2] / block);
	return rule_set_dim(&ret->shapes[0], 3, in->dim[3] * block * block, err);
}
