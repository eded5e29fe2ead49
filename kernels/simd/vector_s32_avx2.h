/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_s32_avx2 - int32 sums and codes of one vector, by the names that the bodies for all instruction
 * sets of 128 and 256 bits use
 *
 * vector_s32_sse41.h is the same for vectors of 4 lanes. A panel is two vectors of channels, or one where
 * there are no more; VEC_CHANNEL() says where packing leaves each of them.
 */
#ifndef KERNELS_SIMD_VECTOR_S32_AVX2_H
#define KERNELS_SIMD_VECTOR_S32_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define VEC_LANES 8
#define VEC_COLS 16 /* channels of two vectors */
#define VEC_BYTES 32
#define VEC_WIDE 1 /* whether depthwise_ymm_wide.h is of use */

typedef __m256i vec;

/* Channel of lane @lane of vector @j of @vectors: packing works within 128 bits. */
#define VEC_CHANNEL(vectors, j, lane)                                                              \
	((vectors) == 2 ? (lane) / 4 * 8 + (j)*4 + (lane) % 4 : (lane))

ALWAYS_INLINE vec vec_load(const void *from)
{
	return _mm256_loadu_si256(from);
}

ALWAYS_INLINE void vec_store(void *to, vec v)
{
	_mm256_storeu_si256(to, v);
}

ALWAYS_INLINE vec vec_all(int32_t x)
{
	return _mm256_set1_epi32(x);
}

/* Four bytes in all lanes. */
ALWAYS_INLINE vec vec_broadcast(const uint8_t *from)
{
	int32_t x;
	memcpy(&x, from, sizeof(x));
	return _mm256_set1_epi32(x);
}

ALWAYS_INLINE vec vec_add(vec a, vec b)
{
	return _mm256_add_epi32(a, b);
}

ALWAYS_INLINE vec vec_sub(vec a, vec b)
{
	return _mm256_sub_epi32(a, b);
}

/* All bits of the lanes where it is true. */
ALWAYS_INLINE vec vec_greater(vec a, vec b)
{
	return _mm256_cmpgt_epi32(a, b);
}

ALWAYS_INLINE vec vec_and(vec a, vec b)
{
	return _mm256_and_si256(a, b);
}

ALWAYS_INLINE vec vec_and_not(vec a, vec b)
{
	return _mm256_andnot_si256(b, a);
}

ALWAYS_INLINE vec vec_least(vec a, vec b)
{
	return _mm256_min_epi32(a, b);
}

ALWAYS_INLINE vec vec_most(vec a, vec b)
{
	return _mm256_max_epi32(a, b);
}

