/* SPDX-License-Identifier: Apache-2.0 */
/* 16 channels of a pixel at a time. */
#include <immintrin.h>
#include <stdbool.h>

#include "kernels/x86/codes.h"

static __mmask16 lanes_of(size_t left)
{
	return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* Codes of two pixels of one row, side by side in each lane. */
static inline __m512i load_pair(const int8_t *left, const int8_t *right, __mmask16 lanes)
{
	__m512i a = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, left));
	__m512i b = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, right));
	return _mm512_mask_blend_epi16(0xAAAAAAAA, a, _mm512_slli_epi32(b, 16));
}

/* v / 2^20, ties away from zero, |v| < 2^29. */
static inline __m512i round20(__m512i v)
{
	const __m512i half = _mm512_set1_epi32(1 << 19), most = _mm512_set1_epi32((1 << 20) - 1);
	__mmask16 above = _mm512_cmpgt_epi32_mask(v, _mm512_setzero_si512());
	__m512i y = _mm512_sub_epi32(v, half);
	y = _mm512_mask_add_epi32(y, above, v, half);
	/* Cut towards zero. */
	y = _mm512_add_epi32(y, _mm512_and_si512(_mm512_srai_epi32(y, 31), most));
	return _mm512_srai_epi32(y, 20);
}

struct corners {
	const int8_t *a, *b, *c, *d; /* upper left, lower left, upper right, lower right */
};

/* First along the rows, then between them: the same whole number as the four products' sum. */
static void blend_s8(int8_t *out, const struct corners *p, size_t channels, int32_t wx, int32_t wy)
{
	const __m512i across =
		_mm512_set1_epi32((int32_t)((uint32_t)wx << 16 | (uint32_t)(1024 - wx)));
	const __m512i upper = _mm512_set1_epi32(1024 - wy), lower = _mm512_set1_epi32(wy);
	for (size_t k = 0; k < channels; k += 16) {
		__mmask16 lanes = lanes_of(channels - k);
		__m512i x = _mm512_madd_epi16(load_pair(p->a + k, p->c + k, lanes), across);
		__m512i y = _mm512_madd_epi16(load_pair(p->b + k, p->d + k, lanes), across);
		__m512i v = _mm512_add_epi32(
			_mm512_mullo_epi32(x, upper), _mm512_mullo_epi32(y, lower));
		_mm512_mask_cvtepi32_storeu_epi8(out + k, lanes, round20(v));
	}
}

static bool is_between(int32_t weight)
{
	return weight >= 0 && weight <= 1024;
}

/* Weights beyond 0 to 1 are entry 0's. */
void ek_resize_s8__avx512vnni(void *dst, const void *row0, const void *row1, size_t n,
	size_t channels, const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	int8_t *out = dst;
	const int8_t *upper = row0, *lower = row1;
	int32_t wy = y->weight.fixed;
	for (size_t i = 0; i < n; i++, out += channels) {
		int32_t wx = points[i].weight.fixed;
		size_t left = (size_t)points[i].x0 * channels,
		       right = (size_t)points[i].x1 * channels;
		const struct corners p = {upper + left, lower + left, upper + right, lower + right};
		if (is_between(wx) && is_between(wy)) {
			blend_s8(out, &p, channels, wx, wy);
		} else {
			ek_resize_s8[0].run(out, row0, row1, 1, channels, &points[i], y);
		}
	}
}

/* Every product and sum is rounded, in the order of entry 0. */
static void blend_f32(float *out, const float *const p[4], size_t channels, float wx, float wy)
{
	const __m512 x1 = _mm512_set1_ps(wx), x0 = _mm512_set1_ps(1 - wx);
	const __m512 y1 = _mm512_set1_ps(wy), y0 = _mm512_set1_ps(1 - wy);
	for (size_t k = 0; k < channels; k += 16) {
		__mmask16 lanes = lanes_of(channels - k);
		__m512 a = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, p[0] + k), y0);
		__m512 b = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, p[1] + k), y1);
		__m512 c = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, p[2] + k), y0);
		__m512 d = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, p[3] + k), y1);
		__m512 v = _mm512_add_ps(_mm512_mul_ps(a, x0), _mm512_mul_ps(b, x0));
		v = _mm512_add_ps(v, _mm512_mul_ps(c, x1));
		v = _mm512_add_ps(v, _mm512_mul_ps(d, x1));
		/* Entry 0 adds a zero, which takes the sign from -0. */
		v = _mm512_add_ps(v, _mm512_setzero_ps());
		_mm512_mask_storeu_ps(out + k, lanes, v);
	}
}

void ek_resize_f32__avx512vnni(void *dst, const void *row0, const void *row1, size_t n,
	size_t channels, const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	float *out = dst;
	const float *upper = row0, *lower = row1;
	for (size_t i = 0; i < n; i++, out += channels) {
		size_t left = (size_t)points[i].x0 * channels,
		       right = (size_t)points[i].x1 * channels;
		const float *const p[4] = {
			upper + left, lower + left, upper + right, lower + right};
		blend_f32(out, p, channels, points[i].weight.real, y->weight.real);
	}
}
