/* SPDX-License-Identifier: Apache-2.0 */
/* SignalFilterBank and what follows it in the front end of TensorFlow Lite Micro: square root, noise
 * reduction, gain, logarithm. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/signal/signal.h"

static size_t channels_of(const struct op_call *call)
{
	return (size_t)op_out(call, 0)->shape.dim[0];
}

/* Tiles of an even number of channels: smoothing tells even channels from odd ones. */
static struct tiles channel_tiles(const struct op_call *call)
{
	return (struct tiles){.total = channels_of(call), .control = call->control};
}

/* Bins that a channel sums, and the first of their weights. */
struct channel {
	int32_t start, weight, width;
};

/* The client may write to the operand meanwhile: what is checked is what is used. */
static int32_t read_once(const struct op_call *call, uint32_t operand, size_t i)
{
	return __atomic_load_n((const int16_t *)op_in(call, operand)->data + i, __ATOMIC_RELAXED);
}

/* The most bins of a channel: as many as there are bins, weights and unweights. */
static int32_t widest(const struct op_call *call)
{
	int32_t most = op_in(call, 0)->shape.dim[0];
	for (uint32_t i = 1; i < 3; i++) {
		int32_t n = op_in(call, i)->shape.dim[0];
		most = n < most ? n : most;
	}
	return most;
}

/* Channel @i, whose bins and weights lie within what there is; a width below 1 means none, and
 * leaves *ret_channel. The three numbers are int16, so their sums do not leave int32. */
static int read_channel(
	const struct op_call *call, size_t i, struct channel *ret_channel, struct error *err)
{
	const struct channel c = {
		.start = read_once(call, 3, i),
		.weight = read_once(call, 4, i),
		.width = read_once(call, 5, i),
	};
	int32_t bins = op_in(call, 0)->shape.dim[0];
	int32_t weights = op_in(call, 1)->shape.dim[0], unweights = op_in(call, 2)->shape.dim[0];
	weights = unweights < weights ? unweights : weights;
	if (c.width < 1) {
		return 0;
	}
	if (c.start < 0 || c.start + c.width > bins || c.weight < 0 ||
		c.weight + c.width > weights) {
		return error_set(err, -EINVAL,
			"channel %zu: %d bins from %d of %d, with weights from %d of %d", i,
			(int)c.width, (int)c.start, (int)bins, (int)c.weight, (int)weights);
	}
	*ret_channel = c;
	return 0;
}

/* The channel's bins times the weights of operand @operand. */
static uint64_t weigh(const struct op_call *call, const struct channel *c, uint32_t operand)
{
	return ek_signal_weigh((const uint32_t *)op_in(call, 0)->data + c->start,
		(const int16_t *)op_in(call, operand)->data + c->weight, (size_t)c->width);
}

/* Triangles that overlap by half: output i is the unweights of channel i and the weights of channel
 * i + 1, each times its bins. */
static int filter_bank_run(const struct op_call *call, struct error *err)
{
	uint64_t *dst = op_out(call, 0)->data;
	uint64_t carried = 0; /* what the lower neighbour's bins add */
	struct tiles t = {.total = channels_of(call) + 1,
		.control = call->control,
		.each = tiles_rows(2 * (uint64_t)widest(call))};
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			struct channel c = {0};
			int r = read_channel(call, i, &c, err);
			if (r < 0) {
				return r;
			}
			if (i > 0) { /* nobody below the first one wants its weights */
				dst[i - 1] = carried + weigh(call, &c, 1);
			}
			carried = weigh(call, &c, 2);
		}
	}
	return tiles_end(&t, err);
}

static int square_root_run(const struct op_call *call, struct error *err)
{
	const uint64_t *src = op_in(call, 0)->data;
	uint32_t *dst = op_out(call, 0)->data;
	int32_t shift = __atomic_load_n((const int32_t *)op_in(call, 1)->data, __ATOMIC_RELAXED);
	struct tiles t = channel_tiles(call);
	if (shift < 0 || shift > 31) {
		return error_set(err, -EINVAL, "scale of %d bits, must be 0..31", (int)shift);
	}
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			dst[i] = ek_signal_sqrt(src[i]) >> shift;
		}
	}
	return tiles_end(&t, err);
}

static int subtraction_accept(const struct op_setup *setup, struct error *err)
{
	return shape_known(op_shape_in(setup, 0))
		? 0
		: op_accept_missing("state of a size that only a run knows", err);
}

/* The noise of all channels is kept between runs. */
static void subtraction_init(struct op_setup *setup)
{
	const struct options_signal_subtraction *o = &setup->node->options.signal_subtraction;
	struct ek_signal_subtraction *state = setup->state;
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
}

static int subtraction_run(const struct op_call *call, struct error *err)
{
	const uint32_t *src = op_in(call, 0)->data;
	uint32_t *dst = op_out(call, 0)->data, *noise = call->session;
	uint32_t *ret_noise = op_out(call, 1)->data;
	struct tiles t = channel_tiles(call);
	while (tiles_next(&t)) {
		ek_signal_subtract(
			dst + t.at, noise + t.at, src + t.at, (size_t)t.count, call->state);
		memcpy(ret_noise + t.at, noise + t.at, (size_t)t.count * sizeof(*noise));
	}
	return tiles_end(&t, err);
}

static int pcan_run(const struct op_call *call, struct error *err)
{
	const uint32_t *src = op_in(call, 0)->data, *noise = op_in(call, 1)->data;
	uint32_t *dst = op_out(call, 0)->data;
	int shift = call->node->options.signal_pcan.snr_shift;
	struct tiles t = channel_tiles(call);
	while (tiles_next(&t)) {
		ek_signal_pcan(dst + t.at, src + t.at, noise + t.at, (size_t)t.count,
			op_in(call, 2)->data, shift);
	}
	return tiles_end(&t, err);
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
	const uint32_t *src = op_in(call, 0)->data;
	int16_t *dst = op_out(call, 0)->data;
	struct tiles t = channel_tiles(call);
	while (tiles_next(&t)) {
		ek_signal_log(dst + t.at, src + t.at, (size_t)t.count, (uint32_t)o->output_scale,
			o->input_correction_bits, call->state);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_signal_filter_bank = {.op = OP_SIGNAL_FILTER_BANK, .run = filter_bank_run};
const struct cpu_op op_signal_filter_bank_square_root = {
	.op = OP_SIGNAL_FILTER_BANK_SQUARE_ROOT, .run = square_root_run};
const struct cpu_op op_signal_filter_bank_spectral_subtraction = {
	.op = OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION,
	.accept = subtraction_accept,
	.state_bytes = sizeof(struct ek_signal_subtraction),
	.init = subtraction_init,
	.run = subtraction_run};
const struct cpu_op op_signal_pcan = {.op = OP_SIGNAL_PCAN, .run = pcan_run};
const struct cpu_op op_signal_filter_bank_log = {
	.op = OP_SIGNAL_FILTER_BANK_LOG, .prepare = log_prepare, .run = log_run};
