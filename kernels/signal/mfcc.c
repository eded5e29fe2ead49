/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/mfcc.h"

#include <math.h>

#define FLOOR 1e-12 /* of a channel, before its logarithm */

static double mel_of(double hz)
{
	return 1127.0 * log1p(hz / 700.0);
}

void ek_mel_init(struct ek_mel *mel, double rate, double lower, double upper)
{
	double low = mel_of(lower), span = mel_of(upper) - low;
	double spacing = span / (double)(mel->channels + 1);
	double hz_per_bin = 0.5 * rate / (double)(mel->bins - 1);
	double first = 1.5 + lower / hz_per_bin, last = upper / hz_per_bin; /* never bin 0 */
	mel->first = first < (double)mel->bins ? (size_t)first : mel->bins;
	mel->end = last < (double)mel->bins ? (size_t)last + 1 : 0;
	for (size_t i = 0; i <= mel->channels; i++) {
		mel->centres[i] = low + spacing * (double)(i + 1);
	}
	size_t next = 0; /* channel whose centre is not below the bin */
	for (size_t i = mel->first; i < mel->end; i++) {
		double at = mel_of((double)i * hz_per_bin);
		while (next < mel->channels && mel->centres[next] < at) {
			next++;
		}
		double before = next > 0 ? mel->centres[next - 1] : low;
		mel->channel[i] = (int32_t)next - 1;
		mel->weight[i] = (mel->centres[next] - at) / (mel->centres[next] - before);
	}
}

void ek_mfcc_cosines(double *dst, size_t count, size_t channels)
{
	double scale = sqrt(2.0 / (double)channels);
	double step = 3.14159265358979323846 / (double)channels;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < channels; j++) {
			dst[i * channels + j] = scale * cos((double)i * step * ((double)j + 0.5));
		}
	}
}

/* Logarithms of the channels' sums of magnitudes. */
static void mel_log(double *dst, const float *src, const struct ek_mel *mel)
{
	for (size_t i = 0; i < mel->channels; i++) {
		dst[i] = 0;
	}
	for (size_t i = mel->first; i < mel->end; i++) {
		double magnitude = sqrt((double)src[i]), share = magnitude * mel->weight[i];
		int32_t channel = mel->channel[i];
		if (channel >= 0) {
			dst[channel] += share;
		}
		if ((size_t)(channel + 1) < mel->channels) {
			dst[channel + 1] += magnitude - share;
		}
	}
	for (size_t i = 0; i < mel->channels; i++) {
		dst[i] = log(dst[i] < FLOOR ? FLOOR : dst[i]);
	}
}

void ek_mfcc(float *dst, const float *src, const struct ek_mel *mel, const double *cosines,
	size_t count, double *work)
{
	size_t n = mel->end > 0 ? mel->channels : 0;
	if (n > 0) {
		mel_log(work, src, mel);
	}
	for (size_t i = 0; i < count; i++) {
		double sum = 0;
		for (size_t j = 0; j < n; j++) {
			sum += cosines[i * mel->channels + j] * work[j];
		}
		dst[i] = (float)sum;
	}
}
