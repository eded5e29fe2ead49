/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/signal/mfcc.h"

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
	double hz_per_bin = mel->hz_per_bin = 0.5 * rate / (double)(mel->bins - 1);
	double first = 1.5 + lower / hz_per_bin, last = upper / hz_per_bin; /* never bin 0 */
	mel->first = first < (double)mel->bins ? (size_t)first : mel->bins;
	mel->end = last < (double)mel->bins ? (size_t)last + 1 : 0;
	for (size_t i = 0; i <= mel->channels; i++) {
		mel->centres[i] = low + spacing * (double)(i + 1);
	}
	mel->low = low;
	mel->next = 0;
}

static size_t later(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t earlier(size_t a, size_t b)
{
	return a < b ? a : b;
}

void ek_mel_fill(struct ek_mel *mel, size_t first, size_t end)
{
	size_t next = mel->next;
	for (size_t i = later(first, mel->first); i < earlier(end, mel->end); i++) {
		double at = mel_of((double)i * mel->hz_per_bin);
		while (next < mel->channels && mel->centres[next] < at) {
			next++;
		}
		double before = next > 0 ? mel->centres[next - 1] : mel->low;
		mel->channel[i] = (int32_t)next - 1;
		mel->weight[i] = (mel->centres[next] - at) / (mel->centres[next] - before);
	}
	mel->next = next;
}

void ek_mfcc_cosines(double *dst, size_t channels, size_t first, size_t end)
{
	double scale = sqrt(2.0 / (double)channels);
	double step = 3.14159265358979323846 / (double)channels;
	for (size_t i = first; i < end; i++) {
		for (size_t j = 0; j < channels; j++) {
			dst[i * channels + j] = scale * cos((double)i * step * ((double)j + 0.5));
		}
	}
}

void ek_mfcc_add(double *work, const float *src, const struct ek_mel *mel, size_t first, size_t end)
{
	for (size_t i = later(first, mel->first); i < earlier(end, mel->end); i++) {
		double magnitude = sqrt((double)src[i]), share = magnitude * mel->weight[i];
		int32_t channel = mel->channel[i];
		if (channel >= 0) {
			work[channel] += share;
		}
		if ((size_t)(channel + 1) < mel->channels) {
			work[channel + 1] += magnitude - share;
		}
	}
}

void ek_mfcc_log(double *work, const struct ek_mel *mel)
{
	for (size_t i = 0; i < mel->channels; i++) {
		work[i] = log(work[i] < FLOOR ? FLOOR : work[i]);
	}
}

void ek_mfcc_transform(float *dst, const double *work, const struct ek_mel *mel,
	const double *cosines, size_t first, size_t end)
{
	const size_t n = mel->end > 0 ? mel->channels : 0;
	for (size_t i = first; i < end; i++) {
		double sum = 0;
		for (size_t j = 0; j < n; j++) {
			sum += cosines[i * mel->channels + j] * work[j];
		}
		dst[i] = (float)sum;
	}
}
