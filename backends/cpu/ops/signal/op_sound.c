/* SPDX-License-Identifier: Apache-2.0 */
/* AudioSpectrogram and Mfcc. Source: tflite kernels/audio_spectrogram.cc (with
 * internal/spectrogram.cc) and mfcc.cc. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "backends/cpu/op.h"
#include "backends/cpu/ops/signal/fft_parts.h"
#include "backends/cpu/tiles.h"
#include "kernels/signal/mfcc.h"

struct spectrogram_state {
	size_t window, length; /* samples; of the transform */
	double *hann; /* [window] */
	struct ek_complex_f64 *table;
};

static int fill_hann(const struct spectrogram_state *s, const struct run_control *control)
{
	struct tiles t = {.total = s->window, .control = control};
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			double phase = 2.0 * 3.14159265358979323846 * (double)i / (double)s->window;
			s->hann[i] = 0.5 - 0.5 * cos(phase);
		}
	}
	return t.result;
}

static int spectrogram_prepare(struct op_setup *setup, struct error *err)
{
	struct spectrogram_state *s = setup->state;
	s->window = (size_t)setup->node->options.spectrogram.window_size;
	s->length = 2 * ((size_t)op_shape_out(setup, 0)->dim[2] - 1);
	s->hann = op_alloc(setup, s->window * sizeof(*s->hann));
	s->table = op_alloc(setup, ek_fft_table_count(s->length) * sizeof(*s->table));
	if (!s->hann || !s->table) {
		return op_alloc_failed(setup, err);
	}
	setup->scratch_bytes =
		s->length * sizeof(double) + (s->length / 2 + 1) * sizeof(struct ek_complex_f64);
	int r = fill_hann(s, setup->control);
	r = r < 0 ? r : fft_parts_table(s->table, s->length, setup->control);
	return tiles_result(r, err);
}

/* The samples of a window, which stand @stride elements apart. */
static int take_window(const struct op_call *call, double *samples, const float *src, size_t stride)
{
	const struct spectrogram_state *s = call->state;
	struct tiles t = {.total = s->length, .control = call->control};
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			samples[i] = i < s->window ? (double)src[i * stride] * s->hann[i] : 0;
		}
	}
	return t.result;
}

static int give_powers(const struct op_call *call, float *dst, const struct ek_complex_f64 *bins)
{
	const struct spectrogram_state *s = call->state;
	const bool squared = call->node->options.spectrogram.magnitude_squared;
	struct tiles t = {.total = s->length / 2 + 1, .control = call->control};
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			float power = (float)(bins[i].re * bins[i].re + bins[i].im * bins[i].im);
			dst[i] = squared ? power : sqrtf(power);
		}
	}
	return t.result;
}

static int spectrum(const struct op_call *call, float *dst, const float *src, size_t stride)
{
	const struct spectrogram_state *s = call->state;
	double *samples = call->scratch;
	struct ek_complex_f64 *bins = (struct ek_complex_f64 *)(samples + s->length);
	int r = take_window(call, samples, src, stride);
	r = r < 0 ? r : fft_parts_real(bins, samples, s->length, s->table, call->control);
	return r < 0 ? r : give_powers(call, dst, bins);
}

static int spectrogram_run(const struct op_call *call, struct error *err)
{
	const struct spectrogram_state *s = call->state;
	const struct options_spectrogram *o = &call->node->options.spectrogram;
	const struct value *out = op_out(call, 0);
	const float *src = op_in(call, 0)->data;
	float *dst = out->data;
	size_t channels = (size_t)out->shape.dim[0], windows = (size_t)out->shape.dim[1];
	struct tiles t = {.total = (uint64_t)channels * windows,
		.control = call->control,
		.each = tiles_rows(s->length)};
	int r = 0;
	while (r == 0 && tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count && r == 0; i++) {
			size_t first = i % windows * (size_t)o->stride * channels + i / windows;
			r = spectrum(call, dst + i * (s->length / 2 + 1), src + first, channels);
		}
	}
	return tiles_result(r < 0 ? r : t.result, err);
}

