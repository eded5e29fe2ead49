/* SPDX-License-Identifier: Apache-2.0 */
/* bytes_sse41 - bytes_avx2.h for vectors of 128 bits */
#ifndef KERNELS_SIMD_BYTES_SSE41_H
#define KERNELS_SIMD_BYTES_SSE41_H

#include "kernels/simd/bytes_some.h"
#include "kernels/simd/vector_s32_sse41.h"

ALWAYS_INLINE vec vec_wide(const bool is_signed, const uint8_t *from, uint32_t n)
{
	const vec codes = _mm_cvtsi32_si128((int32_t)bytes_some_8(from, n));
	return is_signed ? _mm_cvtepi8_epi32(codes) : _mm_cvtepu8_epi32(codes);
}

ALWAYS_INLINE vec vec_mul(vec a, vec b)
{
	return _mm_mullo_epi32(a, b);
}

ALWAYS_INLINE vec vec_left(vec v, const int by)
{
	return _mm_slli_epi32(v, by);
}

ALWAYS_INLINE vec vec_right(vec v, const int by)
{
	return _mm_srai_epi32(v, by);
}

ALWAYS_INLINE vec vec_abs(vec v)
{
	return _mm_abs_epi32(v);
}

ALWAYS_INLINE vec vec_sign(vec v, vec sign)
{
	return _mm_sign_epi32(v, sign);
}

ALWAYS_INLINE void vec_put_codes(const bool is_signed, uint8_t *to, vec a, vec b, uint32_t n)
{
	const vec wide = _mm_packs_epi32(a, b);
	const vec y = is_signed ? _mm_packs_epi16(wide, wide) : _mm_packus_epi16(wide, wide);
	if (n == 2 * VEC_LANES) {
		_mm_storel_epi64((__m128i *)to, y);
	} else {
		vec_store_some(to, y, n);
	}
}

typedef __m128 real;

ALWAYS_INLINE real real_all(float x)
{
	return _mm_set1_ps(x);
}

ALWAYS_INLINE real real_load(const float *from)
{
	return _mm_loadu_ps(from);
}

ALWAYS_INLINE void real_store(float *to, real x)
{
	_mm_storeu_ps(to, x);
}

ALWAYS_INLINE real real_of(vec v)
{
	return _mm_cvtepi32_ps(v);
}

ALWAYS_INLINE vec real_cut(real x)
{
	return _mm_cvttps_epi32(x);
}

ALWAYS_INLINE real real_mul(real a, real b)
{
	return _mm_mul_ps(a, b);
}

ALWAYS_INLINE real real_add(real a, real b)
{
	return _mm_add_ps(a, b);
}

ALWAYS_INLINE vec bytes_all(uint8_t x)
{
	return _mm_set1_epi8((char)x);
}

ALWAYS_INLINE vec bytes_load_some(const uint8_t *from, uint32_t n)
{
	return bytes_some_16(from, n);
}

ALWAYS_INLINE void bytes_store_some(uint8_t *to, vec v, uint32_t n)
{
	if (n & 8) {
		_mm_storel_epi64((__m128i *)to, v);
		v = _mm_srli_si128(v, 8);
		to += 8;
	}
	vec_store_some(to, v, n & 7);
}

ALWAYS_INLINE vec bytes_xor(vec a, vec b)
{
	return _mm_xor_si128(a, b);
}

ALWAYS_INLINE vec bytes_most(const bool is_signed, vec a, vec b)
{
	return is_signed ? _mm_max_epi8(a, b) : _mm_max_epu8(a, b);
}

ALWAYS_INLINE vec bytes_least(const bool is_signed, vec a, vec b)
{
	return is_signed ? _mm_min_epi8(a, b) : _mm_min_epu8(a, b);
}

ALWAYS_INLINE vec bytes_sum_low(vec a, vec b)
{
	return _mm_maddubs_epi16(_mm_unpacklo_epi8(a, b), bytes_all(1));
}

ALWAYS_INLINE vec bytes_sum_high(vec a, vec b)
{
	return _mm_maddubs_epi16(_mm_unpackhi_epi8(a, b), bytes_all(1));
}

ALWAYS_INLINE vec vec_add_16(vec a, vec b)
{
	return _mm_add_epi16(a, b);
}

ALWAYS_INLINE vec bytes_pack(const bool is_signed, const vec v[4])
{
	const vec low = _mm_packs_epi32(v[0], v[1]), high = _mm_packs_epi32(v[2], v[3]);
	return is_signed ? _mm_packs_epi16(low, high) : _mm_packus_epi16(low, high);
}

#endif
