/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/fft_radix2.h"

#include <math.h>

int fft_init(struct fft *fft, size_t n, struct error *err)
{
	fft->n = n;
	fft->cosine = calloc(n / 2, sizeof(fft->cosine[0]));
	fft->sine = calloc(n / 2, sizeof(fft->sine[0]));
	if (!fft->cosine || !fft->sine) {
		fft_deinit(fft);
		return error_no_memory(err);
	}
	for (size_t k = 0; k < n / 2; k++) {
		double angle = 2 * M_PI * (double)k / (double)n;
		fft->cosine[k] = cos(angle);
		fft->sine[k] = sin(angle);
	}
	return 0;
}

void fft_deinit(struct fft *fft)
{
	free(fft->cosine);
	free(fft->sine);
	*fft = (struct fft){0};
}

static void swap(double *a, double *b)
{
	double t = *a;
	*a = *b;
	*b = t;
}

/* Swaps element i with the element whose index is i with its bits reversed. */
static void reorder(size_t n, double *real, double *imaginary)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;
		for (; j & bit; bit >>= 1) {
			j ^= bit;
		}
		j ^= bit;
		if (i < j) {
			swap(&real[i], &real[j]);
			swap(&imaginary[i], &imaginary[j]);
		}
	}
}

static void butterfly(double *real, double *imaginary, size_t a, size_t b, double c, double s)
{
	double re = real[b] * c + imaginary[b] * s;
	double im = imaginary[b] * c - real[b] * s;
	real[b] = real[a] - re;
	imaginary[b] = imaginary[a] - im;
	real[a] += re;
	imaginary[a] += im;
}

void fft_run(const struct fft *fft, double *real, double *imaginary)
{
	reorder(fft->n, real, imaginary);
	for (size_t half = 1; half < fft->n; half *= 2) {
		size_t step = fft->n / (2 * half);
		for (size_t first = 0; first < fft->n; first += 2 * half) {
			for (size_t k = 0; k < half; k++) {
				butterfly(real, imaginary, first + k, first + k + half,
					fft->cosine[k * step], fft->sine[k * step]);
			}
		}
	}
}
