/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row has at most 256 different differences, so both passes over it are tables: the exponentials'
 * 20 bits as three tables of bytes, whose sums are sums of bytes; the shares as one, which is made
 * when the sum is known.
 */
#include <stdbool.h>

#include "kernels/requant/rescale_avx512.h"
#include "kernels/simd/lut_avx512.h"
#include "kernels/softmax/softmax_parts.h"
#include "kernels/softmax/softmax_x86.h"

#define PLANES 3
#define SHORT_ROW 64

struct planes {
	struct lut byte[PLANES];
};

/* rdbpot(e, 12) of exponentials, which are not negative. */
static struct planes planes_of(const int32_t *exp8)
{
	_Alignas(64) uint8_t bytes[PLANES][256];
	const __m512i half = _mm512_set1_epi32(1 << (EK_SOFTMAX_SUM_BITS - 1));
	for (size_t i = 0; i < 256; i += 16) {
		__m512i e = _mm512_add_epi32(_mm512_loadu_si512(exp8 + i), half);
		e = _mm512_srli_epi32(e, EK_SOFTMAX_SUM_BITS);
		for (unsigned int k = 0; k < PLANES; k++) {
			__m512i part = _mm512_srl_epi32(e, _mm_cvtsi32_si128((int)(8 * k)));
			_mm_store_si128((__m128i *)(bytes[k] + i), _mm512_cvtepi32_epi8(part));
		}
	}
	struct planes p;
	for (int k = 0; k < PLANES; k++) {
		p.byte[k] = lut_of(bytes[k]);
	}
	return p;
}

LUT_INLINE __m512i load_codes(const uint8_t *x, size_t n, size_t i, __m512i other)
{
	return _mm512_mask_loadu_epi8(other, lut_first(n - i), x + i);
}

/* The greatest code, as the byte it is. */
LUT_INLINE uint8_t greatest(const uint8_t *x, size_t n, const bool is_signed)
{
	const __m512i flip = _mm512_set1_epi8(is_signed ? -128 : 0);
	__m512i most = _mm512_setzero_si512();
	for (size_t i = 0; i < n; i += 64) {
		most = _mm512_max_epu8(most, _mm512_xor_si512(load_codes(x, n, i, flip), flip));
	}
	__m256i half =
		_mm256_max_epu8(_mm512_castsi512_si256(most), _mm512_extracti64x4_epi64(most, 1));
	__m128i v = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
	v = _mm_max_epu8(v, _mm_srli_si128(v, 8));
	v = _mm_max_epu8(v, _mm_srli_si128(v, 4));
	v = _mm_max_epu8(v, _mm_srli_si128(v, 2));
	v = _mm_max_epu8(v, _mm_srli_si128(v, 1));
	return (uint8_t)(_mm_cvtsi128_si32(v) ^ (is_signed ? 128 : 0));
}

static uint64_t sum_of(const struct planes *p, const uint8_t *x, size_t n, __m512i max)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i sums[PLANES] = {zero, zero, zero};
	for (size_t i = 0; i < n; i += 64) {
		__mmask64 here = lut_first(n - i);
		__m512i d = _mm512_sub_epi8(max, load_codes(x, n, i, max));
		for (int k = 0; k < PLANES; k++) {
			__m512i e = _mm512_maskz_mov_epi8(here, lut_find(&p->byte[k], d));
			sums[k] = _mm512_add_epi64(sums[k], _mm512_sad_epu8(e, zero));
		}
	}
	uint64_t total = 0;
	for (int k = 0; k < PLANES; k++) {
		total += (uint64_t)_mm512_reduce_add_epi64(sums[k]) << 8 * k;
	}
	return total;
}

/* share() of kernels/softmax/softmax.c for all differences. */
static struct lut shares_of(const struct ek_softmax_params *p, int32_t reciprocal, int32_t shift)
{
	_Alignas(64) uint8_t shares[256] = {0};
	const __m512i factor = _mm512_set1_epi32(reciprocal), lo = _mm512_set1_epi32(p->out_lo);
	for (size_t i = 0; i < 256; i += 16) {
		__m512i y = rescale_high(_mm512_loadu_si512(p->exp8 + i), factor);
		y = shift > 31 ? _mm512_setzero_si512() : rescale_divide(y, shift);
		y = _mm512_max_epi32(_mm512_add_epi32(y, lo), lo);
		y = _mm512_min_epi32(y, _mm512_set1_epi32(p->out_hi));
		_mm_store_si128((__m128i *)(shares + i), _mm512_cvtepi32_epi8(y));
	}
	return lut_of(shares);
}

LUT_INLINE void softmax(void *dst, const void *src, size_t n, const struct ek_softmax_params *p,
	const bool is_signed)
{
	const __m512i max = _mm512_set1_epi8((char)greatest(src, n, is_signed));
	const struct planes planes = planes_of(p->exp8);
	int32_t shift;
	uint64_t sum = sum_of(&planes, src, n, max);
	int32_t reciprocal = ek_softmax_invert(sum, p, &shift);
	const struct lut shares = shares_of(p, reciprocal, shift);
	for (size_t i = 0; i < n; i += 64) {
		__m512i d = _mm512_sub_epi8(max, load_codes(src, n, i, max));
		_mm512_mask_storeu_epi8((uint8_t *)dst + i, lut_first(n - i), lut_find(&shares, d));
	}
}

void ek_softmax_s8__avx512vnni(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params)
{
	if (n < SHORT_ROW) {
		ek_softmax_s8[0].run(dst, src, n, params);
		return;
	}
	softmax(dst, src, n, params, true);
}

void ek_softmax_u8__avx512vnni(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params)
{
	if (n < SHORT_ROW) {
		ek_softmax_u8[0].run(dst, src, n, params);
		return;
	}
	softmax(dst, src, n, params, false);
}
