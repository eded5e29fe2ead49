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
typedef __m128d vec_doubles;

/* The intrinsic of that name for vectors of 128 bits. */
#define MM(name) _mm_##name
#define MM_SI(name) _mm_##name##_si128

#include "kernels/simd/vector_s32_x86.h"

/* Packing 128 bits keeps the order. */
#define VEC_CHANNEL(vectors, j, lane) ((j)*4 + (lane))

ALWAYS_INLINE uint32_t vec_mask(vec v)
{
	return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(v));
}

ALWAYS_INLINE vec vec_widen(bool is_signed, const uint8_t *from)
{
	__m128i codes = _mm_loadl_epi64((const __m128i *)from);
	return is_signed ? _mm_cvtepi8_epi16(codes) : _mm_cvtepu8_epi16(codes);
}

ALWAYS_INLINE vec vec_pairs(bool is_signed, const uint8_t *a, const uint8_t *b)
{
	vec x = vec_broadcast(a), y = vec_broadcast(b);
	x = is_signed ? _mm_cvtepi8_epi16(x) : _mm_cvtepu8_epi16(x);
	y = is_signed ? _mm_cvtepi8_epi16(y) : _mm_cvtepu8_epi16(y);
	return _mm_unpacklo_epi16(x, y);
}

ALWAYS_INLINE vec vec_rescale(vec sums, const double scale[VEC_LANES])
{
	vec upper = _mm_unpackhi_epi64(sums, sums);
	return _mm_unpacklo_epi64(
		vec_rescale_half(sums, scale), vec_rescale_half(upper, scale + 2));
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
