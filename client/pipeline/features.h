/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features - log-mel, MFCC and spectral features of a window of samples or rows
 *
 * mel, mfcc: frames x bands of one channel.
 *   librosa style:    frames of n_fft samples, the window function of win_length in the middle;
 *                     mel triangles are linear in Hz, scale and area after Slaney or HTK; cepstra
 *                     are the orthonormal DCT-II. Equals librosa.feature.melspectrogram,
 *                     power_to_db and mfcc.
 *   tensorflow style: frames of win_length samples, zero-padded to n_fft; triangles are linear in
 *                     HTK mel with height 1, without the 0 Hz bin; cepstra are the DCT-II times
 *                     sqrt(1 / (2 n_mels)). Equals tf.signal.stft,
 *                     linear_to_mel_weight_matrix and mfccs_from_log_mel_spectrograms.
 * spectral: the features that `spectral` names, of each column minus its mean: rms, skewness and
 *   kurtosis (from the moments; kurtosis of a normal distribution is 0; both 0 for a constant
 *   column), crest (largest magnitude / rms), bins (n_fft / 2 + 1 magnitudes to `power`,
 *   mean over frames).
 *
 * All arithmetic is in double.
 */
#ifndef CLIENT_PIPELINE_FEATURES_H
#define CLIENT_PIPELINE_FEATURES_H

#include <stddef.h>

#include "base/error.h"
#include "client/pipeline/config/pipeline_config.h"

/* most values of one window, also of the mel bands from which cepstra are computed */
#define FEATURES_MAX (1u << 24)

struct features;

/* @pre has passed pipeline_config_check() and outlives the features. -EINVAL: `spectral` names an unknown
 * feature. */
int must_check features_new(
	const struct pipeline_config_pre *pre, struct features **ret_features, struct error *err);
void features_free(struct features *features); /* may be NULL */
DEFINE_OWNED(struct features *, features_free)

/* Returns the number of features of @rows rows with @columns columns. 0: too few rows for one
 * frame, or more than FEATURES_MAX features. */
size_t features_count(const struct features *features, size_t rows, size_t columns);

/* Returns the fewest rows that give @count features; 0: no number of rows does. */
size_t features_rows(const struct features *features, size_t count, size_t columns);

/* Writes features_count() values to @out. @data has @rows x @columns values. Fails only with
 * -ENOMEM. */
int must_check features_run(const struct features *features, const float *data, size_t rows,
	size_t columns, double *out, struct error *err);

#endif
