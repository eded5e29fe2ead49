/* SPDX-License-Identifier: Apache-2.0 */
/* mel - triangular mel filters over the bins of a spectrum (defined in features.h) */
#ifndef CLIENT_PIPELINE_MEL_H
#define CLIENT_PIPELINE_MEL_H

#include <stddef.h>

#include "base/error.h"
#include "client/pipeline/config/pipeline_config.h"

struct mel_band {
	size_t first, n; /* range of bins */
	const double *weights;
};

struct mel {
	struct mel_band *bands; /* owned, n */
	size_t n;
	double *weights; /* owned */
};

int must_check mel_init(struct mel *mel, const struct pipeline_config_pre *pre, struct error *err);
void mel_deinit(struct mel *mel);

/* Computes one value for each band. @bins has n_fft / 2 + 1 values. */
void mel_run(const struct mel *mel, const double *bins, double *out);

#endif
