/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot - sums of products for the plain-C kernels
 *
 * Zero points are in the range of their type. Sums wrap like the reference's; the chunks keep C's
 * signed arithmetic in range and let the compiler use its widening multiply-add.
 */
#ifndef KERNELS_MATH_DOT_H
#define KERNELS_MATH_DOT_H

#include <stddef.h>
#include <stdint.h>

/* 2^15 products of at most 255 * 255 fit an int32; 2^8 of at most 2^22 do. */
#define EK_DOT_CHUNK ((size_t)1 << 15)
#define EK_DOT_CHUNK16 ((size_t)1 << 8)

static inline size_t ek_dot_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline int32_t ek_dot_s8(const int8_t *a, int16_t a_zero, const int8_t *w, size_t n)
{
	uint32_t total = 0;
	for (size_t at = 0; at < n; at += EK_DOT_CHUNK) {
		size_t end = ek_dot_min(n, at + EK_DOT_CHUNK);
		int32_t sum = 0;
		for (size_t i = at; i < end; i++) {
			sum += (int16_t)(a[i] - a_zero) * w[i];
		}
		total += (uint32_t)sum;
	}
	return (int32_t)total;
}

static inline int32_t ek_dot_u8(
	const uint8_t *a, int16_t a_zero, const uint8_t *w, int16_t w_zero, size_t n)
{
	uint32_t total = 0;
	for (size_t at = 0; at < n; at += EK_DOT_CHUNK) {
		size_t end = ek_dot_min(n, at + EK_DOT_CHUNK);
		int32_t sum = 0;
		for (size_t i = at; i < end; i++) {
			sum += (int16_t)(a[i] - a_zero) * (int16_t)(w[i] - w_zero);
		}
		total += (uint32_t)sum;
	}
	return (int32_t)total;
}

/* Any int16; exact. */
static inline int64_t ek_dot_s16(const int16_t *a, const int8_t *w, size_t n)
{
	int64_t total = 0;
	for (size_t at = 0; at < n; at += EK_DOT_CHUNK16) {
		size_t end = ek_dot_min(n, at + EK_DOT_CHUNK16);
		int32_t sum = 0;
		for (size_t i = at; i < end; i++) {
			sum += a[i] * w[i];
		}
		total += sum;
	}
	return total;
}

/* Eight partial sums, then their tree: one order on every machine. */
static inline float ek_dot_f32(const float *a, const float *w, size_t n)
{
	float s[8] = {0};
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		for (size_t j = 0; j < 8; j++) {
			s[j] += a[i + j] * w[i + j];
		}
	}
	for (size_t j = 0; i < n; i++, j++) {
		s[j] += a[i] * w[i];
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* min(max(x, lo), hi) as the reference has it: NaN passes. */
static inline float ek_clamp_f32(float x, float lo, float hi)
{
	x = x < lo ? lo : x;
	return hi < x ? hi : x;
}

#endif
