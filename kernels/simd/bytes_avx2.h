/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes_avx2 - codes as bytes, and as floats, by the names that the bodies for all instruction sets of
 * 128 and 256 bits use; what products need is in vector_s32_avx2.h
 *
 * bytes_sse41.h is the same for vectors of 128 bits.
 */
#ifndef KERNELS_SIMD_BYTES_AVX2_H
#define KERNELS_SIMD_BYTES_AVX2_H

#include "kernels/simd/bytes_some.h"
#include "kernels/simd/vector_s32_avx2.h"

typedef __m256 real;

#include "kernels/simd/bytes_x86.h"

/* @n <= VEC_LANES codes, zero behind them. */
ALWAYS_INLINE vec vec_wide(const bool is_signed, const uint8_t *from, uint32_t n)
{
	const __m128i codes = _mm_cvtsi64_si128((int64_t)bytes_some_8(from, n));
	return is_signed ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes);
}

/* @n codes of one or two vectors in order, saturated. */
ALWAYS_INLINE void vec_put_codes(const bool is_signed, uint8_t *to, vec a, vec b, uint32_t n)
{
	vec y = _mm256_packs_epi32(a, b);
	y = is_signed ? _mm256_packs_epi16(y, y) : _mm256_packus_epi16(y, y);
	const __m128i codes =
		_mm_unpacklo_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
	if (n == 2 * VEC_LANES) {
		_mm_storeu_si128((__m128i *)to, codes);
	} else if (n == VEC_LANES) {
		_mm_storel_epi64((__m128i *)to, codes);
	} else {
		vec_store_some(to, codes, n);
	}
}

/* The first @n of VEC_BYTES, n < VEC_BYTES; zero behind them. */
#if defined(__AVX512VL__) && defined(__AVX512BW__)

ALWAYS_INLINE vec bytes_load_some(const uint8_t *from, uint32_t n)
{
	return _mm256_maskz_loadu_epi8(((__mmask32)1 << n) - 1, from);
}

ALWAYS_INLINE void bytes_store_some(uint8_t *to, vec v, uint32_t n)
{
	_mm256_mask_storeu_epi8(to, ((__mmask32)1 << n) - 1, v);
}

#else

ALWAYS_INLINE vec bytes_load_some(const uint8_t *from, uint32_t n)
{
	if (n < 16) {
		return _mm256_set_m128i(_mm_setzero_si128(), bytes_some_16(from, n));
	}
	return _mm256_set_m128i(
		bytes_some_16(from + 16, n - 16), _mm_loadu_si128((const __m128i *)from));
}

ALWAYS_INLINE void bytes_store_some(uint8_t *to, vec v, uint32_t n)
{
	__m128i half = _mm256_castsi256_si128(v);
	if (n & 16) {
		_mm_storeu_si128((__m128i *)to, half);
		half = _mm256_extracti128_si256(v, 1);
		to += 16;
	}
	vec_store_some(to, half, n & 15);
}

#endif

#endif
