/* SPDX-License-Identifier: Apache-2.0 */
/* rule_signal_stream - the signal operators of TensorFlow Lite Micro that carry samples from one run
 * to the next (signal/micro/kernels) */
#include <errno.h>

#include "engine/plan/rules/signal/rule_signal.h"

#define MAX_SAMPLES (1 << 24)

/* int16 in and out, and whether the output is whole. */
static int check_stream(const struct op_context *ctx, unsigned int rank, struct error *err)
{
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_INT16, rank, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT16, err);
	return r < 0 || ctx->node->n_outputs == 1
		? r
		: rule_type_is(rule_output(ctx, 1), "output 1 (valid)", DTYPE_BOOL, err);
}

int rule_signal_framer(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_framer *o = &ctx->node->options.signal_framer;
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = check_stream(ctx, 0, err);
	r = r < 0 ? r : rule_option("frame_size", o->frame_size, 1, MAX_SAMPLES, err);
	r = r < 0 ? r
		  : rule_option("frame_step", o->frame_step, 1,
			    o->prefill ? o->frame_size : MAX_SAMPLES, err);
	if (r < 0) {
		return r;
	}
	if (in->rank == SHAPE_MAX_RANK || in->dim[in->rank - 1] % o->frame_step != 0) {
		return error_set(err, -EBADMSG, "input of %d samples in steps of %d",
			(int)in->dim[in->rank - 1], (int)o->frame_step);
	}
	*out = *in;
	out->dim[out->rank - 1] /= o->frame_step;
	out->dim[out->rank++] = o->frame_size;
	ret->shapes[1] = (struct shape){.rank = 0};
	uint64_t samples = rule_elements(in);
	ret->macs = rule_cost_add(
		samples, rule_cost_mul(samples / (uint64_t)o->frame_step, (uint64_t)o->frame_size));
	return 0;
}

int rule_signal_stacker(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_stacker *o = &ctx->node->options.signal_stacker;
	const struct shape *in = rule_shape(ctx, 0);
	int r = check_stream(ctx, 1, err);
	r = r < 0 ? r : rule_option("num_channels", o->num_channels, in->dim[0], in->dim[0], err);
	r = r < 0 ? r : rule_option("stacker_left_context", o->left_context, 0, INT16_MAX, err);
	r = r < 0 ? r : rule_option("stacker_right_context", o->right_context, 0, INT16_MAX, err);
	if (r < 0) {
		return r;
	}
	int32_t frames = o->left_context + o->right_context + 1;
	r = rule_option("stacker_step", o->step, 1, frames, err);
	if (r == 0 && in->dim[0] > MAX_SAMPLES / frames) {
		r = error_set(
			err, -EBADMSG, "%d frames of %d channels", (int)frames, (int)in->dim[0]);
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {in->dim[0] * frames}};
	ret->shapes[1] = (struct shape){.rank = 0};
	return 0;
}

int rule_signal_delay(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = check_stream(ctx, 0, err);
	r = r < 0 ? r
		  : rule_option("delay_length", ctx->node->options.signal_delay.length, 0,
			    MAX_SAMPLES, err);
	if (r < 0) {
		return r;
	}
	const struct shape *in = rule_shape(ctx, 0);
	uint64_t n = rule_elements(in), streams = n / (uint64_t)in->dim[in->rank - 1];
	ret->shapes[0] = *in;
	/* What is kept moves up in each run. */
	ret->macs = rule_cost_add(
		n, rule_cost_mul(streams, (uint64_t)ctx->node->options.signal_delay.length));
	return 0;
}

/* input [..., frames, size] -> [..., frames * step] */
int rule_signal_overlap_add(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_overlap_add *o = &ctx->node->options.signal_overlap_add;
	const struct tensor *input = op_context_input(ctx, 0);
	const struct shape *in = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_type_among(ctx, input, "input", RULE_TYPE(INT16) | RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_signal_operand(ctx, 0, "input", input->type, 0, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	r = r < 0 ? r : rule_rank_from(in, "input", 2, err);
	r = r < 0 ? r : rule_option("T", o->type, input->type, input->type, err);
	r = r < 0 ? r : rule_option("frame_step", o->frame_step, 1, in->dim[in->rank - 1], err);
	if (r < 0) {
		return r;
	}
	*out = *in;
	out->rank--;
	int64_t samples = (int64_t)in->dim[in->rank - 2] * o->frame_step;
	if (samples > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "output of %lld samples", (long long)samples);
	}
	out->dim[out->rank - 1] = (int32_t)samples;
	ret->macs = rule_elements(in);
	return 0;
}
