/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal_fft - real Fourier transforms in fixed point, to the bit of those of TensorFlow Lite Micro
 *
 * n real numbers are taken as n / 2 complex ones, transformed in steps of radix 4 and, for odd
 * powers, one of radix 2, and then sorted into the n / 2 + 1 bins of the real transform. In fixed
 * point each step first divides by its radix (times 32767 / radix, rounded), so that nothing can
 * overflow but a sum in a corner, which wraps; the result is the transform divided by n. The inverse
 * is divided by n as well, in float too; the float one forward is not scaled.
 *
 * @n:       a power of two, at least 4
 * @table:   ek_signal_fft_table_count(n) numbers of the same direction
 * @scratch: n / 2 complex numbers
 * Nothing overlaps. Reads and writes exactly the elements named.
 * Source: TensorFlow Lite Micro's signal/src/rfft_*.cc and irfft_*.cc, which use the method and the
 * rounding of KISS FFT.
 */
#ifndef KERNELS_SIGNAL_SIGNAL_FFT_H
#define KERNELS_SIGNAL_SIGNAL_FFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each also comes in parts, to the same bits, for a caller that has something to do between them:
 * passes 0, 1, ... one after the other, each for its steps 0 to n / 2 - 1. The steps @first to
 * @end - 1 of a pass are done by one call; those of one pass may be done in any order, and some
 * passes have nothing to do in the last ones.
 */
static inline unsigned int ek_signal_rfft_passes(size_t n)
{
	return 2 + (unsigned int)__builtin_ctzll(n) / 2;
}

static inline unsigned int ek_signal_irfft_passes(size_t n)
{
	return 3 + (unsigned int)__builtin_ctzll(n) / 2;
}

/* Complex numbers of the table for @n real ones. */
static inline size_t ek_signal_fft_table_count(size_t n)
{
	return n / 2 + n / 4;
}

#define EK_SIGNAL_FFT(suffix, scalar)                                                              \
	struct ek_signal_complex_##suffix {                                                        \
		scalar re, im;                                                                     \
	};                                                                                         \
	void ek_signal_fft_table_##suffix(                                                         \
		struct ek_signal_complex_##suffix *table, size_t n, bool inverse);                 \
	/* Elements @first to @end - 1 of it. */                                                   \
	void ek_signal_fft_table_part_##suffix(struct ek_signal_complex_##suffix *table, size_t n, \
		bool inverse, size_t first, size_t end);                                           \
	/* dst: n / 2 + 1 bins; src: n numbers */                                                  \
	void ek_signal_rfft_##suffix(struct ek_signal_complex_##suffix *dst, const scalar *src,    \
		size_t n, const struct ek_signal_complex_##suffix *table,                          \
		struct ek_signal_complex_##suffix *scratch);                                       \
	void ek_signal_rfft_pass_##suffix(struct ek_signal_complex_##suffix *dst,                  \
		const scalar *src, size_t n, const struct ek_signal_complex_##suffix *table,       \
		struct ek_signal_complex_##suffix *scratch, unsigned int pass, size_t first,       \
		size_t end);                                                                       \
	/* dst: n numbers; src: n / 2 + 1 bins */                                                  \
	void ek_signal_irfft_##suffix(scalar *dst, const struct ek_signal_complex_##suffix *src,   \
		size_t n, const struct ek_signal_complex_##suffix *table,                          \
		struct ek_signal_complex_##suffix *scratch);                                       \
	void ek_signal_irfft_pass_##suffix(scalar *dst,                                            \
		const struct ek_signal_complex_##suffix *src, size_t n,                            \
		const struct ek_signal_complex_##suffix *table,                                    \
		struct ek_signal_complex_##suffix *scratch, unsigned int pass, size_t first,       \
		size_t end);

EK_SIGNAL_FFT(s16, int16_t)
EK_SIGNAL_FFT(s32, int32_t)
EK_SIGNAL_FFT(f32, float)
#undef EK_SIGNAL_FFT

#endif
