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
#ifndef KERNELS_SIGNAL_FFT_H
#define KERNELS_SIGNAL_FFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	/* dst: n / 2 + 1 bins; src: n numbers */                                                  \
	void ek_signal_rfft_##suffix(struct ek_signal_complex_##suffix *dst, const scalar *src,    \
		size_t n, const struct ek_signal_complex_##suffix *table,                          \
		struct ek_signal_complex_##suffix *scratch);                                       \
	/* dst: n numbers; src: n / 2 + 1 bins */                                                  \
	void ek_signal_irfft_##suffix(scalar *dst, const struct ek_signal_complex_##suffix *src,   \
		size_t n, const struct ek_signal_complex_##suffix *table,                          \
		struct ek_signal_complex_##suffix *scratch);

EK_SIGNAL_FFT(s16, int16_t)
EK_SIGNAL_FFT(s32, int32_t)
EK_SIGNAL_FFT(f32, float)
#undef EK_SIGNAL_FFT

#endif
