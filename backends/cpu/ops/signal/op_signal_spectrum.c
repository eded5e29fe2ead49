/* SPDX-License-Identifier: Apache-2.0 */
/* SignalWindow, SignalFftAutoScale, SignalRfft, SignalIrfft and SignalEnergy of TensorFlow Lite
 * Micro: from samples to a spectrum. */
#include <string.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/signal/signal.h"
#include "kernels/signal/signal_fft.h"

static int window_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0), *window = op_in(call, 1);
	const int16_t *src = in->data;
	int16_t *dst = op_out(call, 0)->data;
	uint64_t width = op_elements(&window->shape);
	int shift = call->node->options.signal_window.shift;
	const int16_t *weights = window->data;
	struct tiles t = {.total = op_elements(&in->shape), .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at, end = t.at + t.count, n; i < end; i += n) {
			n = tiles_run(i, end, width);
			ek_signal_window(dst + i, src + i, weights + i % width, n, shift);
		}
	}
	return tiles_end(&t, err);
}

static int auto_scale_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0);
	const int16_t *src = in->data;
	int16_t *dst = op_out(call, 0)->data, peak = 0;
	struct tiles seen = {.total = (uint64_t)in->shape.dim[0], .control = call->control};
	struct tiles scaled = seen;
	while (tiles_next(&seen)) {
		peak = ek_signal_peak(peak, src + seen.at, (size_t)seen.count);
	}
	int r = tiles_end(&seen, err), bits = ek_signal_headroom(peak);
	while (r == 0 && tiles_next(&scaled)) {
		ek_signal_scale(dst + scaled.at, src + scaled.at, (size_t)scaled.count, bits);
	}
	*(int32_t *)op_out(call, 1)->data = bits;
	return r < 0 ? r : tiles_end(&scaled, err);
}

/* Energies of the bins from start to end; the reference leaves the others as they were, here they
 * are 0. */
