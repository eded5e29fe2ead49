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
typedef __m256d vec_doubles;

/* The intrinsic of that name for vectors of 256 bits. */
#define MM(name) _mm256_##name
#define MM_SI(name) _mm256_##name##_si256

#include "kernels/simd/vector_s32_x86.h"

/* Channel of lane @lane of vector @j of @vectors: packing works within 128 bits. */
#define VEC_CHANNEL(vectors, j, lane)                                                              \
	((vectors) == 2 ? (lane) / 4 * 8 + (j)*4 + (lane) % 4 : (lane))

/* Bit i: lane i of a mask. */
ALWAYS_INLINE uint32_t vec_mask(vec v)
{
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

/* VEC_COLS codes. */
ALWAYS_INLINE vec vec_widen(bool is_signed, const uint8_t *from)
{
	__m128i codes = _mm_loadu_si128((const __m128i *)from);
	return is_signed ? _mm256_cvtepi8_epi16(codes) : _mm256_cvtepu8_epi16(codes);
}

/* VEC_LANES codes each, by pairs. */
ALWAYS_INLINE vec vec_pairs(bool is_signed, const uint8_t *a, const uint8_t *b)
{
	__m128i x = _mm_loadl_epi64((const __m128i *)a), y = _mm_loadl_epi64((const __m128i *)b);
	x = is_signed ? _mm_cvtepi8_epi16(x) : _mm_cvtepu8_epi16(x);
	y = is_signed ? _mm_cvtepi8_epi16(y) : _mm_cvtepu8_epi16(y);
	return _mm256_set_m128i(_mm_unpackhi_epi16(x, y), _mm_unpacklo_epi16(x, y));
}

ALWAYS_INLINE vec vec_rescale(vec sums, const double scale[VEC_LANES])
{
	return _mm256_set_m128i(vec_rescale_half(_mm256_extracti128_si256(sums, 1), scale + 4),
		vec_rescale_half(_mm256_castsi256_si128(sums), scale));
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
