/* SPDX-License-Identifier: Apache-2.0 */
/* Codes become other codes, floats become codes, codes are summed. */
#include <string.h>

#include "kernels/elementwise/lut.h"
#include "kernels/reduce/sum.h"
#include "kernels/requant/requant.h"
#include "kernels/requant/rescale_avx2.h"
#include "kernels/simd/lut_avx2.h"
#include "kernels/simd/vector_f32_avx2.h"

/* In place too: codes behind the last whole vector are looked up one by one. */
void ek_lut8__avx2(uint8_t *dst, const uint8_t *src, size_t n, const uint8_t table[static 256])
{
	struct lut lut;
	size_t i = 0;
	lut_make(table, &lut);
	for (; i + 64 <= n; i += 64) {
		__m256i v[2] = {_mm256_loadu_si256((const __m256i *)(src + i)),
			_mm256_loadu_si256((const __m256i *)(src + i + 32))};
		lut_find(&lut, v, 2);
		_mm256_storeu_si256((__m256i *)(dst + i), v[0]);
		_mm256_storeu_si256((__m256i *)(dst + i + 32), v[1]);
	}
	for (; i + 32 <= n; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(src + i));
		lut_find(&lut, &v, 1);
		_mm256_storeu_si256((__m256i *)(dst + i), v);
	}
	for (; i < n; i++) {
		dst[i] = table[src[i]];
	}
}

/* @n elements of 2 or 4 bytes, widened; at most 8. */
RESCALE_INLINE __m256i load_wide(const void *src, size_t i, uint32_t n, const int bytes)
{
	if (bytes == 4) {
		return _mm256_maskload_epi32((const int32_t *)src + i, vector_lanes(n));
	}
	__m128i x = _mm_setzero_si128();
	if (n == 8) {
		x = _mm_loadu_si128((const __m128i *)((const int16_t *)src + i));
	} else {
		memcpy(&x, (const int16_t *)src + i, n * sizeof(int16_t));
	}
	return _mm256_cvtepi16_epi32(x);
}

/* The lower @bytes of @n lanes, whose values fit them with or without sign. */
RESCALE_INLINE void store_narrow(void *dst, size_t i, uint32_t n, __m256i y, const int bytes)
{
	const __m256i first = _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 8,
		4, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 8, 4, 0);
	const __m256i pairs = _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 13, 12, 9, 8, 5, 4, 1,
		0, -1, -1, -1, -1, -1, -1, -1, -1, 13, 12, 9, 8, 5, 4, 1, 0);
	if (bytes == 4) {
		_mm256_maskstore_epi32((int32_t *)dst + i, vector_lanes(n), y);
		return;
	}
	y = _mm256_shuffle_epi8(y, bytes == 1 ? first : pairs);
	__m128i low = _mm256_castsi256_si128(y), high = _mm256_extracti128_si256(y, 1);
	__m128i z = bytes == 1 ? _mm_unpacklo_epi32(low, high) : _mm_unpacklo_epi64(low, high);
	char *to = (char *)dst + i * (size_t)bytes;
	if (n < 8) {
		memcpy(to, &z, n * (size_t)bytes);
	} else if (bytes == 1) {
		_mm_storeu_si64(to, z);
	} else {
		_mm_storeu_si128((__m128i *)to, z);
	}
}

RESCALE_INLINE __m256i clamped(__m256i y, int32_t lo, int32_t hi)
{
	y = _mm256_max_epi32(y, _mm256_set1_epi32(lo));
	return _mm256_min_epi32(y, _mm256_set1_epi32(hi));
}

RESCALE_INLINE void requant(void *dst, const void *src, size_t n, const struct ek_requant_params *p,
	const int from, const int to)
{
	const __m256i src_zero = _mm256_set1_epi32(p->src_zero), zero = _mm256_set1_epi32(p->zero);
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256i x = _mm256_sub_epi32(load_wide(src, i, left, from), src_zero);
		__m256i y = _mm256_add_epi32(rescale(x, p->scale), zero);
		store_narrow(dst, i, left, clamped(y, p->lo, p->hi), to);
	}
}

#define REQUANT(name, from, to)                                                                    \
	void name(void *dst, const void *src, size_t n, const struct ek_requant_params *params)    \
	{                                                                                          \
		requant(dst, src, n, params, from, to);                                            \
	}

