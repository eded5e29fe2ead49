/* SPDX-License-Identifier: Apache-2.0 */
/* mel - triangular filters over the bins of a spectrum (definitions: features.h) */
#ifndef CLIENT_PIPELINE_MEL_H
#define CLIENT_PIPELINE_MEL_H

#include <stddef.h>

#include "base/error.h"
#include "client/pipeline/recipe.h"

struct mel_band {
	size_t first, n; /* bins */
	const double *weights;
};

struct mel {
	struct mel_band *bands; /* owned, n */
	size_t n;
	double *weights; /* owned */
};

int must_check mel_init(struct mel *mel, const struct recipe_pre *pre, struct error *err);
void mel_deinit(struct mel *mel); /* zeroed is fine */

/* One number per band from n_fft / 2 + 1 bins. */
void mel_run(const struct mel *mel, const double *bins, double *out);

#endif
