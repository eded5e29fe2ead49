/* SPDX-License-Identifier: Apache-2.0 */
/* vector_s32_sse41 - vector_s32_avx2.h for vectors of 4 lanes, of which a panel has two, or one */
#ifndef KERNELS_SIMD_VECTOR_S32_SSE41_H
#define KERNELS_SIMD_VECTOR_S32_SSE41_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define VEC_LANES 4
#define VEC_COLS 8
#define VEC_BYTES 16
#define VEC_WIDE 0

typedef __m128i vec;

/* Packing 128 bits keeps the order. */
#define VEC_CHANNEL(vectors, j, lane) ((j)*4 + (lane))

ALWAYS_INLINE vec vec_load(const void *from)
{
	return _mm_loadu_si128(from);
}

ALWAYS_INLINE void vec_store(void *to, vec v)
{
	_mm_storeu_si128(to, v);
}

ALWAYS_INLINE vec vec_all(int32_t x)
{
	return _mm_set1_epi32(x);
}

ALWAYS_INLINE vec vec_broadcast(const uint8_t *from)
{
	int32_t x;
	memcpy(&x, from, sizeof(x));
	return _mm_set1_epi32(x);
}

ALWAYS_INLINE vec vec_add(vec a, vec b)
{
	return _mm_add_epi32(a, b);
}

ALWAYS_INLINE vec vec_sub(vec a, vec b)
{
	return _mm_sub_epi32(a, b);
}

ALWAYS_INLINE vec vec_greater(vec a, vec b)
{
	return _mm_cmpgt_epi32(a, b);
}

ALWAYS_INLINE vec vec_and(vec a, vec b)
{
	return _mm_and_si128(a, b);
}

ALWAYS_INLINE vec vec_and_not(vec a, vec b)
{
	return _mm_andnot_si128(b, a);
}

ALWAYS_INLINE vec vec_least(vec a, vec b)
{
	return _mm_min_epi32(a, b);
}

ALWAYS_INLINE vec vec_most(vec a, vec b)
{
	return _mm_max_epi32(a, b);
}

ALWAYS_INLINE uint32_t vec_mask(vec v)
{
	return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(v));
}

ALWAYS_INLINE vec vec_madd(vec a, vec b)
{
	return _mm_madd_epi16(a, b);
}

ALWAYS_INLINE vec vec_all_16(int16_t x)
{
	return _mm_set1_epi16(x);
}

ALWAYS_INLINE vec vec_sub_16(vec a, vec b)
{
	return _mm_sub_epi16(a, b);
}

ALWAYS_INLINE vec vec_widen(bool is_signed, const uint8_t *from)
{
	__m128i codes = _mm_loadl_epi64((const __m128i *)from);
	return is_signed ? _mm_cvtepi8_epi16(codes) : _mm_cvtepu8_epi16(codes);
}

ALWAYS_INLINE vec vec_unpack_low_16(vec a, vec b)
{
	return _mm_unpacklo_epi16(a, b);
}

ALWAYS_INLINE vec vec_unpack_high_16(vec a, vec b)
{
	return _mm_unpackhi_epi16(a, b);
}

ALWAYS_INLINE vec vec_pairs(bool is_signed, const uint8_t *a, const uint8_t *b)
{
	vec x = vec_broadcast(a), y = vec_broadcast(b);
	x = is_signed ? _mm_cvtepi8_epi16(x) : _mm_cvtepu8_epi16(x);
	y = is_signed ? _mm_cvtepi8_epi16(y) : _mm_cvtepu8_epi16(y);
	return _mm_unpacklo_epi16(x, y);
}

ALWAYS_INLINE __m128i vec_rescale_2(__m128i sums, const double *scale)
{
	const __m128d half = _mm_set1_pd(0x1.fffffffffffffp-2);
	__m128d x = _mm_mul_pd(_mm_cvtepi32_pd(sums), _mm_loadu_pd(scale));
	__m128d sign = _mm_and_pd(x, _mm_set1_pd(-0.0));
	__m128d y = _mm_add_pd(x, _mm_or_pd(half, sign));
	y = _mm_min_pd(y, _mm_set1_pd(2147483647.0));
	y = _mm_max_pd(y, _mm_set1_pd(-2147483648.0));
	return _mm_cvttpd_epi32(y);
}

ALWAYS_INLINE vec vec_rescale(vec sums, const double scale[VEC_LANES])
{
	vec upper = _mm_unpackhi_epi64(sums, sums);
	return _mm_unpacklo_epi64(vec_rescale_2(sums, scale), vec_rescale_2(upper, scale + 2));
}

struct vec_limits {
	__m128i lo, hi, sign;
	__m128i zero, least, most;
	__m128i offset;
};

ALWAYS_INLINE struct vec_limits vec_limits(int32_t zero, int32_t lo, int32_t hi, bool is_signed)
{
	const int32_t by = is_signed ? 128 : 0;
	return (struct vec_limits){_mm_set1_epi8((char)(lo + by)), _mm_set1_epi8((char)(hi + by)),
		_mm_set1_epi8((char)by), vec_all(zero), vec_all(lo), vec_all(hi), vec_all(by)};
}

/* The first @n of 8 codes, n < 8. */
ALWAYS_INLINE void vec_store_some(uint8_t *to, __m128i codes, uint32_t n)
{
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

ALWAYS_INLINE __m128i vec_pack(const struct vec_limits *l, vec a, vec b, vec c, vec d)
{
	__m128i y = _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
	y = _mm_min_epu8(_mm_max_epu8(y, l->lo), l->hi);
	return _mm_xor_si128(y, l->sign);
}

ALWAYS_INLINE void vec_put_2(const struct vec_limits *l, const vec a[2], const vec b[2], uint32_t n,
	uint8_t *to_a, uint8_t *to_b)
{
	__m128i y = vec_pack(l, a[0], a[1], b[0], b[1]);
	if (n == VEC_COLS) {
		_mm_storel_epi64((__m128i *)to_b, _mm_unpackhi_epi64(y, y));
		_mm_storel_epi64((__m128i *)to_a, y);
	} else {
		vec_store_some(to_b, _mm_unpackhi_epi64(y, y), n);
		vec_store_some(to_a, y, n);
	}
}

ALWAYS_INLINE void vec_to_lanes(vec v[2])
{
	(void)v;
}

ALWAYS_INLINE void vec_put_4(const struct vec_limits *l, const vec v[4], uint32_t n, uint8_t *to,
	size_t step, uint32_t count)
{
	__m128i y = vec_pack(l, v[0], v[1], v[2], v[3]);
	if (count == 4 && step == 4 && n == 4) {
		_mm_storeu_si128((__m128i *)to, y);
		return;
	}
	for (uint32_t i = 0; i < count; i++, to += step) {
		vec_store_some(to, y, n);
		y = _mm_srli_si128(y, 4);
	}
}

#endif
