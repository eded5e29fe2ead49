/* SPDX-License-Identifier: Apache-2.0 */
/* s16_finish_avx512 - sums of products of int16 become int16 codes, 16 channels at a time (AVX512) */
#ifndef KERNELS_GEMM_S16_FINISH_AVX512_H
#define KERNELS_GEMM_S16_FINISH_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels/math/quant.h"

#define S16_INLINE static inline __attribute__((always_inline))

S16_INLINE __mmask16 s16_lanes(uint32_t n)
{
	return n >= 16 ? 0xFFFF : (__mmask16)((1u << n) - 1);
}

/* 16 sums in 64 bits: lanes 0 to 7, 8 to 15. */
struct s16_sums {
	__m512i low, high;
};

S16_INLINE struct s16_sums s16_widen(__m512i v)
{
	return (struct s16_sums){_mm512_cvtepi32_epi64(_mm512_castsi512_si256(v)),
		_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(v, 1))};
}

/* Plus the bias of the channels from @n on; at most one of the two, which wraps. */
S16_INLINE struct s16_sums s16_bias(struct s16_sums s, const int64_t *bias64, const int32_t *bias32,
	uint32_t n, __mmask16 lanes)
{
	struct s16_sums b = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	if (bias64) {
		b.low = _mm512_maskz_loadu_epi64((__mmask8)lanes, bias64 + n);
		b.high = _mm512_maskz_loadu_epi64((__mmask8)(lanes >> 8), bias64 + n + 8);
	} else if (bias32) {
		b = s16_widen(_mm512_maskz_loadu_epi32(lanes, bias32 + n));
	}
	return (struct s16_sums){_mm512_add_epi64(s.low, b.low), _mm512_add_epi64(s.high, b.high)};
}

/* The lower halves. */
S16_INLINE __m512i s16_narrow(struct s16_sums s)
{
	__m256i low = _mm512_cvtepi64_epi32(s.low), high = _mm512_cvtepi64_epi32(s.high);
	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Multipliers and shifts of 16 channels. */
struct s16_scales {
	__m512i multiplier, shift;
};

S16_INLINE struct s16_scales s16_scales_of(const struct ek_scale *scale, __mmask16 lanes)
{
	const __m512i first =
		_mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
	const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(1));
	__m512i low = _mm512_maskz_loadu_epi64((__mmask8)lanes, scale);
	__m512i high = _mm512_maskz_loadu_epi64((__mmask8)(lanes >> 8), scale + 8);
	return (struct s16_scales){_mm512_permutex2var_epi32(low, first, high),
		_mm512_permutex2var_epi32(low, second, high)};
}

S16_INLINE __m512i s16_mbqm64_half(__m512i x, __m256i multiplier, __m256i shift)
{
	const __m512i one = _mm512_set1_epi64(1);
	__m512i total = _mm512_sub_epi64(_mm512_set1_epi64(15), _mm512_cvtepi32_epi64(shift));
	__m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(total, one));
	__m512i y = _mm512_mullo_epi64(x, _mm512_cvtepi32_epi64(multiplier));
	return _mm512_srav_epi64(_mm512_add_epi64(y, half), total);
}

/* ek_mbqm64() */
S16_INLINE __m512i s16_mbqm64(struct s16_sums x, const struct s16_scales *s)
{
	__m512i rounded = _mm512_add_epi32(s->multiplier, _mm512_set1_epi32(1 << 15));
	__mmask16 below = _mm512_cmplt_epi32_mask(s->multiplier, _mm512_set1_epi32(0x7fff0000));
	__m512i m = _mm512_mask_srai_epi32(_mm512_set1_epi32(0x7fff), below, rounded, 16);
	return s16_narrow((struct s16_sums){
		s16_mbqm64_half(x.low, _mm512_castsi512_si256(m), _mm512_castsi512_si256(s->shift)),
		s16_mbqm64_half(x.high, _mm512_extracti64x4_epi64(m, 1),
			_mm512_extracti64x4_epi64(s->shift, 1))});
}

/* ek_mbqm() */
S16_INLINE __m512i s16_mbqm(__m512i x, const struct s16_scales *s)
{
	const __m512i half = _mm512_set1_epi64(1 << 30), zero = _mm512_setzero_si512();
	const __m512i one = _mm512_set1_epi32(1);
	__m512i right = _mm512_max_epi32(_mm512_sub_epi32(zero, s->shift), zero);
	x = _mm512_sllv_epi32(x, _mm512_max_epi32(s->shift, zero));
	__m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, s->multiplier), half);
	__m512i odd =
		_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(s->multiplier, 32));
	odd = _mm512_slli_epi64(_mm512_add_epi64(odd, half), 1);
	__m512i high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), odd);
	__m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
	__m512i threshold =
		_mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
	__mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
	__m512i y = _mm512_srav_epi32(high, right);
	return _mm512_mask_add_epi32(y, up, y, one);
}

S16_INLINE __m256i s16_round_half(__m512d x)
{
	const __m512d one = _mm512_set1_pd(1);
	__m512d y = _mm512_roundscale_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	__m512d rest = _mm512_sub_pd(x, y);
	__mmask8 up = _mm512_cmp_pd_mask(rest, _mm512_set1_pd(0.5), _CMP_GE_OQ);
	__mmask8 down = _mm512_cmp_pd_mask(rest, _mm512_set1_pd(-0.5), _CMP_LE_OQ);
	y = _mm512_mask_add_pd(y, up, y, one);
	y = _mm512_mask_sub_pd(y, down, y, one);
	y = _mm512_min_pd(y, _mm512_set1_pd(2147483647.0));
	y = _mm512_max_pd(y, _mm512_set1_pd(-2147483648.0));
	return _mm512_cvttpd_epi32(y);
}

/* ek_round32() of sums times scales in double. */
S16_INLINE __m512i s16_rescale(struct s16_sums s, const double *scale, __mmask16 lanes)
{
	__m512d low = _mm512_maskz_loadu_pd((__mmask8)lanes, scale);
	__m512d high = _mm512_maskz_loadu_pd((__mmask8)(lanes >> 8), scale + 8);
	__m256i y0 = s16_round_half(_mm512_mul_pd(_mm512_cvtepi64_pd(s.low), low));
	__m256i y1 = s16_round_half(_mm512_mul_pd(_mm512_cvtepi64_pd(s.high), high));
	return _mm512_inserti64x4(_mm512_castsi256_si512(y0), y1, 1);
}

S16_INLINE void s16_store(
	int16_t *to, __mmask16 lanes, __m512i y, int32_t zero, int32_t lo, int32_t hi)
{
	y = _mm512_add_epi32(y, _mm512_set1_epi32(zero));
	y = _mm512_min_epi32(_mm512_max_epi32(y, _mm512_set1_epi32(lo)), _mm512_set1_epi32(hi));
	_mm512_mask_cvtepi32_storeu_epi16(to, lanes, y);
}

#endif