static int mfcc_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_mfcc *o = &setup->node->options.mfcc;
	uint64_t channels = (uint64_t)o->filterbank_channel_count;
	uint64_t count = (uint64_t)o->dct_coefficient_count;
	uint64_t bins = (uint64_t)op_shape_in(setup, 0)->dim[2];
	double *cosines = setup->state = op_alloc(setup, count * channels * sizeof(*cosines));
	if (!cosines) {
		return op_alloc_failed(setup, err);
	}
	setup->scratch_bytes = (2 * channels + 1 + bins) * sizeof(double) + bins * sizeof(int32_t);
	struct tiles t = {.total = count, .control = setup->control, .each = tiles_rows(channels)};
	while (tiles_next(&t)) {
		ek_mfcc_cosines(cosines, (size_t)channels, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return tiles_end(&t, err);
}

static int fill_mel(struct ek_mel *mel, const struct run_control *control)
{
	struct tiles t = {.total = mel->bins, .control = control};
	while (tiles_next(&t)) {
		ek_mel_fill(mel, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return t.result;
}

/* The coefficients of one spectrum. @work: an element for each channel. */
static int mfcc(const struct op_call *call, const struct ek_mel *mel, float *dst, const float *src,
	double *work)
{
	struct tiles bins = {.total = mel->bins, .control = call->control};
	struct tiles t = {.total = (uint64_t)call->node->options.mfcc.dct_coefficient_count,
		.control = call->control,
		.each = tiles_rows(mel->channels)};
	memset(work, 0, mel->channels * sizeof(*work));
	while (tiles_next(&bins)) {
		ek_mfcc_add(work, src, mel, (size_t)bins.at, (size_t)(bins.at + bins.count));
	}
	ek_mfcc_log(work, mel);
	while (bins.result == 0 && tiles_next(&t)) {
		ek_mfcc_transform(
			dst, work, mel, call->state, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return bins.result < 0 ? bins.result : t.result;
}

static int mfcc_run(const struct op_call *call, struct error *err)
{
	const struct options_mfcc *o = &call->node->options.mfcc;
	const struct value *in = op_in(call, 0);
	const float *src = in->data;
	float *dst = op_out(call, 0)->data;
	int32_t rate = *(const int32_t *)op_in(call, 1)->data;
	size_t count = (size_t)o->dct_coefficient_count;
	struct ek_mel mel = {.bins = (size_t)in->shape.dim[2],
		.channels = (size_t)o->filterbank_channel_count,
		.weight = call->scratch};
	mel.centres = mel.weight + mel.bins;
	double *work = mel.centres + mel.channels + 1;
	mel.channel = (int32_t *)(work + mel.channels);
	struct tiles t = {.total = op_gemm(&in->shape, 0, 2),
		.control = call->control,
		.each = tiles_rows(mel.bins + mel.channels * count)};
	if (rate <= 0) {
		return error_set(err, -EINVAL, "sampling rate %d", (int)rate);
	}
	ek_mel_init(&mel, rate, (double)(float)o->lower_frequency_limit,
		(double)(float)o->upper_frequency_limit);
	int r = fill_mel(&mel, call->control);
	while (r == 0 && tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count && r == 0; i++) {
			r = mfcc(call, &mel, dst + i * count, src + i * mel.bins, work);
		}
	}
	return tiles_result(r < 0 ? r : t.result, err);
}

const struct cpu_op op_audio_spectrogram = {.op = OP_AUDIO_SPECTROGRAM,
	.state_bytes = sizeof(struct spectrogram_state),
	.prepare = spectrogram_prepare,
	.run = spectrogram_run};
const struct cpu_op op_mfcc = {.op = OP_MFCC, .prepare = mfcc_prepare, .run = mfcc_run};
