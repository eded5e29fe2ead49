/* SPDX-License-Identifier: Apache-2.0 */
/* AudioSpectrogram and Mfcc. Source: tflite kernels/audio_spectrogram.cc (with
 * internal/spectrogram.cc) and mfcc.cc. */
#include <errno.h>
#include <math.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/fft.h"
#include "kernels/mfcc.h"

struct spectrogram_state {
	size_t window, length; /* samples; of the transform */
	double *hann; /* [window] */
	struct ek_complex_f64 *table;
};

static int spectrogram_prepare(struct op_setup *setup, struct error *err)
{
	struct spectrogram_state *s = setup->state = op_alloc(setup, sizeof(*s));
	if (!s) {
		return op_alloc_failed(setup, err);
	}
	s->window = (size_t)setup->node->options.spectrogram.window_size;
	s->length = 2 * ((size_t)op_shape_out(setup, 0)->dim[2] - 1);
	s->hann = op_alloc(setup, s->window * sizeof(*s->hann));
	s->table = op_alloc(setup, ek_fft_table_count(s->length) * sizeof(*s->table));
	if (!s->hann || !s->table) {
		return op_alloc_failed(setup, err);
	}
	for (size_t i = 0; i < s->window; i++) {
		double phase = 2.0 * 3.14159265358979323846 * (double)i / (double)s->window;
		s->hann[i] = 0.5 - 0.5 * cos(phase);
	}
	ek_fft_table_f64(s->table, s->length);
	setup->scratch_bytes =
		s->length * sizeof(double) + (s->length / 2 + 1) * sizeof(struct ek_complex_f64);
	return 0;
}

/* One window, whose samples stand @stride elements apart. */
static void spectrum(const struct spectrogram_state *s, bool squared, float *dst, const float *src,
	size_t stride, void *scratch)
{
	double *samples = scratch;
	struct ek_complex_f64 *bins = (struct ek_complex_f64 *)(samples + s->length);
	for (size_t i = 0; i < s->length; i++) {
		samples[i] = i < s->window ? (double)src[i * stride] * s->hann[i] : 0;
	}
	ek_rfft_f64(bins, samples, s->length, s->table);
	for (size_t i = 0; i <= s->length / 2; i++) {
		float power = (float)(bins[i].re * bins[i].re + bins[i].im * bins[i].im);
		dst[i] = squared ? power : sqrtf(power);
	}
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
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			size_t first = i % windows * (size_t)o->stride * channels + i / windows;
			spectrum(s, o->magnitude_squared, dst + i * (s->length / 2 + 1),
				src + first, channels, call->scratch);
		}
	}
	return tiles_end(&t, err);
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
	ek_mfcc_cosines(cosines, (size_t)count, (size_t)channels);
	setup->scratch_bytes = (2 * channels + 1 + bins) * sizeof(double) + bins * sizeof(int32_t);
	return 0;
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
	struct tiles t = {.total = op_product(&in->shape, 0, 2),
		.control = call->control,
		.each = tiles_rows(mel.bins + mel.channels * count)};
	if (rate <= 0) {
		return error_set(err, -EINVAL, "sampling rate %d", (int)rate);
	}
	ek_mel_init(&mel, rate, (double)(float)o->lower_frequency_limit,
		(double)(float)o->upper_frequency_limit);
	while (tiles_next(&t)) {
		for (size_t i = (size_t)t.at; i < t.at + t.count; i++) {
			ek_mfcc(dst + i * count, src + i * mel.bins, &mel, call->state, count,
				work);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_audio_spectrogram = {
	.op = OP_AUDIO_SPECTROGRAM, .prepare = spectrogram_prepare, .run = spectrogram_run};
const struct cpu_op op_mfcc = {.op = OP_MFCC, .prepare = mfcc_prepare, .run = mfcc_run};
