/* SPDX-License-Identifier: Apache-2.0 */
/* fft - the discrete Fourier transform of a power of two */
#ifndef CLIENT_PIPELINE_FFT_H
#define CLIENT_PIPELINE_FFT_H

#include <stddef.h>

#include "base/error.h"

struct fft {
	size_t n;
	double *cosine, *sine; /* owned; of 2 pi k / n, k < n / 2 */
};

/* @n: a power of two from 2 on. */
int must_check fft_init(struct fft *fft, size_t n, struct error *err);
void fft_deinit(struct fft *fft); /* zeroed is fine */

/* In place: X[k] = sum over t of x[t] exp(-2 pi i k t / n). */
void fft_run(const struct fft *fft, double *real, double *imaginary);

#endif
