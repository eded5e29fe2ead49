/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal - the integer signal front end of TensorFlow Lite Micro
 *
 * From sound to features in whole numbers: window, energy of a spectrum, filter bank, square root,
 * noise reduction, gain control, logarithm. Unsigned arithmetic wraps where the reference's does.
 *
 * Nothing overlaps unless said. Reads and writes exactly the elements named.
 * Source: the signal library of TensorFlow Lite Micro (signal/src); PCAN: Wang et al., "Trainable
 * frontend for robust and far-field keyword spotting", 2017.
 */
#ifndef KERNELS_SIGNAL_SIGNAL_H
#define KERNELS_SIGNAL_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dst[i] = clamp to int16 of (src[i] * window[i]) >> shift, 0 <= shift <= 31. */
void ek_signal_window(int16_t *dst, const int16_t *src, const int16_t *window, size_t n, int shift);

/*
 * Block floating point: dst[i] = src[i] * 2^b, with the largest b >= 0 that leaves the largest absolute
 * value in int16. The peak of all pieces of a signal, from 0 on, gives b, which scales each piece.
 *
 * The largest absolute value of @peak and @src. The reference takes it as an int16, in which the absolute
 * value of -32768 is -32768; so does this.
 */
int16_t ek_signal_peak(int16_t peak, const int16_t *src, size_t n);
/* b for that peak, 0 where all are 0. */
int ek_signal_headroom(int16_t peak);
void ek_signal_scale(int16_t *dst, const int16_t *src, size_t n, int bits);

/* dst[i] = re^2 + im^2 of src[i], complex numbers of two int16, re first. */
void ek_signal_energy(uint32_t *dst, const int16_t *src, size_t n);

/* Sum of weights[i] * src[i] modulo 2^64: one side of a triangle of the filter bank. */
uint64_t ek_signal_weigh(const uint32_t *src, const int16_t *weights, size_t n);

/* Square root of @x, rounded, at most 65535 for x < 2^32. */
uint32_t ek_signal_sqrt(uint64_t x);

struct ek_signal_subtraction {
	uint32_t smoothing[2], one_minus_smoothing[2]; /* of even and of odd channels */
	uint32_t min_signal_remaining;
	int smoothing_bits, bits; /* 0..31, 0..63 */
	bool clamping;
};

/* The noise of each channel is followed by a filter of first order and taken off; @noise holds it
 * from one call to the next. src[0] is an even channel. */
void ek_signal_subtract(uint32_t *dst, uint32_t *noise, const uint32_t *src, size_t n,
	const struct ek_signal_subtraction *s);

#define EK_SIGNAL_GAIN_COUNT 125 /* elements of a table of gains */

/* Gain by the noise (a table of quadratic pieces, four numbers for each power of two), then
 * compression: x^2 / 4 below 2, x - 1 above; 0 <= shift <= 63. */
void ek_signal_pcan(uint32_t *dst, const uint32_t *src, const uint32_t *noise, size_t n,
	const int16_t gains[EK_SIGNAL_GAIN_COUNT], int shift);

#define EK_SIGNAL_LOG_COUNT 130

/* table[i] = round(65536 * (log2(1 + i / 128) - i / 128)), the last one 0: how far the logarithm is
 * above the straight line. */
void ek_signal_log_table(uint16_t table[EK_SIGNAL_LOG_COUNT]);

/* dst[i] = scale * ln(src[i] << correction) in 65536ths, at most 32767; 0 where that is below 2. */
void ek_signal_log(int16_t *dst, const uint32_t *src, size_t n, uint32_t scale, int correction,
	const uint16_t table[EK_SIGNAL_LOG_COUNT]);

/* buffer[i] += src[i], int16 saturated; n elements. */
void ek_signal_overlap_s16(int16_t *buffer, const int16_t *src, size_t n);
void ek_signal_overlap_f32(float *buffer, const float *src, size_t n);

#endif