static int energy_run(const struct op_call *call, struct error *err)
{
	const struct options_signal_energy *o = &call->node->options.signal_energy;
	const struct value *out = op_out(call, 0);
	const int16_t *src = op_in(call, 0)->data;
	uint32_t *dst = out->data;
	struct tiles t = {.total = (uint64_t)out->shape.dim[0], .control = call->control};
	while (tiles_next(&t)) {
		uint64_t end = t.at + t.count, to = (uint64_t)o->end_index;
		uint64_t from = (uint64_t)o->start_index;
		from = from > t.at ? from : t.at;
		to = to < end ? to : end;
		memset(dst + t.at, 0, (size_t)t.count * sizeof(*dst));
		if (from < to) {
			ek_signal_energy(dst + from, src + 2 * from, (size_t)(to - from));
		}
	}
	return tiles_end(&t, err);
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

static void fill_table_part(const struct fft_state *s, bool inverse, size_t first, size_t end)
{
	switch (s->type) {
	case DTYPE_INT16:
		ek_signal_fft_table_part_s16(s->table, s->length, inverse, first, end);
		break;
	case DTYPE_INT32:
		ek_signal_fft_table_part_s32(s->table, s->length, inverse, first, end);
		break;
	default:
		ek_signal_fft_table_part_f32(s->table, s->length, inverse, first, end);
	}
}

static int fill_table(const struct fft_state *s, bool inverse, const struct run_control *control)
{
	struct tiles t = {.total = ek_signal_fft_table_count(s->length), .control = control};
	while (tiles_next(&t)) {
		fill_table_part(s, inverse, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return t.result;
}

static int fft_prepare(struct op_setup *setup, struct error *err)
{
	struct fft_state *state = setup->state;
	const struct shape *in = op_shape_in(setup, 0);
	state->type = op_tensor_in(setup, 0)->type;
	state->length = (size_t)setup->node->options.signal_fft.length;
	state->row = (size_t)in->dim[in->rank - 1];
	size_t pair = pair_bytes(state->type);
	state->table = op_alloc(setup, ek_signal_fft_table_count(state->length) * pair);
	if (!state->table) {
		return op_alloc_failed(setup, err);
	}
	setup->scratch_bytes = state->length * pair; /* padded samples, and as many of work */
	int r = fill_table(state, setup->node->op == OP_SIGNAL_IRFFT, setup->control);
	return tiles_result(r, err);
}

/* One transform on its way. */
struct fft_row {
	const struct fft_state *state;
	void *dst, *work;
	const void *src;
};

typedef void fft_pass_fn(const struct fft_row *row, unsigned int pass, size_t first, size_t end);

static void rfft_pass(const struct fft_row *row, unsigned int pass, size_t first, size_t end)
{
	const struct fft_state *s = row->state;
	switch (s->type) {
	case DTYPE_INT16:
		ek_signal_rfft_pass_s16(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
		break;
	case DTYPE_INT32:
		ek_signal_rfft_pass_s32(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
		break;
	default:
		ek_signal_rfft_pass_f32(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
	}
}

static void irfft_pass(const struct fft_row *row, unsigned int pass, size_t first, size_t end)
{
	const struct fft_state *s = row->state;
	switch (s->type) {
	case DTYPE_INT16:
		ek_signal_irfft_pass_s16(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
		break;
	case DTYPE_INT32:
		ek_signal_irfft_pass_s32(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
		break;
	default:
		ek_signal_irfft_pass_f32(
			row->dst, row->src, s->length, s->table, row->work, pass, first, end);
	}
}

static int run_passes(const struct fft_row *row, fft_pass_fn *run, unsigned int passes,
	const struct run_control *control)
{
	struct tiles t = {.total = row->state->length / 2, .control = control};
	for (unsigned int pass = 0; pass < passes; pass++) {
		tiles_restart(&t);
		while (tiles_next(&t)) {
			run(row, pass, (size_t)t.at, (size_t)(t.at + t.count));
		}
	}
	return t.result;
}

/* One row of samples, with zeros up to the transform's length. */
static int rfft_row(const struct op_call *call, void *dst, const void *src)
{
	const struct fft_state *s = call->state;
	const size_t number = pair_bytes(s->type) / 2;
	const size_t given = s->row * number, bytes = s->length * number;
	char *padded = call->scratch;
	const struct fft_row row = {s, dst, padded + bytes, padded};
	int r = tiles_copy(padded, src, given, call->control);
	r = r < 0 ? r : tiles_clear(padded + given, bytes - given, call->control);
	return r < 0 ? r
		     : run_passes(&row, rfft_pass, ek_signal_rfft_passes(s->length), call->control);
}

static int irfft_row(const struct op_call *call, void *dst, const void *src)
{
	const struct fft_state *s = call->state;
	const struct fft_row row = {s, dst, call->scratch, src};
	return run_passes(&row, irfft_pass, ek_signal_irfft_passes(s->length), call->control);
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
	int r = 0;
	while (r == 0 && tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count && r == 0; i++) {
			r = (inverse ? irfft_row : rfft_row)(
				call, dst + i * out_bytes, src + i * in_bytes);
		}
	}
	return tiles_result(r < 0 ? r : t.result, err);
}

const struct cpu_op op_signal_window = {.op = OP_SIGNAL_WINDOW, .run = window_run};
const struct cpu_op op_signal_fft_auto_scale = {
	.op = OP_SIGNAL_FFT_AUTO_SCALE, .run = auto_scale_run};
const struct cpu_op op_signal_fft = {.op = OP_SIGNAL_RFFT,
	.also = OP_ALSO(OP_SIGNAL_IRFFT),
	.state_bytes = sizeof(struct fft_state),
	.prepare = fft_prepare,
	.run = fft_run};
const struct cpu_op op_signal_energy = {.op = OP_SIGNAL_ENERGY, .run = energy_run};
