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
#ifndef KERNELS_SIGNAL_MFCC_H
#define KERNELS_SIGNAL_MFCC_H

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
	double low, hz_per_bin; /* mel of the lower limit */
	size_t next; /* channel whose centre is not below the bin that was filled in last */
};

/* Fills in all but the pointers, bins and channels, which are set, and what stands for each bin.
 * Limits and rate in Hz: 0 <= lower < upper, 0 < rate; 2 <= bins. */
void ek_mel_init(struct ek_mel *mel, double rate, double lower, double upper);
/* Channel and weight of the bins @first to @end - 1; from 0 on, one part after the other. */
void ek_mel_fill(struct ek_mel *mel, size_t first, size_t end);

/* dst[i * channels + j] = sqrt(2 / channels) * cos(pi / channels * i * (j + 0.5)), first <= i < end. */
void ek_mfcc_cosines(double *dst, size_t channels, size_t first, size_t end);

/*
 * One spectrum of squared magnitudes, in three steps, of which the first and the last may come in parts:
 * sums of the bins @first to @end - 1 are added to work[channels], which is 0 at the start, from bin 0 on;
 * their logarithms are taken; coefficients @first to @end - 1 are made. Where mel->end is 0 all
 * coefficients are 0, as the reference has them.
 */
void ek_mfcc_add(
	double *work, const float *src, const struct ek_mel *mel, size_t first, size_t end);
void ek_mfcc_log(double *work, const struct ek_mel *mel);
void ek_mfcc_transform(float *dst, const double *work, const struct ek_mel *mel,
	const double *cosines, size_t first, size_t end);

#endif
