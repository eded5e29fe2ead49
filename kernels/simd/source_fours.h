/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_fours - codes in scratch as unsigned bytes, and their products with packed weights, by fours
 *
 * VPDPBUSD takes an unsigned and a signed operand: int8 codes become x + 128, uint8 weights w less
 * their zero point where those of a panel fit in 8 bits, else w - 128, and 128 less the zero point
 * times the sum of what a pixel sees is added. Includes come after vector_s32_avx2.h.
 */
#ifndef KERNELS_SIMD_SOURCE_FOURS_H
#define KERNELS_SIMD_SOURCE_FOURS_H

#include "kernels/math/quant.h"

#define SOURCE_BYTES 1
#define SOURCE_CODES 4

typedef int8_t source_weight;

struct source {
	bool is_signed;
	int32_t zero;
};

static inline void source_copy(const struct source *s, uint8_t *to, const uint8_t *codes, size_t n)
{
	const __m256i sign = _mm256_set1_epi8((char)(s->is_signed ? 0x80 : 0));
	size_t i = 0;
	if (n >= 32) {
		for (; i < n; i += 32) {
			i = i + 32 > n ? n - 32 : i;
			vec_store(to + i, _mm256_xor_si256(vec_load(codes + i), sign));
		}
		return;
	}
	const __m128i half = _mm256_castsi256_si128(sign);
	for (; i + 8 <= n; i += 8) {
		__m128i x = _mm_loadl_epi64((const __m128i *)(codes + i));
		_mm_storel_epi64((__m128i *)(to + i), _mm_xor_si128(x, half));
	}
	for (; i < n; i++) {
		to[i] = (uint8_t)(codes[i] ^ (s->is_signed ? 0x80 : 0));
	}
}

static inline void source_pad(const struct source *s, uint8_t *to, size_t n)
{
	memset(to, s->zero + (s->is_signed ? 128 : 0), n);
}

/* Weights of int8 have no zero point, so that those of a panel fit. */
static inline int32_t source_weights_zero(bool fits, int32_t zero)
{
	return fits ? zero : 128;
}

static inline int32_t source_start(const struct source *s, int32_t bias, uint32_t sum_of_weights)
{
	uint32_t zero = (uint32_t)(s->zero + (s->is_signed ? 128 : 0));
	return (int32_t)((uint32_t)bias - zero * sum_of_weights);
}

/* The sum of @n codes in scratch. */
#define SOURCE_SUMS 1
static inline int32_t source_sum(const uint8_t *at, size_t n)
{
	__m256i sums = _mm256_setzero_si256();
	int32_t sum = 0;
	size_t i = 0;
	for (; i + 32 <= n; i += 32) {
		__m256i x = _mm256_sad_epu8(vec_load(at + i), _mm256_setzero_si256());
		sums = _mm256_add_epi32(sums, x);
	}
	for (; i < n; i++) {
		sum += at[i];
	}
	__m128i x = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
	return (int32_t)((uint32_t)sum + (uint32_t)_mm_cvtsi128_si32(x));
}

#define source_pad_strip source_pad
#define source_start_strip source_start

/* The codes of SOURCE_CODES rows, in turns, of a vector's channels or of two vectors'. */
ALWAYS_INLINE void source_strip(const struct source *s, bool is_signed, const int vectors,
	const uint8_t *const rows[SOURCE_CODES], uint8_t *to)
{
	const __m256i sign = _mm256_set1_epi8((char)(is_signed ? 0x80 : 0));
	(void)s;
	if (vectors == 1) {
		__m128i r[SOURCE_CODES];
		for (int i = 0; i < SOURCE_CODES; i++) {
			r[i] = _mm_loadl_epi64((const __m128i *)rows[i]);
		}
		__m128i x = _mm_unpacklo_epi8(r[0], r[1]), y = _mm_unpacklo_epi8(r[2], r[3]);
		__m256i v = _mm256_set_m128i(_mm_unpackhi_epi16(x, y), _mm_unpacklo_epi16(x, y));
		vec_store(to, _mm256_xor_si256(v, sign));
		return;
	}
	vec x = _mm256_slli_epi16(vec_widen(false, rows[1]), 8);
	vec y = _mm256_slli_epi16(vec_widen(false, rows[3]), 8);
	x = _mm256_xor_si256(_mm256_or_si256(x, vec_widen(false, rows[0])), sign);
	y = _mm256_xor_si256(_mm256_or_si256(y, vec_widen(false, rows[2])), sign);
	vec_store(to, vec_unpack_low_16(x, y));
	vec_store(to + VEC_BYTES, vec_unpack_high_16(x, y));
}

/* The same of 32 channels, to four vectors whose 128 bits have neighbours (depthwise_ymm_wide.h). */
ALWAYS_INLINE void source_wide(bool is_signed, const uint8_t *const rows[SOURCE_CODES], uint8_t *to)
{
	const vec sign = _mm256_set1_epi8((char)(is_signed ? 0x80 : 0));
	vec r[SOURCE_CODES];
#pragma GCC unroll 4
	for (int i = 0; i < SOURCE_CODES; i++) {
		r[i] = _mm256_xor_si256(vec_load(rows[i]), sign);
	}
	const vec low_x = vec_unpack_low_8(r[0], r[1]), high_x = vec_unpack_high_8(r[0], r[1]);
	const vec low_y = vec_unpack_low_8(r[2], r[3]), high_y = vec_unpack_high_8(r[2], r[3]);
	vec_store(to, vec_unpack_low_16(low_x, low_y));
	vec_store(to + VEC_BYTES, vec_unpack_high_16(low_x, low_y));
	vec_store(to + 2 * VEC_BYTES, vec_unpack_low_16(high_x, high_y));
	vec_store(to + 3 * VEC_BYTES, vec_unpack_high_16(high_x, high_y));
}

/* A weight less its zero point, -255 .. 255, in parts of 8 bits. */
#define SOURCE_PARTS 3
static inline int32_t source_part(int32_t w, uint32_t part)
{
	for (uint32_t i = 0; i < part; i++) {
		w -= ek_clamp32(w, INT8_MIN, INT8_MAX);
	}
	return ek_clamp32(w, INT8_MIN, INT8_MAX);
}

/* As an intrinsic compilers move sums about. */
ALWAYS_INLINE vec source_dot(vec sum, vec a, vec w)
{
	__asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(w));
	return sum;
}

#endif
