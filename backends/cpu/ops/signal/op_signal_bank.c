/* SPDX-License-Identifier: Apache-2.0 */
/* SignalFilterBank and what follows it in the front end of TensorFlow Lite Micro: square root, noise
 * reduction, gain, logarithm. Some ten to hundred channels: no tiles. */
#include <string.h>

#include "backends/cpu/accept.h"
#include "kernels/signal.h"

static size_t channels_of(const struct op_call *call)
{
	return (size_t)op_out(call, 0)->shape.dim[0];
}

/* Bins and weights of channel @i lie within what there is; a width below 1 means none. */
static int check_channel(
	const struct op_call *call, const struct ek_signal_bank *bank, size_t i, struct error *err)
{
	int32_t width = bank->widths[i], start = bank->starts[i], weight = bank->weight_starts[i];
	int32_t bins = op_in(call, 0)->shape.dim[0];
	int32_t weights = op_in(call, 1)->shape.dim[0], unweights = op_in(call, 2)->shape.dim[0];
	weights = unweights < weights ? unweights : weights;
	if (width < 1 ||
		(start >= 0 && start + width <= bins && weight >= 0 && weight + width <= weights)) {
		return 0;
	}
	return error_set(err, -EINVAL,
		"channel %zu: %d bins from %d of %d, with weights from %d of %d", i, (int)width,
		(int)start, (int)bins, (int)weight, (int)weights);
}

static int filter_bank_run(const struct op_call *call, struct error *err)
{
	const struct ek_signal_bank bank = {
		.weights = op_in(call, 1)->data,
		.unweights = op_in(call, 2)->data,
		.starts = op_in(call, 3)->data,
		.weight_starts = op_in(call, 4)->data,
		.widths = op_in(call, 5)->data,
		.channels = channels_of(call),
	};
	for (size_t i = 0; i <= bank.channels; i++) {
		int r = check_channel(call, &bank, i, err);
		if (r < 0) {
			return r;
		}
	}
	ek_signal_filter_bank(op_out(call, 0)->data, op_in(call, 0)->data, &bank);
	return 0;
}

static int square_root_run(const struct op_call *call, struct error *err)
{
	const uint64_t *src = op_in(call, 0)->data;
	uint32_t *dst = op_out(call, 0)->data;
	int32_t shift = *(const int32_t *)op_in(call, 1)->data;
	if (shift < 0 || shift > 31) {
		return error_set(err, -EINVAL, "scale of %d bits, must be 0..31", (int)shift);
	}
	for (size_t i = 0; i < channels_of(call); i++) {
		dst[i] = ek_signal_sqrt(src[i]) >> shift;
	}
	return 0;
}

static int subtraction_accept(const struct op_setup *setup, struct error *err)
{
	return shape_known(op_shape_in(setup, 0))
		? 0
		: accept_missing("state of a size that only a run knows", err);
}

/* The noise of all channels is kept between runs. */
static int subtraction_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_signal_subtraction *o = &setup->node->options.signal_subtraction;
	struct ek_signal_subtraction *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	*state = (struct ek_signal_subtraction){
		.smoothing = {(uint32_t)o->smoothing, (uint32_t)o->alternate_smoothing},
		.one_minus_smoothing = {(uint32_t)o->one_minus_smoothing,
			(uint32_t)o->alternate_one_minus_smoothing},
		.min_signal_remaining = (uint32_t)o->min_signal_remaining,
		.smoothing_bits = o->smoothing_bits,
		.bits = o->subtraction_bits,
		.clamping = o->clamping,
	};
	setup->session_bytes = (uint64_t)op_shape_in(setup, 0)->dim[0] * sizeof(uint32_t);
	return 0;
}

static int subtraction_run(const struct op_call *call, struct error *err)
{
	size_t n = channels_of(call);
	(void)err;
	ek_signal_subtract(
		op_out(call, 0)->data, call->session, op_in(call, 0)->data, n, call->state);
	memcpy(op_out(call, 1)->data, call->session, n * sizeof(uint32_t));
	return 0;
}

static int pcan_run(const struct op_call *call, struct error *err)
{
	(void)err;
	ek_signal_pcan(op_out(call, 0)->data, op_in(call, 0)->data, op_in(call, 1)->data,
		channels_of(call), op_in(call, 2)->data, call->node->options.signal_pcan.snr_shift);
	return 0;
}

static int log_prepare(struct op_setup *setup, struct error *err)
{
	setup->state = op_alloc(setup, EK_SIGNAL_LOG_COUNT * sizeof(uint16_t));
	if (!setup->state) {
		return op_alloc_failed(setup, err);
	}
	ek_signal_log_table(setup->state);
	return 0;
}

static int log_run(const struct op_call *call, struct error *err)
{
	const struct options_signal_log *o = &call->node->options.signal_log;
	(void)err;
	ek_signal_log(op_out(call, 0)->data, op_in(call, 0)->data, channels_of(call),
		(uint32_t)o->output_scale, o->input_correction_bits, call->state);
	return 0;
}

const struct cpu_op op_signal_filter_bank = {.op = OP_SIGNAL_FILTER_BANK, .run = filter_bank_run};
const struct cpu_op op_signal_filter_bank_square_root = {
	.op = OP_SIGNAL_FILTER_BANK_SQUARE_ROOT, .run = square_root_run};
const struct cpu_op op_signal_filter_bank_spectral_subtraction = {
	.op = OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION,
	.accept = subtraction_accept,
	.prepare = subtraction_prepare,
	.run = subtraction_run};
const struct cpu_op op_signal_pcan = {.op = OP_SIGNAL_PCAN, .run = pcan_run};
const struct cpu_op op_signal_filter_bank_log = {
	.op = OP_SIGNAL_FILTER_BANK_LOG, .prepare = log_prepare, .run = log_run};
