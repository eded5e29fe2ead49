/* SPDX-License-Identifier: Apache-2.0 */
/* 16 floats of a pixel at a time; codes are resize_avx2.c's. */
#include <immintrin.h>

#include "kernels/x86/codes.h"

static __mmask16 lanes_of(size_t left)
{
	return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/* Every product and sum is rounded, in the order of entry 0. */
static void blend(float *out, const float *const p[4], size_t channels, float wx, float wy)
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
		blend(out, p, channels, points[i].weight.real, y->weight.real);
	}
}
