/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mfcc - mel-frequency cepstral coefficients of spectra, in double
 *
 *   mel(f) = 1127 * ln(1 + f / 700)
 *
 * Channels are triangles of equal width in mel that overlap by half; the logarithm of each goes
 * through a discrete cosine transform (type II, scaled by sqrt(2 / channels)).
 * Source: tflite kernels/internal/mfcc_mel_filterbank.cc, mfcc_dct.cc, mfcc.cc.
 */
#ifndef KERNELS_MFCC_H
#define KERNELS_MFCC_H

#include <stddef.h>
#include <stdint.h>

/* The filter bank for spectra of @bins bins, which go from 0 Hz to half the rate. */
struct ek_mel {
	size_t bins, channels;
	size_t first, end; /* bins that count: first <= i < end; 0 and 0 when the upper limit is
			      beyond the last bin */
	int32_t *channel; /* [bins]: on whose falling side the bin is; -1: before the first */
	double *weight; /* [bins]: share of that channel; the next one has the rest */
	double *centres; /* scratch: [channels + 1] */
};

/* Fills in all but the pointers, bins and channels, which are set. Limits and rate in Hz:
 * 0 <= lower < upper, 0 < rate; 2 <= bins. */
void ek_mel_init(struct ek_mel *mel, double rate, double lower, double upper);

/* dst[i * channels + j] = sqrt(2 / channels) * cos(pi / channels * i * (j + 0.5)), i < count. */
void ek_mfcc_cosines(double *dst, size_t count, size_t channels);

/* One spectrum of squared magnitudes: dst[count]. @work: channels elements. Where mel->end is 0 all
 * coefficients are 0, as the reference has them. */
void ek_mfcc(float *dst, const float *src, const struct ek_mel *mel, const double *cosines,
	size_t count, double *work);

#endif
