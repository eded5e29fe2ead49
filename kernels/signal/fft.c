/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/fft.h"

#include <math.h>

#define COMPLEX_F32 struct ek_complex_f32
#define COMPLEX_F64 struct ek_complex_f64

#define DEFINE_TABLE(suffix, real, complex)                                                        \
	void ek_fft_table_##suffix(complex *table, size_t n)                                       \
	{                                                                                          \
		const double turn = 6.283185307179586476925286766559 / (double)n;                  \
		for (size_t k = 0; k < ek_fft_table_count(n); k++) {                               \
			table[k].re = (real)cos(turn * (double)k);                                 \
			table[k].im = (real)-sin(turn * (double)k);                                \
		}                                                                                  \
	}

/* Element k goes where the bits of k, read backwards, point to. */
#define DEFINE_REORDER(suffix, complex)                                                            \
	static void reorder_##suffix(complex *x, size_t n)                                         \
	{                                                                                          \
		for (size_t i = 0, j = 0; i < n; i++) {                                            \
			if (i < j) {                                                               \
				complex held = x[i];                                               \
				x[i] = x[j];                                                       \
				x[j] = held;                                                       \
			}                                                                          \
			size_t bit = n / 2;                                                        \
			for (; j & bit; bit /= 2) {                                                \
				j -= bit;                                                          \
			}                                                                          \
			j += bit;                                                                  \
		}                                                                                  \
	}

/* @step: the table is one for step * n points. */
#define DEFINE_BUTTERFLIES(suffix, real, complex)                                                  \
	static void butterflies_##suffix(complex *x, size_t n, const complex *table, size_t step)  \
	{                                                                                          \
		for (size_t half = 1; half < n; half *= 2) {                                       \
			const size_t stride = n / (2 * half) * step;                               \
			for (size_t at = 0; at < n; at += 2 * half) {                              \
				complex *a = x + at, *b = a + half;                                \
				for (size_t k = 0; k < half; k++) {                                \
					const complex w = table[k * stride];                       \
					const real re = b[k].re * w.re - b[k].im * w.im;           \
					const real im = b[k].re * w.im + b[k].im * w.re;           \
					b[k].re = a[k].re - re;                                    \
					b[k].im = a[k].im - im;                                    \
					a[k].re += re;                                             \
					a[k].im += im;                                             \
				}                                                                  \
			}                                                                          \
		}                                                                                  \
	}

#define DEFINE_FFT(suffix, complex)                                                                \
	void ek_fft_##suffix(complex *x, size_t n, const complex *table)                           \
	{                                                                                          \
		reorder_##suffix(x, n);                                                            \
		butterflies_##suffix(x, n, table, 1);                                              \
	}

/* Results k and half - k of a real transform, from those of the transform of half as many complex
 * numbers, whose imaginary parts were the odd elements. */
#define DEFINE_UNTANGLE(suffix, real, complex)                                                     \
	static void untangle_##suffix(complex *x, size_t half, const complex *table)               \
	{                                                                                          \
		const complex first = x[0];                                                        \
		x[0] = (complex){first.re + first.im, 0};                                          \
		x[half] = (complex){first.re - first.im, 0};                                       \
		for (size_t k = 1; k <= half / 2; k++) {                                           \
			const complex a = x[k], b = x[half - k], w = table[k];                     \
			const real even_re = (a.re + b.re) / 2, even_im = (a.im - b.im) / 2;       \
			const real odd_re = (a.im + b.im) / 2, odd_im = (b.re - a.re) / 2;         \
			const real re = odd_re * w.re - odd_im * w.im;                             \
			const real im = odd_re * w.im + odd_im * w.re;                             \
			x[k] = (complex){even_re + re, even_im + im};                              \
			x[half - k] = (complex){even_re - re, im - even_im};                       \
		}                                                                                  \
	}

#define DEFINE_RFFT(suffix, real, complex)                                                         \
	void ek_rfft_##suffix(complex *dst, const real *src, size_t n, const complex *table)       \
	{                                                                                          \
		const size_t half = n / 2;                                                         \
		if (half == 0) {                                                                   \
			dst[0] = (complex){src[0], 0};                                             \
			return;                                                                    \
		}                                                                                  \
		for (size_t k = 0; k < half; k++) {                                                \
			dst[k] = (complex){src[2 * k], src[2 * k + 1]};                            \
		}                                                                                  \
		reorder_##suffix(dst, half);                                                       \
		butterflies_##suffix(dst, half, table, 2);                                         \
		untangle_##suffix(dst, half, table);                                               \
	}

#define DEFINE_ALL(suffix, real, complex)                                                          \
	DEFINE_TABLE(suffix, real, complex)                                                        \
	DEFINE_REORDER(suffix, complex)                                                            \
	DEFINE_BUTTERFLIES(suffix, real, complex)                                                  \
	DEFINE_FFT(suffix, complex)                                                                \
	DEFINE_UNTANGLE(suffix, real, complex)                                                     \
	DEFINE_RFFT(suffix, real, complex)

DEFINE_ALL(f32, float, COMPLEX_F32)
DEFINE_ALL(f64, double, COMPLEX_F64)
