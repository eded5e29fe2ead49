/* SPDX-License-Identifier: Apache-2.0 */
/* rule_unpool - MaxPoolingWithArgmax2D, MaxUnpooling2D and Convolution2DTransposeBias: MediaPipe
 * util/tflite/operations, and tflite kernels/perception, whose indices are int32 */
#include <errno.h>

#include "engine/plan/rules/signal/rule_signal.h"

static int check_float(const struct op_context *ctx, uint32_t i, const char *name,
	unsigned int rank, struct error *err)
{
	int r = rule_type_is(op_context_input(ctx, i), name, DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, i), name, rank, err);
	return r < 0 ? r : rule_not_empty(rule_shape(ctx, i), name, err);
}

int rule_argmax_pool(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_pool *o = &ctx->node->options.pool;
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = check_float(ctx, 0, "input", 4, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, rule_output(ctx, 1), "output 1 (places)",
			    RULE_TYPE(FLOAT32) | RULE_TYPE(INT32), err);
	r = r < 0 ? r : rule_fused(ctx, o->activation, rule_output(ctx, 0), err);
	if (r < 0) {
		return r;
	}
	const struct rule_window h = {in->dim[1], o->filter_h, o->stride_h, 1},
				 w = {in->dim[2], o->filter_w, o->stride_w, 1};
	*out = *in;
	r = rule_windows(&h, &w, o->padding, &out->dim[1], &out->dim[2], err);
	if (r < 0) {
		return r;
	}
	ret->shapes[1] = *out;
	ret->macs =
		rule_cost_mul(rule_elements(out), (uint64_t)o->filter_h * (uint64_t)o->filter_w);
	return 0;
}

/* Sizes of what was pooled. Places in a window: as many as the windows beside each other have;
 * places in the picture: what the padding makes of it. */
static void set_unpooled(const struct options_pool *o, bool in_window, const struct shape *in,
	int64_t *ret_h, int64_t *ret_w)
{
	int64_t h = in->dim[1], w = in->dim[2];
	if (in_window) {
		*ret_h = h * o->filter_h;
		*ret_w = w * o->filter_w;
	} else if (o->padding == PADDING_SAME) {
		*ret_h = h * o->stride_h;
		*ret_w = w * o->stride_w;
	} else {
		*ret_h = (h - 1) * o->stride_h + o->filter_h;
		*ret_w = (w - 1) * o->stride_w + o->filter_w;
	}
}

int rule_unpool(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_pool *o = &ctx->node->options.pool;
	const struct shape *in = rule_shape(ctx, 0);
	const struct tensor *places = op_context_input(ctx, 1);
	int64_t h = 0, w = 0;
	int r = check_float(ctx, 0, "input", 4, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, places, "input 1 (places)",
			    RULE_TYPE(FLOAT32) | RULE_TYPE(INT32), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_option("filter height", o->filter_h, 1, RULE_MAX_STEP, err);
	r = r < 0 ? r : rule_option("filter width", o->filter_w, 1, RULE_MAX_STEP, err);
	r = r < 0 ? r : rule_option("stride height", o->stride_h, 1, RULE_MAX_STEP, err);
	r = r < 0 ? r : rule_option("stride width", o->stride_w, 1, RULE_MAX_STEP, err);
	if (r < 0) {
		return r;
	}
	if (!shape_equal(in, rule_shape(ctx, 1))) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input 1 (places) is %s, not of the input's shape",
			shape_format(text, sizeof(text), rule_shape(ctx, 1)));
	}
	set_unpooled(o, places->type == DTYPE_FLOAT32, in, &h, &w);
	if (h > SHAPE_MAX_DIM || w > SHAPE_MAX_DIM) {
		return error_set(
			err, -EBADMSG, "an output of %lld x %lld", (long long)h, (long long)w);
	}
	ret->shapes[0] =
		(struct shape){.rank = 4, .dim = {in->dim[0], (int32_t)h, (int32_t)w, in->dim[3]}};
	return 0;
}

/* Size of the output along one axis; SAME leaves out what a convolution would have padded. */
static int64_t spread_size(int32_t in, int32_t filter, int32_t stride, unsigned int padding)
{
	int64_t over = (int64_t)filter - (in - 1) % stride - 1;
	int64_t left_out = padding == PADDING_SAME && over > 0 ? over : 0;
	return (int64_t)stride * (in - 1) + filter - left_out;
}

/* input [batch, h, w, in], weights [out, kh, kw, in], bias [out] */
int rule_spread(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_conv *o = &ctx->node->options.conv;
	const struct shape *in = rule_shape(ctx, 0), *weights = rule_shape(ctx, 1);
	int r = check_float(ctx, 0, "input", 4, err);
	r = r < 0 ? r : check_float(ctx, 1, "weights", 4, err);
	r = r < 0 ? r : check_float(ctx, 2, "bias", 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_option("stride height", o->stride_h, 1, RULE_MAX_STEP, err);
	r = r < 0 ? r : rule_option("stride width", o->stride_w, 1, RULE_MAX_STEP, err);
	if (r < 0) {
		return r;
	}
	if (weights->dim[3] != in->dim[3] || rule_shape(ctx, 2)->dim[0] != weights->dim[0]) {
		return error_set(err, -EBADMSG,
			"weights from %d to %d channels, input has %d, bias %d",
			(int)weights->dim[3], (int)weights->dim[0], (int)in->dim[3],
			(int)rule_shape(ctx, 2)->dim[0]);
	}
	int64_t h = spread_size(in->dim[1], weights->dim[1], o->stride_h, o->padding);
	int64_t w = spread_size(in->dim[2], weights->dim[2], o->stride_w, o->padding);
	if (h > SHAPE_MAX_DIM || w > SHAPE_MAX_DIM ||
		(uint64_t)weights->dim[1] * (uint64_t)weights->dim[2] > RULE_MAX_WINDOW) {
		return error_set(err, -EBADMSG, "an output of %lld x %lld with filter %dx%d",
			(long long)h, (long long)w, (int)weights->dim[1], (int)weights->dim[2]);
	}
	ret->shapes[0] = (struct shape){
		.rank = 4, .dim = {in->dim[0], (int32_t)h, (int32_t)w, weights->dim[0]}};
	ret->macs = rule_cost_mul(
		rule_elements(in), rule_elements(weights) / (uint64_t)weights->dim[3]);
	return 0;
}
