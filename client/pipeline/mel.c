/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: Slaney, Auditory Toolbox, 1998 (linear up to 1 kHz, then 27 steps for a factor of 6.4);
 * the HTK Book, 5.4 (2595 log10(1 + f / 700)). */
#include "client/pipeline/mel.h"

#include <math.h>

#define LINEAR_HZ 1000.0
#define HZ_PER_MEL (200.0 / 3)
#define LINEAR_MEL (LINEAR_HZ / HZ_PER_MEL)

static double log_step(void)
{
	return log(6.4) / 27;
}

static double mel_of(double hz, bool htk)
{
	if (htk) {
		return 2595 * log10(1 + hz / 700);
	}
	return hz < LINEAR_HZ ? hz / HZ_PER_MEL : LINEAR_MEL + log(hz / LINEAR_HZ) / log_step();
}

static double hz_of(double mel, bool htk)
{
	if (htk) {
		return 700 * (pow(10, mel / 2595) - 1);
	}
	return mel < LINEAR_MEL ? mel * HZ_PER_MEL
				: LINEAR_HZ * exp((mel - LINEAR_MEL) * log_step());
}

/* Returns edge @i of the triangles, on the scale on which they are linear: the start of band i,
 * the peak of band i - 1 and the end of band i - 2. */
static double edge(const struct pipeline_config_pre *pre, size_t i)
{
	bool tensorflow = pre->style == FEATURES_TENSORFLOW;
	bool htk = tensorflow || pre->htk;
	double highest = isnan(pre->fmax) ? (double)pre->sr / 2 : pre->fmax;
	double low = mel_of(pre->fmin, htk), high = mel_of(highest, htk);
	double mel = low + (high - low) * (double)i / (double)(pre->n_mels + 1);
	return tensorflow ? mel : hz_of(mel, htk);
}

static double weight(const struct pipeline_config_pre *pre, const double *edges, size_t bin)
{
	bool tensorflow = pre->style == FEATURES_TENSORFLOW;
	double hz = (double)bin * (double)pre->sr / (double)pre->n_fft;
	double at = tensorflow ? mel_of(hz, true) : hz;
	double up = (at - edges[0]) / (edges[1] - edges[0]);
	double down = (edges[2] - at) / (edges[2] - edges[1]);
	double height = tensorflow || pre->norm ? 1 : 2 / (edges[2] - edges[0]);
	return tensorflow && bin == 0 ? 0 : fmax(fmin(up, down), 0) * height;
}

/* Writes the non-zero weights of one band to @out. */
static size_t band_fill(
	const struct pipeline_config_pre *pre, size_t band, struct mel_band *ret_band, double *out)
{
	double edges[3] = {edge(pre, band), edge(pre, band + 1), edge(pre, band + 2)};
	size_t bins = (size_t)pre->n_fft / 2 + 1, n = 0;
	struct mel_band one = {.weights = out};
	for (size_t k = 0; k < bins; k++) {
		double w = weight(pre, edges, k);
		if (w > 0) {
			one.first = n ? one.first : k;
			out[n++] = w;
		}
	}
	one.n = n;
	*ret_band = one;
	return n;
}

int mel_init(struct mel *mel, const struct pipeline_config_pre *pre, struct error *err)
{
	size_t used = 0, n = (size_t)pre->n_mels;
	/* A bin belongs to at most two neighbouring bands. */
	size_t room = 2 * ((size_t)pre->n_fft / 2 + 1);
	*mel = (struct mel){.n = n};
	mel->bands = calloc(n, sizeof(mel->bands[0]));
	mel->weights = calloc(room + 1, sizeof(mel->weights[0]));
	if (!mel->bands || !mel->weights) {
		mel_deinit(mel);
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		used += band_fill(pre, i, &mel->bands[i], mel->weights + used);
	}
	return 0;
}

void mel_deinit(struct mel *mel)
{
	free(mel->bands);
	free(mel->weights);
	*mel = (struct mel){0};
}

void mel_run(const struct mel *mel, const double *bins, double *out)
{
	for (size_t i = 0; i < mel->n; i++) {
		const struct mel_band *band = &mel->bands[i];
		double sum = 0;
		for (size_t k = 0; k < band->n; k++) {
			sum += band->weights[k] * bins[band->first + k];
		}
		out[i] = sum;
	}
}
