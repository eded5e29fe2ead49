/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row has at most 256 different differences: their exponentials are rounded once and summed as they are
 * found, and their shares are a table of bytes, which is made when the sum is known.
 */
#include <stdbool.h>

#include "kernels/requant/rescale_avx2.h"
#include "kernels/simd/lut_avx2.h"
#include "kernels/softmax/softmax.h"
#include "kernels/softmax/softmax_parts.h"

#define SHORT_ROW 64

/* The greatest code of @n >= 32, as the byte it is; the last vector overlaps those before. */
LUT_INLINE uint8_t greatest(const uint8_t *x, size_t n, const bool is_signed)
{
	const __m256i flip = _mm256_set1_epi8(is_signed ? -128 : 0);
	__m256i most = _mm256_loadu_si256((const __m256i *)(x + n - 32));
	most = _mm256_xor_si256(most, flip);
	for (size_t i = 0; i + 32 <= n; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(x + i));
		most = _mm256_max_epu8(most, _mm256_xor_si256(v, flip));
	}
	__m128i v = _mm_max_epu8(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
	/* The least of eight words is the greatest of sixteen bytes taken from 255. */
	v = _mm_xor_si128(v, _mm_set1_epi8(-1));
	v = _mm_min_epu8(v, _mm_srli_epi16(v, 8));
	return (uint8_t)(~_mm_cvtsi128_si32(_mm_minpos_epu16(v)) ^ (is_signed ? 128 : 0));
}

/* rdbpot(e, 12) of exponentials, which are not negative; their sum over the row. */
static uint64_t sum_of(const int32_t *exp8, const uint8_t *x, size_t n, uint8_t max)
{
	_Alignas(32) uint32_t e[256];
	const __m256i half = _mm256_set1_epi32(1 << (EK_SOFTMAX_SUM_BITS - 1));
	for (size_t i = 0; i < 256; i += 8) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(exp8 + i));
		v = _mm256_srli_epi32(_mm256_add_epi32(v, half), EK_SOFTMAX_SUM_BITS);
		_mm256_store_si256((__m256i *)(e + i), v);
	}
	uint64_t sums[4] = {0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		for (int j = 0; j < 4; j++) {
			sums[j] += e[(uint8_t)(max - x[i + (size_t)j])];
		}
	}
	for (; i < n; i++) {
		sums[0] += e[(uint8_t)(max - x[i])];
	}
	return sums[0] + sums[1] + sums[2] + sums[3];
}

/* share() of kernels/softmax/softmax.c for all differences. */
static void shares_of(const struct ek_softmax_params *p, int32_t reciprocal, int32_t shift,
	uint8_t shares[static 256])
{
	const __m256i factor = _mm256_set1_epi32(reciprocal), lo = _mm256_set1_epi32(p->out_lo);
	const __m256i hi = _mm256_set1_epi32(p->out_hi);
	const __m256i first = _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 8,
		4, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 8, 4, 0);
	for (size_t i = 0; i < 256; i += 8) {
		__m256i e = _mm256_loadu_si256((const __m256i *)(p->exp8 + i));
		__m256i y = rescale_high(e, factor);
		y = shift > 31 ? _mm256_setzero_si256() : rescale_divide(y, shift);
		y = _mm256_max_epi32(_mm256_add_epi32(y, lo), lo);
		y = _mm256_shuffle_epi8(_mm256_min_epi32(y, hi), first);
		_mm_storeu_si64(shares + i,
			_mm_unpacklo_epi32(
				_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)));
	}
}

LUT_INLINE void softmax(void *dst, const void *src, size_t n, const struct ek_softmax_params *p,
	const bool is_signed)
{
	const uint8_t *x = src, max = greatest(src, n, is_signed);
	const __m256i from = _mm256_set1_epi8((char)max);
	uint8_t shares[256], *y = dst;
	struct lut lut;
	int32_t shift;
	const uint64_t sum = sum_of(p->exp8, x, n, max);
	const int32_t reciprocal = ek_softmax_invert(sum, p, &shift);
	shares_of(p, reciprocal, shift, shares);
	lut_make(shares, &lut);
	size_t i = 0;
	for (; i + 64 <= n; i += 64) {
		__m256i v[2] = {_mm256_loadu_si256((const __m256i *)(x + i)),
			_mm256_loadu_si256((const __m256i *)(x + i + 32))};
		v[0] = _mm256_sub_epi8(from, v[0]);
		v[1] = _mm256_sub_epi8(from, v[1]);
		lut_find(&lut, v, 2);
		_mm256_storeu_si256((__m256i *)(y + i), v[0]);
		_mm256_storeu_si256((__m256i *)(y + i + 32), v[1]);
	}
	for (; i < n; i++) {
		y[i] = shares[(uint8_t)(max - x[i])];
	}
}

void ek_softmax_s8__avx2(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params)
{
	if (n < SHORT_ROW) {
		ek_softmax_s8[0].run(dst, src, n, params);
		return;
	}
	softmax(dst, src, n, params, true);
}

void ek_softmax_u8__avx2(
	void *dst, const void *src, size_t n, const struct ek_softmax_params *params)
{
	if (n < SHORT_ROW) {
		ek_softmax_u8[0].run(dst, src, n, params);
		return;
	}
	softmax(dst, src, n, params, false);
}
