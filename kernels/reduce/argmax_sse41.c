/* SPDX-License-Identifier: Apache-2.0 */
/* The largest code first, 16 at a time, then where it stands first. */
#include <immintrin.h>

#include "kernels/reduce/argmax.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m128i load(const uint8_t *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

/* The largest of 16 codes; of what they lack to 255 the least, of 8 words. */
INLINE uint8_t largest(__m128i codes)
{
	__m128i v = _mm_xor_si128(codes, _mm_set1_epi8(-1));
	v = _mm_min_epu8(v, _mm_srli_epi16(v, 8));
	return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(v));
}

INLINE uint32_t equal(const uint8_t *from, __m128i wanted)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(load(from), wanted));
}

/* @n >= 16 codes; @flip makes their order that of unsigned ones. The last 16 overlap those before. */
INLINE size_t argmax(const uint8_t *x, size_t n, uint8_t flip)
{
	const __m128i f = _mm_set1_epi8((char)flip);
	const size_t last = n - 16;
	__m128i best = _mm_xor_si128(load(x + last), f);
	for (size_t i = 0; i < last; i += 16) {
		best = _mm_max_epu8(best, _mm_xor_si128(load(x + i), f));
	}
	const __m128i wanted = _mm_set1_epi8((char)(largest(best) ^ flip));
	for (size_t i = 0; i < last; i += 16) {
		const uint32_t at = equal(x + i, wanted);
		if (at) {
			return i + (size_t)__builtin_ctz(at);
		}
	}
	/* Nothing is equal where somebody else has written meanwhile. */
	return last + (size_t)__builtin_ctz(equal(x + last, wanted) | 0x10000);
}

size_t ek_argmax_u8__sse41(const void *src, size_t n, size_t step)
{
	return n < 16 || step != 1 ? ek_argmax_u8(src, n, step) : argmax(src, n, 0);
}

size_t ek_argmax_s8__sse41(const void *src, size_t n, size_t step)
{
	return n < 16 || step != 1 ? ek_argmax_s8(src, n, step) : argmax(src, n, 128);
}