REQUANT(ek_requant_s16s8__avx2, 2, 1)
REQUANT(ek_requant_s16s16__avx2, 2, 2)
REQUANT(ek_requant_s16s32__avx2, 2, 4)
REQUANT(ek_requant_s32s8__avx2, 4, 1)
REQUANT(ek_requant_s32s16__avx2, 4, 2)

/* round(x) of what fits an int32, ties away from zero: what cutting leaves is exact. */
RESCALE_INLINE __m256i round_away(__m256 x)
{
	__m256i y = _mm256_cvttps_epi32(x);
	__m256 rest = _mm256_sub_ps(x, _mm256_cvtepi32_ps(y));
	__m256 up = _mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ);
	__m256 down = _mm256_cmp_ps(rest, _mm256_set1_ps(-0.5f), _CMP_LE_OQ);
	y = _mm256_sub_epi32(y, _mm256_castps_si256(up));
	return _mm256_add_epi32(y, _mm256_castps_si256(down));
}

/* Beyond 2^20 every code of up to 16 bits is at its end; NaN is 0, as in ek_round32(). */
RESCALE_INLINE void quantize(void *dst, const float *src, size_t n,
	const struct ek_quantize_params *p, const int to, const bool even)
{
	const __m256 step = _mm256_set1_ps(even ? 1.0f / p->step : p->step),
		     most = _mm256_set1_ps(0x1p20f);
	const __m256i zero = _mm256_set1_epi32(p->zero);
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256 x = vector_load_first(src + i, left);
		x = even ? _mm256_mul_ps(x, step) : _mm256_div_ps(x, step);
		x = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
		x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-0x1p20f)), most);
		__m256i y = _mm256_add_epi32(even ? _mm256_cvtps_epi32(x) : round_away(x), zero);
		store_narrow(dst, i, left, clamped(y, p->lo, p->hi), to);
	}
}

#define QUANTIZE(name, to)                                                                         \
	void name(void *dst, const float *src, size_t n, const struct ek_quantize_params *params)  \
	{                                                                                          \
		if (params->even) {                                                                \
			quantize(dst, src, n, params, to, true);                                   \
		} else {                                                                           \
			quantize(dst, src, n, params, to, false);                                  \
		}                                                                                  \
	}

QUANTIZE(ek_quantize_s8__avx2, 1)
QUANTIZE(ek_quantize_u8__avx2, 1)
QUANTIZE(ek_quantize_s16__avx2, 2)

RESCALE_INLINE __m256i widen8(const uint8_t *codes, const bool is_signed)
{
	const __m128i x = _mm_loadl_epi64((const __m128i *)codes);
	return is_signed ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x);
}

/* Without a step: the bytes' sums by eights, signed ones moved up by 128 for that. */
RESCALE_INLINE uint32_t sum_all(const uint8_t *src, size_t n, const bool is_signed)
{
	const __m256i flip = _mm256_set1_epi8(is_signed ? -128 : 0);
	const __m256i zero = _mm256_setzero_si256();
	__m256i total = zero;
	size_t i = 0;
	for (; i + 32 <= n; i += 32) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(src + i));
		x = _mm256_sad_epu8(_mm256_xor_si256(x, flip), zero);
		total = _mm256_add_epi64(total, x);
	}
	uint64_t part[4];
	_mm256_storeu_si256((__m256i *)part, total);
	uint64_t all = part[0] + part[1] + part[2] + part[3] - (is_signed ? 128 * i : 0);
	for (; i < n; i++) {
		all += is_signed ? (uint64_t)(int8_t)src[i] : src[i];
	}
	return (uint32_t)all;
}

RESCALE_INLINE void sum_row(
	int32_t *sums, const uint8_t *src, size_t n, size_t step, const bool is_signed)
{
	if (step == 0) {
		*sums = (int32_t)((uint32_t)*sums + sum_all(src, n, is_signed));
		return;
	}
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		__m256i *to = (__m256i *)(sums + i);
		__m256i x = widen8(src + i, is_signed);
		_mm256_storeu_si256(to, _mm256_add_epi32(x, _mm256_loadu_si256(to)));
	}
	for (; i < n; i++) {
		const int32_t x = is_signed ? (int8_t)src[i] : src[i];
		sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)x);
	}
}

void ek_sum_s8__avx2(void *sums, const void *src, size_t n, size_t step)
{
	sum_row(sums, src, n, step, true);
}

void ek_sum_u8__avx2(void *sums, const void *src, size_t n, size_t step)
{
	sum_row(sums, src, n, step, false);
}
