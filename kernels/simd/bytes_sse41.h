/* SPDX-License-Identifier: Apache-2.0 */
/* bytes_sse41 - bytes_avx2.h for vectors of 128 bits */
#ifndef KERNELS_SIMD_BYTES_SSE41_H
#define KERNELS_SIMD_BYTES_SSE41_H

#include "kernels/simd/bytes_some.h"
#include "kernels/simd/vector_s32_sse41.h"

typedef __m128 real;

#include "kernels/simd/bytes_x86.h"

ALWAYS_INLINE vec vec_wide(const bool is_signed, const uint8_t *from, uint32_t n)
{
	const vec codes = _mm_cvtsi32_si128((int32_t)bytes_some_8(from, n));
	return is_signed ? _mm_cvtepi8_epi32(codes) : _mm_cvtepu8_epi32(codes);
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

ALWAYS_INLINE vec bytes_load_some(const uint8_t *from, uint32_t n)
{
	return bytes_some_16(from, n);
}

ALWAYS_INLINE void bytes_store_some(uint8_t *to, vec v, uint32_t n)
{
	vec_store_some(to, v, n);
}

#endif
