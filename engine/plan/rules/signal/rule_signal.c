/* SPDX-License-Identifier: Apache-2.0 */
/* rule_signal - the signal operators of TensorFlow Lite Micro that keep nothing between runs
 * (signal/micro/kernels) */
#include <errno.h>

#include "base/bytes.h"
#include "engine/plan/rules/signal/rule_signal.h"

#define MAX_FFT_LENGTH (1 << 20)
#define GAINS 125 /* elements of SignalPCAN's table: 4 * 32 - 3 */

int rule_signal_operand(const struct op_context *ctx, uint32_t i, const char *name,
	unsigned int type, unsigned int rank, struct error *err)
{
	int r = rule_type_is(op_context_input(ctx, i), name, type, err);
	r = r < 0      ? r
		: rank ? rule_rank_is(rule_shape(ctx, i), name, rank, err)
		       : rule_rank_from(rule_shape(ctx, i), name, 1, err);
	return r < 0 ? r : rule_not_empty(rule_shape(ctx, i), name, err);
}

int rule_signal_window(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_INT16, 0, err);
	r = r < 0 ? r : rule_signal_operand(ctx, 1, "window", DTYPE_INT16, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT16, err);
	r = r < 0 ? r : rule_option("shift", ctx->node->options.signal_window.shift, 0, 31, err);
	if (r < 0) {
		return r;
	}
	uint64_t n = rule_elements(rule_shape(ctx, 0)), width = rule_elements(rule_shape(ctx, 1));
	if (n % width != 0) {
		return error_set(err, -EBADMSG, "input of %llu elements, window of %llu",
			(unsigned long long)n, (unsigned long long)width);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return 0;
}

int rule_signal_auto_scale(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_INT16, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT16, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 1), "output 1 (scale)", DTYPE_INT32, err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	ret->shapes[1] = (struct shape){.rank = 0};
	return r;
}

static int check_fft(const struct op_context *ctx, struct error *err)
{
	const struct options_signal_fft *o = &ctx->node->options.signal_fft;
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(
		ctx, input, "input", RULE_TYPE(INT16) | RULE_TYPE(INT32) | RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_signal_operand(ctx, 0, "input", input->type, 0, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	r = r < 0 ? r : rule_option("fft_length", o->length, 4, MAX_FFT_LENGTH, err);
	if (r < 0) {
		return r;
	}
	if (o->type != input->type) {
		return error_set(err, -EBADMSG, "T is %s, input is %s",
			dtype_name((unsigned int)o->type), dtype_name(input->type));
	}
	return o->length & (o->length - 1)
		? error_set(err, -EOPNOTSUPP, "fft_length %d, no power of two, is not there yet",
			  (int)o->length)
		: 0;
}

/* Last dimension of the output, and the cost of @rows transforms. */
static void set_fft(const struct op_context *ctx, int32_t width, struct op_result *ret)
{
	const struct shape *in = rule_shape(ctx, 0);
	uint64_t n = (uint64_t)ctx->node->options.signal_fft.length;
	uint64_t rows = rule_elements(in) / (uint64_t)in->dim[in->rank - 1];
	ret->shapes[0] = *in;
	ret->shapes[0].dim[in->rank - 1] = width;
	ret->macs = rule_cost_mul(rows, n * (uint64_t)(64 - __builtin_clzll(n)));
}

int rule_signal_rfft(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int32_t length = ctx->node->options.signal_fft.length;
	int r = check_fft(ctx, err);
	if (r < 0) {
		return r;
	}
	if (in->dim[in->rank - 1] > length) {
		return error_set(err, -EBADMSG, "%d samples in a transform of %d",
			(int)in->dim[in->rank - 1], (int)length);
	}
	set_fft(ctx, length + 2, ret);
	return 0;
}

int rule_signal_irfft(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int32_t length = ctx->node->options.signal_fft.length;
	int r = check_fft(ctx, err);
	if (r < 0) {
		return r;
	}
	if (in->dim[in->rank - 1] != length + 2) {
		return error_set(err, -EBADMSG, "%d numbers of a transform of %d, must be %d",
			(int)in->dim[in->rank - 1], (int)length, (int)length + 2);
	}
	set_fft(ctx, length, ret);
	return 0;
}

int rule_signal_energy(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_energy *o = &ctx->node->options.signal_energy;
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_INT16, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_UINT32, err);
	r = r < 0 ? r : rule_option("end_index", o->end_index, 0, in->dim[0] / 2, err);
	r = r < 0 ? r : rule_option("start_index", o->start_index, 0, o->end_index, err);
	if (r == 0 && in->dim[0] % 2 != 0) {
		r = error_set(err, -EBADMSG, "%d numbers are no complex ones", (int)in->dim[0]);
	}
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {in->dim[0] / 2}};
	return r;
}

