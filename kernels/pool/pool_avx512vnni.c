/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of 256 bits, as with AVX2; pixels of few channels are read and written by masks. */
#define YMM(name) name##__avx512vnni
#include "kernels/simd/bytes_avx2.h"

#include "kernels/pool/pool_ymm.h"

/* int16: 16 channels. */
#define LANES_16 16

POOL_INLINE __m512i load_s16(const int16_t *from, __mmask16 here)
{
	return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(here, from));
}

POOL_INLINE __m256i quotient(__m256i x, int32_t by)
{
	return _mm512_cvttpd_epi32(_mm512_div_pd(_mm512_cvtepi32_pd(x), _mm512_set1_pd(by)));
}

/* (sum +- n / 2) / n, cut towards zero: a double is exact enough for that. */
POOL_INLINE __m512i mean(__m512i sums, int32_t n)
{
	const __m512i half = _mm512_set1_epi32(n / 2);
	const __mmask16 below = _mm512_cmple_epi32_mask(sums, _mm512_setzero_si512());
	const __m512i x = _mm512_mask_sub_epi32(_mm512_add_epi32(sums, half), below, sums, half);
	const __m256i high = quotient(_mm512_extracti64x4_epi64(x, 1), n);
	return _mm512_inserti64x4(
		_mm512_castsi256_si512(quotient(_mm512_castsi512_si256(x), n)), high, 1);
}

POOL_INLINE void pool_s16(const struct pixel *p, uint32_t first, uint32_t n, const bool averages)
{
	const struct ek_pool *a = p->args;
	const __mmask16 here = (__mmask16)((1u << n) - 1);
	const int32_t taps = (int32_t)((p->y.end - p->y.first) * (p->x.end - p->x.first));
	__m512i y = _mm512_set1_epi32(averages ? 0 : INT16_MIN);
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const int16_t *x = (const int16_t *)a->input + tap_row(p, ky, first);
		for (uint32_t kx = p->x.first; kx < p->x.end; kx++, x += a->channels) {
			const __m512i v = load_s16(x, here);
			y = averages ? _mm512_add_epi32(y, v) : _mm512_max_epi32(y, v);
		}
	}
	y = averages ? mean(y, taps) : y;
	y = _mm512_max_epi32(y, _mm512_set1_epi32(a->lo));
	y = _mm512_min_epi32(y, _mm512_set1_epi32(a->hi));
	_mm512_mask_cvtepi32_storeu_epi16((int16_t *)a->output + p->output + first, here, y);
}

static void average_s16(const struct pixel *p, uint32_t first, uint32_t n)
{
	pool_s16(p, first, n, true);
}

static void max_s16(const struct pixel *p, uint32_t first, uint32_t n)
{
	pool_s16(p, first, n, false);
}

void ek_average_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, LANES_16, average_s16);
}

void ek_max_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, LANES_16, max_s16);
}
