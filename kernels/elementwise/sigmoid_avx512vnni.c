/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logistic function and tanh of floats, in double.
 *
 * Entry 0 takes the C library's function in double and rounds once. What is computed here errs by a
 * few units of a double's last place, as the library's does by less than one: both round to the same
 * float unless the double stands within SLACK such units of the middle between two floats. Those
 * numbers, one in four million, are left to entry 0, and so are NaN.
 */
#include <immintrin.h>

#include "kernels/elementwise/unary.h"

#define SIGMOID_INLINE static inline __attribute__((always_inline))
#define SLACK 64

/* exp(x) - 1 as @scale * (1 + @part) - 1, @scale a power of two and |@part| < 0.42; |x| < 700. */
struct near {
	__m512d scale, part;
};

/* The series of exp(r) - 1 for |r| <= log(2) / 2, up to r^13: the next term is below 2^-60 of it. */
SIGMOID_INLINE struct near near_of(__m512d x)
{
	static const double terms[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
		1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
		1.0 / 24, 1.0 / 6, 0.5};
	const __m512d high = _mm512_set1_pd(0x1.62e42fefa39efp-1);
	const __m512d low = _mm512_set1_pd(0x1.abc9e3b39803fp-56);
	__m512d n = _mm512_roundscale_pd(_mm512_mul_pd(x, _mm512_set1_pd(0x1.71547652b82fep0)),
		_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
	__m512d r = _mm512_fnmadd_pd(n, low, _mm512_fnmadd_pd(n, high, x));
	__m512d p = _mm512_set1_pd(terms[0]);
#pragma GCC unroll 12
	for (size_t i = 1; i < sizeof(terms) / sizeof(terms[0]); i++) {
		p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(terms[i]));
	}
	return (struct near){
		_mm512_scalef_pd(_mm512_set1_pd(1), n), _mm512_fmadd_pd(_mm512_mul_pd(r, r), p, r)};
}

/* Lanes that may round to another float. */
SIGMOID_INLINE __mmask8 is_doubtful(__m512d x)
{
	const __m512i middle = _mm512_set1_epi64((1 << 28) - SLACK);
	__m512i rest = _mm512_and_si512(_mm512_castpd_si512(x), _mm512_set1_epi64((1 << 29) - 1));
	rest = _mm512_sub_epi64(rest, middle);
	return _mm512_cmplt_epu64_mask(rest, _mm512_set1_epi64(2 * SLACK));
}

SIGMOID_INLINE __m512d at_most(__m512d x, double limit)
{
	const __m512d most = _mm512_set1_pd(limit);
	return _mm512_max_pd(_mm512_min_pd(x, most), _mm512_sub_pd(_mm512_setzero_pd(), most));
}

/* (float)exp(-x); below 2^-30 any such number will do, since 1 is added. */
SIGMOID_INLINE __m256 exp_minus(__m512d x, __mmask8 *ret_doubtful)
{
	struct near e = near_of(at_most(_mm512_sub_pd(_mm512_setzero_pd(), x), 690));
	__m512d y = _mm512_fmadd_pd(e.scale, e.part, e.scale);
	__mmask8 counts = _mm512_cmp_pd_mask(y, _mm512_set1_pd(0x1p-30), _CMP_GE_OQ);
	*ret_doubtful = is_doubtful(y) & counts;
	return _mm512_cvtpd_ps(y);
}

/* (float)tanh(x), E / (E + 2) with E = exp(2 x) - 1. */
SIGMOID_INLINE __m256 tanh_of(__m512d x, __mmask8 *ret_doubtful)
{
	struct near e = near_of(at_most(_mm512_add_pd(x, x), 100));
	__m512d rest = _mm512_sub_pd(e.scale, _mm512_set1_pd(1));
	__m512d minus_1 = _mm512_fmadd_pd(e.scale, e.part, rest);
	__m512d y = _mm512_div_pd(minus_1, _mm512_add_pd(minus_1, _mm512_set1_pd(2)));
	*ret_doubtful = is_doubtful(y);
	return _mm512_cvtpd_ps(y);
}

SIGMOID_INLINE __m512 join(__m256 low, __m256 high)
{
	return _mm512_castpd_ps(_mm512_insertf64x4(
		_mm512_castps_pd(_mm512_castps256_ps512(low)), _mm256_castps_pd(high), 1));
}

SIGMOID_INLINE __m512 logistic(__m512 x, __mmask16 *ret_doubtful)
{
	const __m512 one = _mm512_set1_ps(1);
	__mmask8 low, high;
	__m256 a = exp_minus(_mm512_cvtps_pd(_mm512_castps512_ps256(x)), &low);
	__m256 b = exp_minus(_mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)), &high);
	*ret_doubtful = (__mmask16)(low | high << 8);
	return _mm512_div_ps(one, _mm512_add_ps(one, join(a, b)));
}

/* Up to 2^-13 the difference from x is less than half a float's last place. */
SIGMOID_INLINE __m512 hyperbolic(__m512 x, __mmask16 *ret_doubtful)
{
	__mmask8 low, high;
	__mmask16 tiny = _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(0x1p-13f), _CMP_LE_OQ);
	__m256 a = tanh_of(_mm512_cvtps_pd(_mm512_castps512_ps256(x)), &low);
	__m256 b = tanh_of(_mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)), &high);
	*ret_doubtful = (__mmask16)((low | high << 8) & ~tiny);
	return _mm512_mask_mov_ps(join(a, b), tiny, x);
}

typedef __m512 sigmoid_fn(__m512 x, __mmask16 *ret_doubtful);

SIGMOID_INLINE void run(
	float *dst, const float *src, size_t n, sigmoid_fn *fn, ek_unary_fn *entry_0)
{
	for (size_t i = 0; i < n; i += 16) {
		size_t left = n - i;
		__mmask16 here = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1), doubtful;
		__m512 x = _mm512_maskz_loadu_ps(here, src + i);
		__m512 y = fn(x, &doubtful);
		doubtful |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
		doubtful &= here;
		float before[16];
		_mm512_storeu_ps(before, x); /* dst may be src */
		_mm512_mask_storeu_ps(dst + i, here, y);
		for (; doubtful; doubtful &= (__mmask16)(doubtful - 1)) {
			int lane = __builtin_ctz(doubtful);
			entry_0(dst + i + lane, before + lane, 1, NULL);
		}
	}
}

void ek_logistic_f32__avx512vnni(void *dst, const void *src, size_t n, const void *params)
{
	(void)params;
	run(dst, src, n, logistic, ek_logistic_f32);
}

void ek_tanh_f32__avx512vnni(void *dst, const void *src, size_t n, const void *params)
{
	(void)params;
	run(dst, src, n, hyperbolic, ek_tanh_f32);
}
