/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f16 - half precision (IEEE 754 binary16) to single and back, by integers only
 *
 * Every half is a float exactly. A float becomes the nearest half, ties to even; from 65520 on it
 * is infinite, below 2^-25 zero, in between 2^-14 and there a subnormal. Signs stay, of zeros too.
 * A NaN becomes a quiet one: the half 0x7e00 with its sign.
 *
 * Arithmetic of halves in the reference is that of floats, each result rounded to half: operators
 * widen, compute and narrow.
 */
#ifndef KERNELS_MATH_F16_H
#define KERNELS_MATH_F16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EK_F16_INF 0x7c00
#define EK_F16_NAN 0x7e00

static inline float ek_f16_get(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
	uint32_t bits = sign;
	if (exponent == 31) {
		bits |= 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0);
	} else if (exponent) {
		bits |= (exponent + 112) << 23 | fraction << 13;
	} else if (fraction) {
		uint32_t shift = (uint32_t)__builtin_clz(fraction) - 21; /* until bit 10 is set */
		bits |= (113 - shift) << 23 | (fraction << shift & 1023) << 13;
	}
	float f;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* @bits / 2^@shift, ties to even; 1 <= shift <= 31. */
static inline uint32_t ek_f16_round(uint32_t bits, uint32_t shift)
{
	uint32_t half = (UINT32_C(1) << (shift - 1)) - 1;
	return (bits + half + (bits >> shift & 1)) >> shift;
}

static inline uint16_t ek_f16_from(float f)
{
	uint32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	uint32_t sign = bits >> 16 & 0x8000;
	bits &= 0x7fffffff;
	if (bits > 0x7f800000) {
		return (uint16_t)(sign | EK_F16_NAN);
	}
	if (bits >= 0x477ff000) { /* 65520 */
		return (uint16_t)(sign | EK_F16_INF);
	}
	if (bits >= 0x38800000) { /* 2^-14: a carry out of the fraction raises the exponent */
		return (uint16_t)(sign | ek_f16_round(bits - (UINT32_C(112) << 23), 13));
	}
	uint32_t exponent = bits >> 23;
	if (exponent < 102) { /* below 2^-25, half of the least subnormal */
		return (uint16_t)sign;
	}
	return (uint16_t)(sign | ek_f16_round((bits & 0x7fffff) | 0x800000, 126 - exponent));
}

/* dst[i] = src[i], n elements that do not overlap. */
void ek_f16_to_f32(float *dst, const uint16_t *src, size_t n);
void ek_f16_from_f32(uint16_t *dst, const float *src, size_t n);

#endif
