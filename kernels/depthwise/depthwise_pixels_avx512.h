/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_pixels_avx512 - pixels of 64 channels as a depthwise filter reads them, four rows in turns */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_PIXELS_AVX512_H
#define KERNELS_DEPTHWISE_DEPTHWISE_PIXELS_AVX512_H

#include "kernels/depthwise/depthwise_plan_avx512.h"

ALWAYS_INLINE void interleave(const __m512i x[4], __m512i v[4])
{
	__m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
	__m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
	v[0] = _mm512_unpacklo_epi16(low01, low23);
	v[1] = _mm512_unpackhi_epi16(low01, low23);
	v[2] = _mm512_unpacklo_epi16(high01, high23);
	v[3] = _mm512_unpackhi_epi16(high01, high23);
}

/* Rows of the input as a filter of 64 channels sees them. */
struct depthwise_columns {
	const uint8_t *rows[4];
	size_t step;
	uint32_t width;
	__mmask64 bytes;
	__m512i padding, sign; /* unsigned; what makes codes so */
};

/* Input pixel @x of @rows rows, the last one instead of a fourth; whole: all channels of a vector. */
ALWAYS_INLINE void pixel_inside(const struct depthwise_columns *c, const bool whole,
	const bool is_signed, const int rows, int64_t x, __m512i v[4])
{
	size_t at = (size_t)x * c->step;
	__m512i from[4];
#pragma GCC unroll 4
	for (int i = 0; i < rows; i++) {
		from[i] = whole ? _mm512_loadu_si512(c->rows[i] + at)
				: _mm512_maskz_loadu_epi8(c->bytes, c->rows[i] + at);
		from[i] = is_signed ? _mm512_xor_si512(from[i], c->sign) : from[i];
	}
	from[3] = from[rows - 1];
	interleave(from, v);
}

/* The same where there may be none. */
ALWAYS_INLINE void pixel_column(const struct depthwise_columns *c, const bool is_signed,
	const int rows, int64_t x, __m512i v[4])
{
	if ((uint64_t)x >= c->width) {
		v[0] = v[1] = v[2] = v[3] = c->padding;
		return;
	}
	pixel_inside(c, false, is_signed, rows, x, v);
}

/* @n pixels from @x on; whole: 64 channels. */
ALWAYS_INLINE void pixel_columns(const struct depthwise_columns *c, const bool whole,
	const bool is_signed, const int rows, int64_t x, const int n, __m512i *v)
{
	if (whole && x >= 0 && x + n <= c->width) {
#pragma GCC unroll 4
		for (int i = 0; i < n; i++) {
			pixel_inside(c, true, is_signed, rows, x + i, v + 4 * i);
		}
		return;
	}
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		pixel_column(c, is_signed, rows, x + i, v + 4 * i);
	}
}

ALWAYS_INLINE void panel_store(const bool whole, uint8_t *to, __mmask64 bytes, __m512i y)
{
	if (whole) {
		_mm512_storeu_si512(to, y);
	} else {
		_mm512_mask_storeu_epi8(to, bytes, y);
	}
}

#endif