/* Bit i: lane i of a mask. */
ALWAYS_INLINE uint32_t vec_mask(vec v)
{
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

/* Products of 16 bits, by pairs. */
ALWAYS_INLINE vec vec_madd(vec a, vec b)
{
	return _mm256_madd_epi16(a, b);
}

/* 16 bits each: */
ALWAYS_INLINE vec vec_all_16(int16_t x)
{
	return _mm256_set1_epi16(x);
}

ALWAYS_INLINE vec vec_sub_16(vec a, vec b)
{
	return _mm256_sub_epi16(a, b);
}

/* VEC_COLS codes. */
ALWAYS_INLINE vec vec_widen(bool is_signed, const uint8_t *from)
{
	__m128i codes = _mm_loadu_si128((const __m128i *)from);
	return is_signed ? _mm256_cvtepi8_epi16(codes) : _mm256_cvtepu8_epi16(codes);
}

ALWAYS_INLINE vec vec_unpack_low_16(vec a, vec b)
{
	return _mm256_unpacklo_epi16(a, b);
}

ALWAYS_INLINE vec vec_unpack_high_16(vec a, vec b)
{
	return _mm256_unpackhi_epi16(a, b);
}

/* 8 bits each: */
ALWAYS_INLINE vec vec_unpack_low_8(vec a, vec b)
{
	return _mm256_unpacklo_epi8(a, b);
}

ALWAYS_INLINE vec vec_unpack_high_8(vec a, vec b)
{
	return _mm256_unpackhi_epi8(a, b);
}

/* VEC_LANES codes each, by pairs. */
ALWAYS_INLINE vec vec_pairs(bool is_signed, const uint8_t *a, const uint8_t *b)
{
	__m128i x = _mm_loadl_epi64((const __m128i *)a), y = _mm_loadl_epi64((const __m128i *)b);
	x = is_signed ? _mm_cvtepi8_epi16(x) : _mm_cvtepu8_epi16(x);
	y = is_signed ? _mm_cvtepi8_epi16(y) : _mm_cvtepu8_epi16(y);
	return _mm256_set_m128i(_mm_unpackhi_epi16(x, y), _mm_unpacklo_epi16(x, y));
}

/* ek_round32() of four sums times their scales, as round32() of matmul_avx512vnni.c; conversion cuts. */
ALWAYS_INLINE __m128i vec_rescale_4(__m128i sums, const double *scale)
{
	const __m256d half = _mm256_set1_pd(0x1.fffffffffffffp-2);
	__m256d x = _mm256_mul_pd(_mm256_cvtepi32_pd(sums), _mm256_loadu_pd(scale));
	__m256d sign = _mm256_and_pd(x, _mm256_set1_pd(-0.0));
	__m256d y = _mm256_add_pd(x, _mm256_or_pd(half, sign));
	y = _mm256_min_pd(y, _mm256_set1_pd(2147483647.0));
	y = _mm256_max_pd(y, _mm256_set1_pd(-2147483648.0));
	return _mm256_cvttpd_epi32(y);
}

ALWAYS_INLINE vec vec_rescale(vec sums, const double scale[VEC_LANES])
{
	return _mm256_set_m128i(vec_rescale_4(_mm256_extracti128_si256(sums, 1), scale + 4),
		vec_rescale_4(_mm256_castsi256_si128(sums), scale));
}

/* What all stores of a call need; codes are unsigned until they are stored. */
struct vec_limits {
	__m256i lo, hi, sign; /* bytes */
	__m256i zero, least,
		most; /* int32, of the type's own codes, and how they become unsigned */
	__m256i offset;
};

ALWAYS_INLINE struct vec_limits vec_limits(int32_t zero, int32_t lo, int32_t hi, bool is_signed)
{
	const int32_t by = is_signed ? 128 : 0;
	return (struct vec_limits){_mm256_set1_epi8((char)(lo + by)),
		_mm256_set1_epi8((char)(hi + by)), _mm256_set1_epi8((char)by), vec_all(zero),
		vec_all(lo), vec_all(hi), vec_all(by)};
}

/* The first @n of 16 codes, n < 16. */
ALWAYS_INLINE void vec_store_some(uint8_t *to, __m128i codes, uint32_t n)
{
	if (n & 8) {
		_mm_storel_epi64((__m128i *)to, codes);
		codes = _mm_srli_si128(codes, 8);
		to += 8;
	}
	if (n & 4) {
		int32_t x = _mm_cvtsi128_si32(codes);
		memcpy(to, &x, sizeof(x));
		codes = _mm_srli_si128(codes, 4);
		to += 4;
	}
	for (n &= 3; n; n--, codes = _mm_srli_si128(codes, 1)) {
		*to++ = (uint8_t)_mm_cvtsi128_si32(codes);
	}
}

/* Codes as they are stored. */
ALWAYS_INLINE __m256i vec_limit(const struct vec_limits *l, __m256i y)
{
	y = _mm256_min_epu8(_mm256_max_epu8(y, l->lo), l->hi);
	return _mm256_xor_si256(y, l->sign);
}

ALWAYS_INLINE __m256i vec_pack(const struct vec_limits *l, vec a, vec b, vec c, vec d)
{
	return vec_limit(
		l, _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)));
}

/* @n channels of two pixels, two vectors each; the first one last, so that it stays where both have one
 * place. */
ALWAYS_INLINE void vec_put_2(const struct vec_limits *l, const vec a[2], const vec b[2], uint32_t n,
	uint8_t *to_a, uint8_t *to_b)
{
	__m256i y = _mm256_permute4x64_epi64(vec_pack(l, a[0], a[1], b[0], b[1]), 0xD8);
	__m128i first = _mm256_castsi256_si128(y), second = _mm256_extracti128_si256(y, 1);
	if (n == VEC_COLS) {
		_mm_storeu_si128((__m128i *)to_b, second);
		_mm_storeu_si128((__m128i *)to_a, first);
	} else {
		vec_store_some(to_b, second, n);
		vec_store_some(to_a, first, n);
	}
}

/* Two vectors in order become a panel's lanes. */
ALWAYS_INLINE void vec_to_lanes(vec v[2])
{
	const vec low = _mm256_permute2x128_si256(v[0], v[1], 0x20);
	v[1] = _mm256_permute2x128_si256(v[0], v[1], 0x31);
	v[0] = low;
}

/* @n channels of @count of four pixels, one vector each, @step bytes from pixel to pixel. */
ALWAYS_INLINE void vec_put_4(const struct vec_limits *l, const vec v[4], uint32_t n, uint8_t *to,
	size_t step, uint32_t count)
{
	const __m256i order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
	__m256i y = _mm256_permutevar8x32_epi32(vec_pack(l, v[0], v[1], v[2], v[3]), order);
	if (count == 4 && step == 8 && n == 8) {
		_mm256_storeu_si256((__m256i *)to, y);
		return;
	}
	__m128i half[2] = {_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)};
	for (uint32_t i = 0; i < count; i++, to += step) {
		vec_store_some(to, half[i / 2], n);
		half[i / 2] = _mm_srli_si128(half[i / 2], 8);
	}
}

#endif
