/* SPDX-License-Identifier: Apache-2.0 */
/* SignalWindow, SignalFftAutoScale, SignalRfft, SignalIrfft and SignalEnergy of TensorFlow Lite
 * Micro: from samples to a spectrum. */
#include <string.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/signal.h"
#include "kernels/signal_fft.h"

static int window_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0), *window = op_in(call, 1);
	const int16_t *src = in->data;
	int16_t *dst = op_out(call, 0)->data;
	uint64_t width = op_elements(&window->shape);
	int shift = call->node->options.signal_window.shift;
	struct tiles t = {.total = op_elements(&in->shape) / width,
		.control = call->control,
		.each = tiles_rows(width)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			ek_signal_window(
				dst + i * width, src + i * width, window->data, width, shift);
		}
	}
	return tiles_end(&t, err);
}

static int auto_scale_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0);
	(void)err;
	*(int32_t *)op_out(call, 1)->data =
		ek_signal_auto_scale(op_out(call, 0)->data, in->data, (size_t)in->shape.dim[0]);
	return 0;
}

/* Energies of the bins from start to end; the reference leaves the others as they were, here they
 * are 0. */
static int energy_run(const struct op_call *call, struct error *err)
{
	const struct options_signal_energy *o = &call->node->options.signal_energy;
	const struct value *out = op_out(call, 0);
	uint32_t *dst = out->data;
	(void)err;
	memset(dst, 0, (size_t)out->shape.dim[0] * sizeof(*dst));
	ek_signal_energy(dst + o->start_index,
		(const int16_t *)op_in(call, 0)->data + 2 * (size_t)o->start_index,
		(size_t)(o->end_index - o->start_index));
	return 0;
}

struct fft_state {
	uint32_t type; /* enum dtype */
	size_t length, row; /* row: numbers of the input that belong to one transform */
	void *table;
};

/* Of a complex number. */
static size_t pair_bytes(unsigned int type)
{
	return type == DTYPE_INT16 ? 4 : 8;
}

static void fill_table(const struct fft_state *state, bool inverse)
{
	switch (state->type) {
	case DTYPE_INT16:
		ek_signal_fft_table_s16(state->table, state->length, inverse);
		break;
	case DTYPE_INT32:
		ek_signal_fft_table_s32(state->table, state->length, inverse);
		break;
	default:
		ek_signal_fft_table_f32(state->table, state->length, inverse);
	}
}

static int fft_prepare(struct op_setup *setup, struct error *err)
{
	struct fft_state *state = setup->state = op_alloc(setup, sizeof(*state));
	const struct shape *in = op_shape_in(setup, 0);
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	state->type = op_tensor_in(setup, 0)->type;
	state->length = (size_t)setup->node->options.signal_fft.length;
	state->row = (size_t)in->dim[in->rank - 1];
	size_t pair = pair_bytes(state->type);
	state->table = op_alloc(setup, ek_signal_fft_table_count(state->length) * pair);
	if (!state->table) {
		return op_alloc_failed(setup, err);
	}
	fill_table(state, setup->node->op == OP_SIGNAL_IRFFT);
	setup->scratch_bytes = state->length * pair; /* padded samples, and as many of work */
	return 0;
}

/* One row of samples, with zeros up to the transform's length. */
static void rfft_row(const struct fft_state *s, void *dst, const void *src, void *scratch)
{
	size_t number = pair_bytes(s->type) / 2;
	char *padded = scratch, *work = padded + s->length * number;
	memcpy(padded, src, s->row * number);
	memset(padded + s->row * number, 0, (s->length - s->row) * number);
	switch (s->type) {
	case DTYPE_INT16:
		ek_signal_rfft_s16(
			dst, (const int16_t *)scratch, s->length, s->table, (void *)work);
		break;
	case DTYPE_INT32:
		ek_signal_rfft_s32(
			dst, (const int32_t *)scratch, s->length, s->table, (void *)work);
		break;
	default:
		ek_signal_rfft_f32(dst, (const float *)scratch, s->length, s->table, (void *)work);
	}
}

static void irfft_row(const struct fft_state *s, void *dst, const void *src, void *scratch)
{
	switch (s->type) {
	case DTYPE_INT16:
		ek_signal_irfft_s16(dst, src, s->length, s->table, scratch);
		break;
	case DTYPE_INT32:
		ek_signal_irfft_s32(dst, src, s->length, s->table, scratch);
		break;
	default:
		ek_signal_irfft_f32(dst, src, s->length, s->table, scratch);
	}
}

static int fft_run(const struct op_call *call, struct error *err)
{
	const struct fft_state *s = call->state;
	const struct value *in = op_in(call, 0);
	bool inverse = call->node->op == OP_SIGNAL_IRFFT;
	size_t number = pair_bytes(s->type) / 2;
	size_t in_bytes = s->row * number;
	size_t out_bytes = (inverse ? s->length : s->length + 2) * number;
	const char *src = in->data;
	char *dst = op_out(call, 0)->data;
	struct tiles t = {.total = op_elements(&in->shape) / s->row,
		.control = call->control,
		.each = tiles_rows(s->length)};
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			(inverse ? irfft_row : rfft_row)(
				s, dst + i * out_bytes, src + i * in_bytes, call->scratch);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_signal_window = {.op = OP_SIGNAL_WINDOW, .run = window_run};
const struct cpu_op op_signal_fft_auto_scale = {
	.op = OP_SIGNAL_FFT_AUTO_SCALE, .run = auto_scale_run};
const struct cpu_op op_signal_rfft = {.op = OP_SIGNAL_RFFT, .prepare = fft_prepare, .run = fft_run};
const struct cpu_op op_signal_irfft = {
	.op = OP_SIGNAL_IRFFT, .prepare = fft_prepare, .run = fft_run};
const struct cpu_op op_signal_energy = {.op = OP_SIGNAL_ENERGY, .run = energy_run};
