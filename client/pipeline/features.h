/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features - log-mel, MFCC and spectral features of a window of samples or rows
 *
 * mel, mfcc: frames x bands of one channel.
 *   librosa style:    frames of n_fft samples, the window function of win_length in their middle; mel
 *                     triangles are straight over hertz, Slaney's scale and area or HTK's; cepstra are
 *                     the orthonormal DCT-II. As librosa.feature.melspectrogram, power_to_db and mfcc.
 *   tensorflow style: frames of win_length samples, zeros after them up to n_fft; triangles are
 *                     straight over HTK mel, height 1, nothing of 0 Hz; cepstra are DCT-II times
 *                     sqrt(1 / (2 n_mels)). As tf.signal.stft, linear_to_mel_weight_matrix and
 *                     mfccs_from_log_mel_spectrograms.
 * spectral: what `spectral` names, of each column after its mean was taken away: rms, skewness and
 *   kurtosis (of the moments, kurtosis of a normal distribution is 0; both 0 where nothing varies),
 *   crest (largest magnitude over rms), bins (n_fft / 2 + 1 magnitudes to `power`, mean over frames).
 *
 * All arithmetic is in double.
 */
#ifndef CLIENT_PIPELINE_FEATURES_H
#define CLIENT_PIPELINE_FEATURES_H

#include <stddef.h>

#include "base/error.h"
#include "client/pipeline/recipe.h"

enum features_style {
	FEATURES_LIBROSA,
	FEATURES_TENSORFLOW
};
enum features_log {
	FEATURES_LINEAR,
	FEATURES_LN,
	FEATURES_LOG10,
	FEATURES_DB
};
enum features_win {
	FEATURES_HANN,
	FEATURES_HAMMING,
	FEATURES_ONES
};

#define FEATURES_MAX (1u << 24) /* numbers of one window, of mel bands before cepstra too */

struct features;

/* @pre has passed recipe_check() and outlives the features. -EINVAL for a list of spectral features
 * that names an unknown one. */
int must_check features_new(
	const struct recipe_pre *pre, struct features **ret_features, struct error *err);
void features_free(struct features *features); /* NULL is fine */
DEFINE_OWNED(struct features *, features_free)

/* Numbers that @rows samples, or rows of @columns, become; 0 when they are too few for one
 * frame, or would be more than FEATURES_MAX. */
size_t features_count(const struct features *features, size_t rows, size_t columns);

/* The least rows that give @count numbers; 0 when none do. */
size_t features_rows(const struct features *features, size_t count, size_t columns);

/* Fills features_count() numbers. @data is rows x columns. Only -ENOMEM. */
int must_check features_run(const struct features *features, const float *data, size_t rows,
	size_t columns, double *out, struct error *err);

#endif
