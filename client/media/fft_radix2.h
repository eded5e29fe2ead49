/* SPDX-License-Identifier: Apache-2.0 */
/* fft_radix2 - discrete Fourier transform whose length is a power of two */
#ifndef CLIENT_MEDIA_FFT_RADIX2_H
#define CLIENT_MEDIA_FFT_RADIX2_H

#include <stddef.h>

#include "base/error.h"

struct fft {
	size_t n;
	double *cosine, *sine; /* owned; cos and sin of 2 pi k / n for k < n / 2 */
};

/* @n: a power of two, at least 2. */
int must_check fft_init(struct fft *fft, size_t n, struct error *err);
void fft_deinit(struct fft *fft); /* @fft may be zeroed */

/* Transforms in place: X[k] = sum over t of x[t] exp(-2 pi i k t / n). */
void fft_run(const struct fft *fft, double *real, double *imaginary);

#endif
