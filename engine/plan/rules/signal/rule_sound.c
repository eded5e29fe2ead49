/* SPDX-License-Identifier: Apache-2.0 */
/* rule_sound - AudioSpectrogram and Mfcc (TFLite kernels/audio_spectrogram.cc, mfcc.cc) */
#include <errno.h>

#include "engine/plan/rules/signal/rule_signal.h"

#define MAX_WINDOW (1 << 20)
#define MAX_CHANNELS 4096

static int32_t power_of_two_from(int32_t n)
{
	int32_t power = 1;
	while (power < n) {
		power *= 2;
	}
	return power;
}

/* input [samples, channels] -> [channels, windows, bins] */
int rule_audio_spectrogram(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_spectrogram *o = &ctx->node->options.spectrogram;
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_type_is(op_context_input(ctx, 0), "input", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(in, "input", 2, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_option("window_size", o->window_size, 2, MAX_WINDOW, err);
	r = r < 0 ? r : rule_option("stride", o->stride, 1, INT32_MAX, err);
	if (r < 0) {
		return r;
	}
	int32_t rest = in->dim[0] - o->window_size;
	int32_t windows = rest < 0 ? 0 : 1 + rest / o->stride;
	int32_t length = power_of_two_from(o->window_size);
	ret->shapes[0] = (struct shape){.rank = 3, .dim = {in->dim[1], windows, 1 + length / 2}};
	ret->macs = rule_cost_mul((uint64_t)in->dim[1] * (uint64_t)windows, 20 * (uint64_t)length);
	return 0;
}

/* spectra [channels, windows, bins], sampling rate -> [channels, windows, coefficients] */
int rule_mfcc(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_mfcc *o = &ctx->node->options.mfcc;
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_type_is(op_context_input(ctx, 0), "input", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(in, "input", 3, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "rate", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	r = r < 0 ? r
		  : rule_option("lower_frequency_limit", o->lower_frequency_limit, 0, INT32_MAX - 1,
			    err);
	r = r < 0 ? r
		  : rule_option("upper_frequency_limit", o->upper_frequency_limit,
			    o->lower_frequency_limit + 1, INT32_MAX, err);
	r = r < 0 ? r
		  : rule_option("filterbank_channel_count", o->filterbank_channel_count, 1,
			    MAX_CHANNELS, err);
	r = r < 0 ? r
		  : rule_option("dct_coefficient_count", o->dct_coefficient_count, 1,
			    o->filterbank_channel_count, err);
	if (r == 0 && in->dim[2] < 2) {
		r = error_set(
			err, -EBADMSG, "spectra of %d bins, must be 2 or more", (int)in->dim[2]);
	}
	if (r == 0 && rule_elements(rule_shape(ctx, 1)) != 1) {
		r = error_set(err, -EBADMSG, "rate has %llu elements, must be one",
			(unsigned long long)rule_elements(rule_shape(ctx, 1)));
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *in;
	ret->shapes[0].dim[2] = o->dct_coefficient_count;
	ret->macs = rule_cost_mul((uint64_t)in->dim[0] * (uint64_t)in->dim[1],
		10 * (uint64_t)in->dim[2] +
			(uint64_t)o->filterbank_channel_count *
				(uint64_t)(o->dct_coefficient_count + 20));
	return 0;
}
