/* SPDX-License-Identifier: Apache-2.0 */
/* 64 channels of an output pixel at a time (16 floats), the taps one after the other. */
#include <float.h>

#include "kernels/gemm/packed_panel_avx512.h"
#include "kernels/pool/pool_pixels.h"
#include "kernels/pool/pool_x86.h"
#include "kernels/simd/lut_avx512.h"

/* Adds @taps (1 to 4) taps of the channels of @here, @step bytes apart; lane 4 l + i of vector j is
 * channel 16 l + 4 j + i. */
LUT_INLINE void add_fours(const int8_t *x, size_t step, uint32_t taps, __mmask64 here,
	const bool is_signed, __m512i sums[4])
{
	const __m512i ones = _mm512_set1_epi8(1);
	__m512i v[4] = {_mm512_maskz_loadu_epi8(here, x)};
#pragma GCC unroll 3
	for (uint32_t i = 1; i < 4; i++) {
		v[i] = i < taps ? _mm512_maskz_loadu_epi8(here, x + i * step)
				: _mm512_setzero_si512();
	}
	__m512i low01 = _mm512_unpacklo_epi8(v[0], v[1]), high01 = _mm512_unpackhi_epi8(v[0], v[1]);
	__m512i low23 = _mm512_unpacklo_epi8(v[2], v[3]), high23 = _mm512_unpackhi_epi8(v[2], v[3]);
	v[0] = _mm512_unpacklo_epi16(low01, low23);
	v[1] = _mm512_unpackhi_epi16(low01, low23);
	v[2] = _mm512_unpacklo_epi16(high01, high23);
	v[3] = _mm512_unpackhi_epi16(high01, high23);
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		sums[j] = is_signed ? _mm512_dpbusd_epi32(sums[j], ones, v[j])
				    : _mm512_dpbusd_epi32(sums[j], v[j], ones);
	}
}

/* Sums of 64 channels from @first on; taps that lie side by side are one run of them. */
LUT_INLINE void add_taps(
	const struct pixel *p, uint32_t first, uint32_t n, const bool is_signed, __m512i sums[4])
{
	const __mmask64 here = lut_first(n);
	const size_t step = p->args->channels;
	uint32_t width = p->x.end - p->x.first, rows = p->y.end - p->y.first;
	if (width == p->args->window.x.in) {
		width *= rows;
		rows = rows ? 1 : 0;
	}
	for (uint32_t ky = p->y.first; ky < p->y.first + rows; ky++) {
		const int8_t *x = (const int8_t *)p->args->input + tap_row(p, ky, first);
		uint32_t left = width;
		for (; left >= 4; left -= 4, x += 4 * step) {
			add_fours(x, step, 4, here, is_signed, sums);
		}
		if (left) {
			add_fours(x, step, left, here, is_signed, sums);
		}
	}
	panel_transpose(sums);
}

/* (sum +- n / 2) / n, cut towards zero: the quotient in double is exact enough for that. */
LUT_INLINE __m512i divide(__m512i sums, int32_t n, const bool is_signed)
{
	const __m512i half = _mm512_set1_epi32(n / 2);
	const __m512d by = _mm512_set1_pd(n);
	__m512i x = _mm512_add_epi32(sums, half);
	if (is_signed) {
		__mmask16 below = _mm512_cmple_epi32_mask(sums, _mm512_setzero_si512());
		x = _mm512_mask_sub_epi32(x, below, sums, half);
	}
	__m512d low = _mm512_cvtepi32_pd(_mm512_castsi512_si256(x));
	__m512d high = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(x, 1));
	__m256i y0 = _mm512_cvttpd_epi32(_mm512_div_pd(low, by));
	__m256i y1 = _mm512_cvttpd_epi32(_mm512_div_pd(high, by));
	return _mm512_inserti64x4(_mm512_castsi256_si512(y0), y1, 1);
}

LUT_INLINE void average(const struct pixel *p, uint32_t first, uint32_t n, const bool is_signed)
{
	const struct ek_pool *a = p->args;
	const __m512i zero = _mm512_setzero_si512();
	__m512i sums[4] = {zero, zero, zero, zero};
	int32_t taps = (int32_t)((p->y.end - p->y.first) * (p->x.end - p->x.first));
	__mmask64 here = lut_first(n);
	add_taps(p, first, n, is_signed, sums);
	for (uint32_t j = 0; 16 * j < n; j++) {
		__m512i y = divide(sums[j], taps, is_signed);
		y = _mm512_max_epi32(y, _mm512_set1_epi32(a->lo));
		y = _mm512_min_epi32(y, _mm512_set1_epi32(a->hi));
		_mm512_mask_cvtepi32_storeu_epi8((int8_t *)a->output + p->output + first + 16 * j,
			(__mmask16)(here >> 16 * j), y);
	}
}

static void average_s8(const struct pixel *p, uint32_t first, uint32_t n)
{
	average(p, first, n, true);
}

static void average_u8(const struct pixel *p, uint32_t first, uint32_t n)
{
	average(p, first, n, false);
}

void ek_average_pool_s8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 64, average_s8);
}

void ek_average_pool_u8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 64, average_u8);
}

