/* SPDX-License-Identifier: Apache-2.0 */
/* Codes become other codes, floats become codes, codes are summed. */
#include "kernels/elementwise/lut_x86.h"
#include "kernels/reduce/sum_x86.h"
#include "kernels/requant/requant_x86.h"
#include "kernels/requant/rescale_avx512.h"
#include "kernels/simd/lut_avx512.h"

void ek_lut8__avx512vnni(
	uint8_t *dst, const uint8_t *src, size_t n, const uint8_t table[static 256])
{
	const struct lut lut = lut_of(table);
	size_t i = 0;
	for (; i + 64 <= n; i += 64) {
		_mm512_storeu_si512(dst + i, lut_find(&lut, _mm512_loadu_si512(src + i)));
	}
	if (i < n) {
		__mmask64 rest = lut_first(n - i);
		__m512i codes = _mm512_maskz_loadu_epi8(rest, src + i);
		_mm512_mask_storeu_epi8(dst + i, rest, lut_find(&lut, codes));
	}
}

static __mmask16 lanes_of(size_t left)
{
	return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* 16 elements of 2 or 4 bytes, widened. */
RESCALE_INLINE __m512i load_wide(const void *src, size_t i, __mmask16 lanes, const int bytes)
{
	if (bytes == 2) {
		return _mm512_cvtepi16_epi32(
			_mm256_maskz_loadu_epi16(lanes, (const int16_t *)src + i));
	}
	return _mm512_maskz_loadu_epi32(lanes, (const int32_t *)src + i);
}

/* The lower @bytes of 16 lanes. */
RESCALE_INLINE void store_narrow(void *dst, size_t i, __mmask16 lanes, __m512i y, const int bytes)
{
	if (bytes == 1) {
		_mm512_mask_cvtepi32_storeu_epi8((int8_t *)dst + i, lanes, y);
	} else if (bytes == 2) {
		_mm512_mask_cvtepi32_storeu_epi16((int16_t *)dst + i, lanes, y);
	} else {
		_mm512_mask_storeu_epi32((int32_t *)dst + i, lanes, y);
	}
}

RESCALE_INLINE __m512i clamped(__m512i y, int32_t lo, int32_t hi)
{
	y = _mm512_max_epi32(y, _mm512_set1_epi32(lo));
	return _mm512_min_epi32(y, _mm512_set1_epi32(hi));
}

RESCALE_INLINE void requant(void *dst, const void *src, size_t n, const struct ek_requant_params *p,
	const int from, const int to)
{
	const __m512i src_zero = _mm512_set1_epi32(p->src_zero), zero = _mm512_set1_epi32(p->zero);
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 lanes = lanes_of(n - i);
		__m512i x = _mm512_sub_epi32(load_wide(src, i, lanes, from), src_zero);
		__m512i y = _mm512_add_epi32(rescale(x, p->scale), zero);
		store_narrow(dst, i, lanes, clamped(y, p->lo, p->hi), to);
	}
}

#define REQUANT(name, from, to)                                                                    \
	void name(void *dst, const void *src, size_t n, const struct ek_requant_params *params)    \
	{                                                                                          \
		requant(dst, src, n, params, from, to);                                            \
	}

REQUANT(ek_requant_s16s8__avx512vnni, 2, 1)
REQUANT(ek_requant_s16s16__avx512vnni, 2, 2)
REQUANT(ek_requant_s16s32__avx512vnni, 2, 4)
REQUANT(ek_requant_s32s8__avx512vnni, 4, 1)
REQUANT(ek_requant_s32s16__avx512vnni, 4, 2)

/* round(x) of what fits an int32, ties away from zero: what cutting leaves is exact. */
RESCALE_INLINE __m512i round_away(__m512 x)
{
	const __m512 half = _mm512_set1_ps(0.5f);
	const __m512i one = _mm512_set1_epi32(1);
	__m512i y = _mm512_cvttps_epi32(x);
	__m512 rest = _mm512_sub_ps(x, _mm512_cvtepi32_ps(y));
	__mmask16 up = _mm512_cmp_ps_mask(rest, half, _CMP_GE_OQ);
	__mmask16 down = _mm512_cmp_ps_mask(rest, _mm512_set1_ps(-0.5f), _CMP_LE_OQ);
	y = _mm512_mask_add_epi32(y, up, y, one);
	return _mm512_mask_sub_epi32(y, down, y, one);
}

/* Beyond 2^20 every code of up to 16 bits is at its end; NaN is 0, as in ek_round32(). */
RESCALE_INLINE void quantize(void *dst, const float *src, size_t n,
	const struct ek_quantize_params *p, const int to, const bool even)
{
	const __m512 step = _mm512_set1_ps(even ? 1.0f / p->step : p->step),
		     most = _mm512_set1_ps(0x1p20f);
	const __m512i zero = _mm512_set1_epi32(p->zero);
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 lanes = lanes_of(n - i);
		__m512 x = _mm512_maskz_loadu_ps(lanes, src + i);
		x = even ? _mm512_mul_ps(x, step) : _mm512_div_ps(x, step);
		x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);
		x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-0x1p20f)), most);
		__m512i y = _mm512_add_epi32(even ? _mm512_cvtps_epi32(x) : round_away(x), zero);
		store_narrow(dst, i, lanes, clamped(y, p->lo, p->hi), to);
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

QUANTIZE(ek_quantize_s8__avx512vnni, 1)
QUANTIZE(ek_quantize_u8__avx512vnni, 1)
QUANTIZE(ek_quantize_s16__avx512vnni, 2)

RESCALE_INLINE __m512i widen8(__m128i codes, const bool is_signed)
{
	return is_signed ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
}

/* Without a step: the bytes' sums by eights, signed ones moved up by 128 for that. */
RESCALE_INLINE void sum_all(int32_t *sum, const uint8_t *src, size_t n, const bool is_signed)
{
	const __m512i flip = _mm512_set1_epi8(is_signed ? -128 : 0);
	__m512i total = _mm512_setzero_si512();
	for (size_t i = 0; i < n; i += 64) {
		__mmask64 rest = lut_first(n - i);
		__m512i x = _mm512_maskz_loadu_epi8(rest, src + i);
		x = _mm512_maskz_mov_epi8(rest, _mm512_xor_si512(x, flip));
		total = _mm512_add_epi64(total, _mm512_sad_epu8(x, _mm512_setzero_si512()));
	}
	uint64_t all = (uint64_t)_mm512_reduce_add_epi64(total) - (is_signed ? 128 * n : 0);
	*sum = (int32_t)((uint32_t)*sum + (uint32_t)all);
}

RESCALE_INLINE void sum_row(
	int32_t *sums, const uint8_t *src, size_t n, size_t step, const bool is_signed)
{
	if (step == 0) {
		sum_all(sums, src, n, is_signed);
		return;
	}
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 lanes = lanes_of(n - i);
		__m512i x = widen8(_mm_maskz_loadu_epi8(lanes, src + i), is_signed);
		x = _mm512_add_epi32(x, _mm512_maskz_loadu_epi32(lanes, sums + i));
		_mm512_mask_storeu_epi32(sums + i, lanes, x);
	}
}

void ek_sum_s8__avx512vnni(void *sums, const void *src, size_t n, size_t step)
{
	sum_row(sums, src, n, step, true);
}

void ek_sum_u8__avx512vnni(void *sums, const void *src, size_t n, size_t step)
{
	sum_row(sums, src, n, step, false);
}
