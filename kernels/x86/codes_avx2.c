/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of more than 8 bits become other codes, floats become codes, rows of floats are blended. */
#include <string.h>

#include "kernels/x86/codes.h"
#include "kernels/x86/rescale_avx2.h"
#include "kernels/x86/vector_avx2.h"

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
RESCALE_INLINE void quantize(
	void *dst, const float *src, size_t n, const struct ek_quantize_params *p, const int to)
{
	const __m256 step = _mm256_set1_ps(p->step), most = _mm256_set1_ps(0x1p20f);
	const __m256i zero = _mm256_set1_epi32(p->zero);
	for (size_t i = 0; i < n; i += 8) {
		uint32_t left = n - i < 8 ? (uint32_t)(n - i) : 8;
		__m256 x = _mm256_div_ps(vector_load_first(src + i, left), step);
		x = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
		x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-0x1p20f)), most);
		__m256i y = _mm256_add_epi32(round_away(x), zero);
		store_narrow(dst, i, left, clamped(y, p->lo, p->hi), to);
	}
}

#define QUANTIZE(name, to)                                                                         \
	void name(void *dst, const float *src, size_t n, const struct ek_quantize_params *params)  \
	{                                                                                          \
		quantize(dst, src, n, params, to);                                                 \
	}

QUANTIZE(ek_quantize_s8__avx2, 1)
QUANTIZE(ek_quantize_u8__avx2, 1)
QUANTIZE(ek_quantize_s16__avx2, 2)

/* Every product and sum is rounded, in the order of entry 0. */
static void blend(float *out, const float *const p[4], size_t channels, float wx, float wy)
{
	const vector x1 = vector_all(wx), x0 = vector_all(1 - wx);
	const vector y1 = vector_all(wy), y0 = vector_all(1 - wy);
	for (size_t k = 0; k < channels; k += 8) {
		uint32_t n = channels - k < 8 ? (uint32_t)(channels - k) : 8;
		vector a = vector_mul(vector_load_first(p[0] + k, n), y0);
		vector b = vector_mul(vector_load_first(p[1] + k, n), y1);
		vector c = vector_mul(vector_load_first(p[2] + k, n), y0);
		vector d = vector_mul(vector_load_first(p[3] + k, n), y1);
		vector v = vector_add(vector_mul(a, x0), vector_mul(b, x0));
		v = vector_add(v, vector_mul(c, x1));
		v = vector_add(v, vector_mul(d, x1));
		/* Entry 0 adds a zero, which takes the sign from -0. */
		vector_store_first(out + k, n, vector_add(v, vector_all(0)));
	}
}

void ek_resize_f32__avx2(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	float *out = dst;
	const float *upper = row0, *lower = row1;
	for (size_t i = 0; i < n; i++, out += channels) {
		size_t left = (size_t)points[i].x0 * channels;
		size_t right = (size_t)points[i].x1 * channels;
		const float *const p[4] = {
			upper + left, lower + left, upper + right, lower + right};
		blend(out, p, channels, points[i].weight.real, y->weight.real);
	}
}
