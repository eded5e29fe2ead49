/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fft - discrete Fourier transforms of a length that is a power of two
 *
 *   X[k] = sum over j of x[j] * exp(-2 * pi * i * j * k / n)
 *
 * Forward, not scaled. Radix 2, decimation in time; n * log2(n) / 2 butterflies. In float and in
 * double; the relative error grows with log2(n) units of the last place.
 *
 * @n:     a power of two, at least 1
 * @table: what ek_fft_table_f32() or _f64() has filled in for the same n
 * Nothing overlaps. Reads and writes exactly the elements named.
 */
#ifndef KERNELS_SIGNAL_FFT_H
#define KERNELS_SIGNAL_FFT_H

#include <stddef.h>

struct ek_complex_f32 {
	float re, im;
};

struct ek_complex_f64 {
	double re, im;
};

/* Elements of the table for @n points. */
static inline size_t ek_fft_table_count(size_t n)
{
	return n < 2 ? 1 : n / 2;
}

/* table[k] = exp(-2 * pi * i * k / n), computed in double. */
void ek_fft_table_f32(struct ek_complex_f32 *table, size_t n);
void ek_fft_table_f64(struct ek_complex_f64 *table, size_t n);

/* In place: @x has n elements. */
void ek_fft_f32(struct ek_complex_f32 *x, size_t n, const struct ek_complex_f32 *table);
void ek_fft_f64(struct ek_complex_f64 *x, size_t n, const struct ek_complex_f64 *table);

/* Of n real numbers: the n / 2 + 1 results k = 0..n / 2; the others are their conjugates. The
 * imaginary parts of the first and, where n > 1, of the last are 0. */
void ek_rfft_f32(
	struct ek_complex_f32 *dst, const float *src, size_t n, const struct ek_complex_f32 *table);
void ek_rfft_f64(struct ek_complex_f64 *dst, const double *src, size_t n,
	const struct ek_complex_f64 *table);

/*
 * The same in parts, to the same bits, for a caller that has something to do between them: passes
 * 0, 1, ... one after the other, each for its steps 0, 1, ... The steps @first to @end - 1 of a
 * pass are done by one call; those of one pass may be done in any order.
 */
static inline unsigned int ek_fft_passes(size_t n)
{
	return 1 + (unsigned int)__builtin_ctzll(n);
}

/* Of each pass. */
static inline size_t ek_fft_steps(size_t n)
{
	return n / 2;
}

static inline unsigned int ek_rfft_passes(size_t n)
{
	return n < 2 ? 1 : 2 + ek_fft_passes(n / 2);
}

/* Of each pass: some passes have nothing to do in the last ones. */
static inline size_t ek_rfft_steps(size_t n)
{
	return n < 2 ? 1 : n / 2;
}

void ek_fft_pass_f32(struct ek_complex_f32 *x, size_t n, const struct ek_complex_f32 *table,
	unsigned int pass, size_t first, size_t end);
void ek_fft_pass_f64(struct ek_complex_f64 *x, size_t n, const struct ek_complex_f64 *table,
	unsigned int pass, size_t first, size_t end);

void ek_rfft_pass_f32(struct ek_complex_f32 *dst, const float *src, size_t n,
	const struct ek_complex_f32 *table, unsigned int pass, size_t first, size_t end);
void ek_rfft_pass_f64(struct ek_complex_f64 *dst, const double *src, size_t n,
	const struct ek_complex_f64 *table, unsigned int pass, size_t first, size_t end);

/* Elements @first to @end - 1 of the table. */
void ek_fft_table_part_f32(struct ek_complex_f32 *table, size_t n, size_t first, size_t end);
void ek_fft_table_part_f64(struct ek_complex_f64 *table, size_t n, size_t first, size_t end);

#endif
