/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/signal/fft.h"

#include <math.h>

#define COMPLEX_F32 struct ek_complex_f32
#define COMPLEX_F64 struct ek_complex_f64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The bits of @i, which is below @n, read backwards. */
static size_t mirror(size_t i, size_t n)
{
	size_t mirrored = 0;
	for (size_t bit = 1; bit < n; bit *= 2) {
		mirrored = 2 * mirrored + (i & bit ? 1 : 0);
	}
	return mirrored;
}

#define DEFINE_TABLE(suffix, real, complex)                                                        \
	void ek_fft_table_part_##suffix(complex *table, size_t n, size_t first, size_t end)        \
	{                                                                                          \
		const double turn = 6.283185307179586476925286766559 / (double)n;                  \
		for (size_t k = first; k < end; k++) {                                             \
			table[k].re = (real)cos(turn * (double)k);                                 \
			table[k].im = (real)-sin(turn * (double)k);                                \
		}                                                                                  \
	}                                                                                          \
	void ek_fft_table_##suffix(complex *table, size_t n)                                       \
	{                                                                                          \
		ek_fft_table_part_##suffix(table, n, 0, ek_fft_table_count(n));                    \
	}

/* Element k goes where the bits of k, read backwards, point to. */
#define DEFINE_REORDER(suffix, complex)                                                            \
	static void reorder_##suffix(complex *x, size_t n, size_t first, size_t end)               \
	{                                                                                          \
		for (size_t i = first, j = mirror(first, n); i < end; i++) {                       \
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

/* Those of blocks of 2 * half elements, half in each, from number @first on; elements of the table are
 * @stride apart. */
#define DEFINE_BUTTERFLIES(suffix, real, complex)                                                  \
	static void butterflies_##suffix(complex *x, size_t half, const complex *table,            \
		size_t stride, size_t first, size_t end)                                           \
	{                                                                                          \
		for (size_t n; first < end; first += n) {                                          \
			const size_t at = first & (half - 1);                                      \
			complex *a = x + 2 * (first - at) + at, *b = a + half;                     \
			const complex *turn = table + at * stride;                                 \
			n = least(half - at, end - first);                                         \
			for (size_t k = 0; k < n; k++) {                                           \
				const complex w = turn[k * stride];                                \
				const real re = b[k].re * w.re - b[k].im * w.im;                   \
				const real im = b[k].re * w.im + b[k].im * w.re;                   \
				b[k].re = a[k].re - re;                                            \
				b[k].im = a[k].im - im;                                            \
				a[k].re += re;                                                     \
				a[k].im += im;                                                     \
			}                                                                          \
		}                                                                                  \
	}

/* @step: the table is one for step * n points. */
#define DEFINE_PASS(suffix, complex)                                                               \
	static void pass_##suffix(complex *x, size_t n, const complex *table, size_t step,         \
		unsigned int pass, size_t first, size_t end)                                       \
	{                                                                                          \
		if (pass == 0) {                                                                   \
			reorder_##suffix(x, n, 2 * first, 2 * end);                                \
			return;                                                                    \
		}                                                                                  \
		const size_t half = (size_t)1 << (pass - 1);                                       \
		butterflies_##suffix(x, half, table, n / (2 * half) * step, first, end);           \
	}

#define DEFINE_FFT(suffix, complex)                                                                \
	void ek_fft_pass_##suffix(complex *x, size_t n, const complex *table, unsigned int pass,   \
		size_t first, size_t end)                                                          \
	{                                                                                          \
		pass_##suffix(x, n, table, 1, pass, first, end);                                   \
	}                                                                                          \
	void ek_fft_##suffix(complex *x, size_t n, const complex *table)                           \
	{                                                                                          \
		for (unsigned int pass = 0; pass < ek_fft_passes(n); pass++) {                     \
			pass_##suffix(x, n, table, 1, pass, 0, ek_fft_steps(n));                   \
		}                                                                                  \
	}

/* Results k and half - k of a real transform, from those of the transform of half as many complex
 * numbers, whose imaginary parts were the odd elements. */
#define DEFINE_UNTANGLE(suffix, real, complex)                                                     \
	static void untangle_##suffix(                                                             \
		complex *x, size_t half, const complex *table, size_t at, size_t end)              \
	{                                                                                          \
		if (at == 0 && end > 0) {                                                          \
			const complex first = x[0];                                                \
			x[0] = (complex){first.re + first.im, 0};                                  \
			x[half] = (complex){first.re - first.im, 0};                               \
			at = 1;                                                                    \
		}                                                                                  \
		for (size_t k = at; k < end; k++) {                                                \
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
	void ek_rfft_pass_##suffix(complex *dst, const real *src, size_t n, const complex *table,  \
		unsigned int pass, size_t first, size_t end)                                       \
	{                                                                                          \
		const size_t half = n / 2;                                                         \
		if (half == 0) {                                                                   \
			dst[0] = (complex){src[0], 0};                                             \
		} else if (pass == 0) {                                                            \
			for (size_t k = first; k < end; k++) {                                     \
				dst[k] = (complex){src[2 * k], src[2 * k + 1]};                    \
			}                                                                          \
		} else if (pass < ek_rfft_passes(n) - 1) {                                         \
			end = least(end, ek_fft_steps(half));                                      \
			first = least(first, end);                                                 \
			pass_##suffix(dst, half, table, 2, pass - 1, first, end);                  \
		} else {                                                                           \
			untangle_##suffix(dst, half, table, first, least(end, half / 2 + 1));      \
		}                                                                                  \
	}                                                                                          \
	void ek_rfft_##suffix(complex *dst, const real *src, size_t n, const complex *table)       \
	{                                                                                          \
		for (unsigned int pass = 0; pass < ek_rfft_passes(n); pass++) {                    \
			ek_rfft_pass_##suffix(dst, src, n, table, pass, 0, ek_rfft_steps(n));      \
		}                                                                                  \
	}

#define DEFINE_ALL(suffix, real, complex)                                                          \
	DEFINE_TABLE(suffix, real, complex)                                                        \
	DEFINE_REORDER(suffix, complex)                                                            \
	DEFINE_BUTTERFLIES(suffix, real, complex)                                                  \
	DEFINE_PASS(suffix, complex)                                                               \
	DEFINE_FFT(suffix, complex)                                                                \
	DEFINE_UNTANGLE(suffix, real, complex)                                                     \
	DEFINE_RFFT(suffix, real, complex)

DEFINE_ALL(f32, float, COMPLEX_F32)
DEFINE_ALL(f64, double, COMPLEX_F64)
