/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quant - fixed-point arithmetic of TensorFlow Lite's reference kernels, to the bit
 *
 * Every function is total: sums and products that leave the type wrap, shift counts outside of the
 * documented range do not occur after quant_split() (backends/cpu/operand/quant_params.h), which makes the pairs.
 * Sources: gemmlowp fixedpoint/fixedpoint.h, tflite kernels/internal/common.h and common.cc (double
 * rounding, the default build).
 */
#ifndef KERNELS_MATH_QUANT_H
#define KERNELS_MATH_QUANT_H

#include <math.h>
#include <stdint.h>

/* The factor multiplier * 2^(shift - 31): 0, or 2^30 <= multiplier < 2^31 and -31 <= shift <= 31.
 */
struct ek_scale {
	int32_t multiplier;
	int32_t shift;
};

static inline int32_t ek_add32(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t ek_sub32(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t ek_mul32(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a * (uint32_t)b);
}

/* x * 2^n, 0 <= n <= 31; what leaves 32 bits is lost. */
static inline int32_t ek_shl32(int32_t x, int32_t n)
{
	return (int32_t)((uint32_t)x << n);
}

static inline int32_t ek_clamp32(int32_t x, int32_t lo, int32_t hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

static inline int16_t ek_sat16(int64_t x)
{
	return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x);
}

static inline int32_t ek_sat32(int64_t x)
{
	return (int32_t)(x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x);
}

/* Leading zero bits, 32 for 0. */
static inline int32_t ek_clz32(uint32_t x)
{
	return x ? __builtin_clz(x) : 32;
}

/* SaturatingRoundingDoublingHighMul: a * b / 2^31, ties up. */
static inline int32_t ek_srdhm(int32_t a, int32_t b)
{
	if (a == b && a == INT32_MIN) {
		return INT32_MAX;
	}
	return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* The same in 16 bits: a * b / 2^15. */
static inline int16_t ek_srdhm16(int16_t a, int16_t b)
{
	return ek_sat16(((int32_t)a * b + (1 << 14)) >> 15);
}

/* RoundingDivideByPOT: x / 2^n, ties away from zero; 0 <= n <= 31. */
static inline int32_t ek_rdbpot(int32_t x, int32_t n)
{
	int32_t mask = (int32_t)((1u << n) - 1);
	int32_t remainder = x & mask;
	int32_t threshold = (mask >> 1) + (x < 0);
	return (x >> n) + (remainder > threshold);
}

/* MultiplyByQuantizedMultiplier of an int32: two roundings; the left shift wraps. The high product
 * is that of ek_srdhm(), which cannot saturate where the multiplier is not negative. */
static inline int32_t ek_mbqm(int32_t x, struct ek_scale s)
{
	int32_t left = s.shift > 0 ? s.shift : 0;
	int32_t right = s.shift > 0 ? 0 : -s.shift;
	int64_t product = (int64_t)ek_shl32(x, left) * s.multiplier;
	return ek_rdbpot((int32_t)((product + (1 << 30)) >> 31), right);
}

/* As ek_mbqm(), but the second rounding's ties go up: what LiteRT's default kernels make of int8
 * convolutions (observed of ai-edge-litert 2.3.0; the first rounding is the same). */
static inline int32_t ek_mbqm_up(int32_t x, struct ek_scale s)
{
	int32_t left = s.shift > 0 ? s.shift : 0;
	int32_t right = s.shift > 0 ? 0 : -s.shift;
	int64_t product = (int64_t)ek_shl32(x, left) * s.multiplier;
	int64_t high = (int32_t)((product + (1 << 30)) >> 31);
	return (int32_t)((high + ((INT64_C(1) << right) >> 1)) >> right);
}

/* MultiplyByQuantizedMultiplier of an int64 (48 bits are meant): one rounding, a multiplier of 16
 * bits; shift <= 14. The result is cut to 32 bits. */
static inline int32_t ek_mbqm64(int64_t x, struct ek_scale s)
{
	uint64_t m =
		s.multiplier < 0x7fff0000 ? (uint64_t)(s.multiplier + (1 << 15)) >> 16 : 0x7fff;
	int32_t total = 15 - s.shift;
	int64_t sum = (int64_t)((uint64_t)x * m + (1ull << (total - 1)));
	return (int32_t)(sum >> total);
}

/* TfLiteRound and the cast to int32 that follows it in the reference: ties away from zero. Beyond
 * int32 the reference is undefined; here it saturates, and NaN gives 0. */
static inline int32_t ek_round32(double x)
{
	double r = round(x);
	return r >= 2147483647.0     ? INT32_MAX
		: r <= -2147483648.0 ? INT32_MIN
		: r == r             ? (int32_t)r
				     : 0;
}

#endif