/* Products of the filter bank, two for each bin of a channel. Where only a run knows the widths, each
 * channel is as wide as bins and weights allow. */
static uint64_t filter_bank_cost(const struct op_context *ctx, uint32_t channels)
{
	const uint8_t *widths = ctx->constants[ctx->node->inputs[5]];
	uint64_t most = INT16_MAX, sum = channels;
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t n = (uint64_t)rule_shape(ctx, i)->dim[0];
		most = n < most ? n : most;
	}
	for (uint32_t i = 0; widths && i < channels; i++) {
		int16_t width = (int16_t)bytes_get_u16(widths + 2 * i);
		sum += width < 1 ? 0 : 2 * ((uint64_t)width < most ? (uint64_t)width : most);
	}
	return widths ? sum : sum + 2 * most * channels;
}

/* Inputs: energies, weights, unweights, starts of bins, starts of weights, widths. The values of the
 * last three are looked at in each run. */
int rule_signal_filter_bank(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int32_t channels = ctx->node->options.signal_filter_bank.num_channels;
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_UINT32, 1, err);
	for (uint32_t i = 1; r == 0 && i < 6; i++) {
		r = rule_signal_operand(ctx, i, "list", DTYPE_INT16, 1, err);
		if (r == 0 && i > 2 && rule_shape(ctx, i)->dim[0] <= channels) {
			r = error_set(err, -EBADMSG, "input %u has %d elements for %d channels", i,
				(int)rule_shape(ctx, i)->dim[0], (int)channels);
		}
	}
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_UINT64, err);
	r = r < 0 ? r : rule_option("num_channels", channels, 1, INT16_MAX, err);
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {channels}};
	ret->macs = r < 0 ? 0 : filter_bank_cost(ctx, (uint32_t)channels + 1);
	return r;
}

int rule_signal_square_root(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_UINT64, 1, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "scale", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_UINT32, err);
	if (r == 0 && rule_elements(rule_shape(ctx, 1)) != 1) {
		r = error_set(err, -EBADMSG, "scale has %llu elements, must be one",
			(unsigned long long)rule_elements(rule_shape(ctx, 1)));
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	ret->macs = 32 * rule_elements(rule_shape(ctx, 0));
	return r;
}

int rule_signal_subtraction(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_subtraction *o = &ctx->node->options.signal_subtraction;
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_UINT32, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_UINT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 1), "output 1 (noise)", DTYPE_UINT32, err);
	r = r < 0 ? r : rule_option("num_channels", o->num_channels, in->dim[0], in->dim[0], err);
	r = r < 0 ? r : rule_option("smoothing_bits", o->smoothing_bits, 0, 31, err);
	r = r < 0 ? r : rule_option("spectral_subtraction_bits", o->subtraction_bits, 0, 63, err);
	if (r == 0 &&
		(o->smoothing < 0 || o->one_minus_smoothing < 0 || o->alternate_smoothing < 0 ||
			o->alternate_one_minus_smoothing < 0 || o->min_signal_remaining < 0)) {
		r = error_set(err, -EBADMSG, "a factor of the smoothing is negative");
	}
	ret->shapes[0] = ret->shapes[1] = *in;
	return r;
}

int rule_signal_log(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_signal_log *o = &ctx->node->options.signal_log;
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_UINT32, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT16, err);
	r = r < 0 ? r : rule_option("input_correction_bits", o->input_correction_bits, 0, 31, err);
	r = r < 0 ? r : rule_option("output_scale", o->output_scale, 0, INT32_MAX, err);
	ret->shapes[0] = *rule_shape(ctx, 0);
	return r;
}

int rule_signal_pcan(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_signal_operand(ctx, 0, "input", DTYPE_UINT32, 1, err);
	r = r < 0 ? r : rule_signal_operand(ctx, 1, "noise", DTYPE_UINT32, 1, err);
	r = r < 0 ? r : rule_signal_operand(ctx, 2, "gains", DTYPE_INT16, 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_UINT32, err);
	r = r < 0 ? r
		  : rule_option("snr_shift", ctx->node->options.signal_pcan.snr_shift, 0, 63, err);
	if (r < 0) {
		return r;
	}
	if (!shape_equal(rule_shape(ctx, 0), rule_shape(ctx, 1))) {
		return error_set(err, -EBADMSG, "noise of %d channels, input of %d",
			(int)rule_shape(ctx, 1)->dim[0], (int)rule_shape(ctx, 0)->dim[0]);
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return rule_shape(ctx, 2)->dim[0] < GAINS
		? error_set(err, -EBADMSG, "gains has %d elements, must have %d",
			  (int)rule_shape(ctx, 2)->dim[0], GAINS)
		: 0;
}
