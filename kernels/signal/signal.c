/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/signal/signal.h"

#include <math.h>

static int16_t saturate(int32_t x)
{
	return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x);
}

/* Bits up to the highest one set: 0 for 0, 32 for 2^31. */
static int bit_width(uint32_t x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

void ek_signal_window(int16_t *dst, const int16_t *src, const int16_t *window, size_t n, int shift)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = saturate(((int32_t)src[i] * window[i]) >> shift);
	}
}

int16_t ek_signal_peak(int16_t peak, const int16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (src[i] > peak) {
			peak = src[i];
		} else if (-src[i] > peak) {
			peak = (int16_t)-src[i];
		}
	}
	return peak;
}

int ek_signal_headroom(int16_t peak)
{
	return peak > 0 ? 15 - bit_width((uint32_t)peak) : 0;
}

void ek_signal_scale(int16_t *dst, const int16_t *src, size_t n, int bits)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = (int16_t)((int32_t)src[i] * (1 << bits));
	}
}

void ek_signal_energy(uint32_t *dst, const int16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int32_t re = src[2 * i], im = src[2 * i + 1];
		dst[i] = (uint32_t)(re * re) + (uint32_t)(im * im);
	}
}

uint64_t ek_signal_weigh(const uint32_t *src, const int16_t *weights, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += (uint64_t)(int64_t)weights[i] * src[i];
	}
	return sum;
}

uint32_t ek_signal_sqrt(uint64_t x)
{
	uint64_t root = 0, left = x;
	uint32_t limit = x >> 32 ? UINT32_MAX : UINT16_MAX;
	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
		bool fits = left >= root + bit;
		left -= fits ? root + bit : 0;
		root = (root >> 1) + (fits ? bit : 0);
	}
	/* left = x - root^2: above root when x is nearer to (root + 1)^2. */
	return (uint32_t)(left > root && root != limit ? root + 1 : root);
}

void ek_signal_subtract(uint32_t *dst, uint32_t *noise, const uint32_t *src, size_t n,
	const struct ek_signal_subtraction *s)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t signal = src[i] << s->smoothing_bits;
		uint32_t estimate =
			(uint32_t)(((uint64_t)signal * s->smoothing[i & 1] +
					   (uint64_t)noise[i] * s->one_minus_smoothing[i & 1]) >>
				s->bits);
		uint32_t taken = estimate < signal ? estimate : signal;
		noise[i] = s->clamping ? taken : estimate;
		uint32_t least =
			(uint32_t)(((uint64_t)src[i] * s->min_signal_remaining) >> s->bits);
		uint32_t rest = (signal - taken) >> s->smoothing_bits;
		dst[i] = rest > least ? rest : least;
	}
}

/* Piece k of the table holds p0, p1, p2, unused for x of k bits: p0 + p1 * t + p2 * t^2, where t is
 * x without its highest bit, in 10 bits. The table begins with the values for 0, 1 and 2. */
static int16_t gain_of(uint32_t x, const int16_t *gains)
{
	if (x <= 2) {
		return gains[x];
	}
	int width = bit_width(x);
	const int16_t *piece = gains + 4 * width - 6;
	uint32_t t = (width < 11 ? x << (11 - width) : x >> (width - 11)) & 0x3ff;
	uint32_t sum = (uint32_t)(((int32_t)piece[2] * (int32_t)t) >> 5);
	sum = (sum + ((uint32_t)piece[1] << 5)) * t + (1 << 14);
	return (int16_t)(((int32_t)sum >> 15) + piece[0]);
}

/* @x has 12 fractional bits, the result 6. */
static uint32_t shrink(uint32_t x)
{
	return x < 2u << 12 ? (x * x) >> (2 + 2 * 12 - 6) : (x >> 6) - (1 << 6);
}

void ek_signal_pcan(uint32_t *dst, const uint32_t *src, const uint32_t *noise, size_t n,
	const int16_t gains[EK_SIGNAL_GAIN_COUNT], int shift)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t gain = (uint32_t)(int32_t)gain_of(noise[i], gains);
		dst[i] = shrink((uint32_t)(((uint64_t)src[i] * gain) >> shift));
	}
}

void ek_signal_log_table(uint16_t table[EK_SIGNAL_LOG_COUNT])
{
	for (int i = 0; i < EK_SIGNAL_LOG_COUNT; i++) {
		double x = i <= 128 ? i / 128.0 : 0;
		table[i] = (uint16_t)lround(65536 * (log2(1 + x) - x));
	}
}

/* log2(x) in 65536ths: the highest bit, and the straight line to the next with the table above. */
static uint32_t log2_of(uint32_t x, const uint16_t *table)
{
	int whole = bit_width(x) - 1;
	uint32_t rest = x - (UINT32_C(1) << whole);
	int32_t fraction = (int32_t)(whole < 16 ? rest << (16 - whole) : rest >> (whole - 16));
	int32_t segment = fraction >> 9, low = table[segment], high = table[segment + 1];
	int32_t between = ((high - low) * (fraction - (segment << 9))) >> 16;
	return ((uint32_t)whole << 16) + (uint32_t)(fraction + low + between);
}

void ek_signal_log(int16_t *dst, const uint32_t *src, size_t n, uint32_t scale, int correction,
	const uint16_t table[EK_SIGNAL_LOG_COUNT])
{
	const uint32_t ln2 = 45426, half = 32768; /* in 65536ths */
	for (size_t i = 0; i < n; i++) {
		uint32_t x = src[i] << correction;
		uint32_t ln = 0;
		if (x > 1) {
			ln = (uint32_t)(((uint64_t)ln2 * log2_of(x, table) + half) >> 16);
			ln = (scale * ln + half) >> 16;
		}
		dst[i] = (int16_t)(ln < INT16_MAX ? ln : INT16_MAX);
	}
}

void ek_signal_overlap_s16(int16_t *buffer, const int16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buffer[i] = saturate((int32_t)buffer[i] + src[i]);
	}
}

void ek_signal_overlap_f32(float *buffer, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buffer[i] += src[i];
	}
}