/* 16 channels. */
LUT_INLINE __m512i load_s16(
	const struct pixel *p, uint32_t ky, uint32_t kx, uint32_t first, __mmask16 here)
{
	const int16_t *x = (const int16_t *)p->args->input + tap_row(p, ky, first);
	x += (size_t)(kx - p->x.first) * p->args->channels;
	return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(here, x));
}

LUT_INLINE void put_s16(const struct pixel *p, uint32_t first, __mmask16 here, __m512i y)
{
	const struct ek_pool *a = p->args;
	y = _mm512_max_epi32(y, _mm512_set1_epi32(a->lo));
	y = _mm512_min_epi32(y, _mm512_set1_epi32(a->hi));
	_mm512_mask_cvtepi32_storeu_epi16((int16_t *)a->output + p->output + first, here, y);
}

static void average_s16(const struct pixel *p, uint32_t first, uint32_t n)
{
	__mmask16 here = (__mmask16)lut_first(n);
	__m512i sum = _mm512_setzero_si512();
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		for (uint32_t kx = p->x.first; kx < p->x.end; kx++) {
			sum = _mm512_add_epi32(sum, load_s16(p, ky, kx, first, here));
		}
	}
	int32_t taps = (int32_t)((p->y.end - p->y.first) * (p->x.end - p->x.first));
	put_s16(p, first, here, divide(sum, taps, true));
}

void ek_average_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 16, average_s16);
}

static void max_s16(const struct pixel *p, uint32_t first, uint32_t n)
{
	__mmask16 here = (__mmask16)lut_first(n);
	__m512i best = _mm512_set1_epi32(INT16_MIN);
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		for (uint32_t kx = p->x.first; kx < p->x.end; kx++) {
			best = _mm512_max_epi32(best, load_s16(p, ky, kx, first, here));
		}
	}
	put_s16(p, first, here, best);
}

void ek_max_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 16, max_s16);
}

LUT_INLINE void maximum(const struct pixel *p, uint32_t first, uint32_t n, const bool is_signed)
{
	const struct ek_pool *a = p->args;
	__mmask64 here = lut_first(n);
	__m512i best = _mm512_set1_epi8(is_signed ? INT8_MIN : 0);
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const int8_t *x = (const int8_t *)a->input + tap_row(p, ky, first);
		for (uint32_t k = p->x.first; k < p->x.end; k++, x += a->channels) {
			__m512i v = _mm512_maskz_loadu_epi8(here, x);
			best = is_signed ? _mm512_max_epi8(best, v) : _mm512_max_epu8(best, v);
		}
	}
	__m512i lo = _mm512_set1_epi8((char)a->lo), hi = _mm512_set1_epi8((char)a->hi);
	best = is_signed ? _mm512_min_epi8(_mm512_max_epi8(best, lo), hi)
			 : _mm512_min_epu8(_mm512_max_epu8(best, lo), hi);
	_mm512_mask_storeu_epi8((int8_t *)a->output + p->output + first, here, best);
}

static void max_s8(const struct pixel *p, uint32_t first, uint32_t n)
{
	maximum(p, first, n, true);
}

static void max_u8(const struct pixel *p, uint32_t first, uint32_t n)
{
	maximum(p, first, n, false);
}

void ek_max_pool_s8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 64, max_s8);
}

void ek_max_pool_u8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 64, max_u8);
}

/* ek_clamp_f32(): NaN passes. */
LUT_INLINE void put_f32(const struct pixel *p, uint32_t first, uint32_t n, __m512 y)
{
	const struct ek_pool *a = p->args;
	y = _mm512_max_ps(_mm512_set1_ps(a->lo_f32), y);
	y = _mm512_min_ps(_mm512_set1_ps(a->hi_f32), y);
	_mm512_mask_storeu_ps((float *)a->output + p->output + first, (__mmask16)lut_first(n), y);
}

static void average_f32(const struct pixel *p, uint32_t first, uint32_t n)
{
	const struct ek_pool *a = p->args;
	__mmask16 here = (__mmask16)lut_first(n);
	__m512 sum = _mm512_setzero_ps();
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const float *x = (const float *)a->input + tap_row(p, ky, first);
		for (uint32_t k = p->x.first; k < p->x.end; k++, x += a->channels) {
			sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(here, x));
		}
	}
	uint32_t taps = (p->y.end - p->y.first) * (p->x.end - p->x.first);
	put_f32(p, first, n, _mm512_div_ps(sum, _mm512_set1_ps((float)taps)));
}

/* best < v ? v : best, which leaves NaN out. */
static void max_f32(const struct pixel *p, uint32_t first, uint32_t n)
{
	const struct ek_pool *a = p->args;
	__mmask16 here = (__mmask16)lut_first(n);
	__m512 best = _mm512_set1_ps(-FLT_MAX);
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const float *x = (const float *)a->input + tap_row(p, ky, first);
		for (uint32_t k = p->x.first; k < p->x.end; k++, x += a->channels) {
			best = _mm512_max_ps(_mm512_maskz_loadu_ps(here, x), best);
		}
	}
	put_f32(p, first, n, best);
}

void ek_average_pool_f32__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 16, average_f32);
}

void ek_max_pool_f32__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, 16, max_f32);
}
