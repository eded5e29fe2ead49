/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums and products of codes; of 8-bit ones by a line in float where prove() has found one, which takes two
 * multiply-adds and a conversion for 16 codes, else by the integers.
 */
#include "kernels/x86/pair_avx512.h"
#include "kernels/x86/pairs.h"
#include "kernels/x86/rescale_avx512.h"

struct sum_line {
	__m512 a, b, start, half;
	__m512i zero;
};

PAIR_INLINE __m512 sum_value(const struct sum_line *s, __m512i a, __m512i b)
{
	__m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(a), s->a, s->start);
	return _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), s->b, v);
}

PAIR_INLINE __m512i sum_nearest(const void *state, __m512i a, __m512i b)
{
	return _mm512_cvtps_epi32(sum_value(state, a, b));
}

PAIR_INLINE __m512i sum_away(const void *state, __m512i a, __m512i b)
{
	const struct sum_line *s = state;
	return pair_round(sum_value(s, a, b), LINE_AWAY, s->half, s->zero);
}

static struct sum_line sum_line_of(const struct ek_line *l, int32_t zero)
{
	return (struct sum_line){_mm512_set1_ps(l->a), _mm512_set1_ps(l->b),
		_mm512_set1_ps(l->start), _mm512_set1_ps(l->half), _mm512_set1_epi32(zero)};
}

/* add_one() of kernels/add.c. */
PAIR_INLINE __m512i sum_exact(const void *state, __m512i a, __m512i b)
{
	const struct ek_add_params *p = state;
	const __m128i left = _mm_cvtsi32_si128(p->left_shift);
	a = _mm512_sub_epi32(a, _mm512_set1_epi32(p->a_zero));
	b = _mm512_sub_epi32(b, _mm512_set1_epi32(p->b_zero));
	a = rescale(_mm512_sll_epi32(a, left), p->a_scale);
	b = rescale(_mm512_sll_epi32(b, left), p->b_scale);
	__m512i sum = p->sign > 0 ? _mm512_add_epi32(a, b) : _mm512_sub_epi32(a, b);
	return _mm512_add_epi32(rescale(sum, p->scale), _mm512_set1_epi32(p->zero));
}

PAIR_INLINE void add_row(
	const struct pair_row *r, const struct ek_add_params *p, const bool is_signed)
{
	const struct sum_line line = sum_line_of(&p->line, p->zero);
	switch (p->line.form) {
	case LINE_NEAREST:
		pair_run(r, is_signed, sum_nearest, &line);
		break;
	case LINE_AWAY:
		pair_run(r, is_signed, sum_away, &line);
		break;
	default:
		pair_run(r, is_signed, sum_exact, p);
	}
}

void ek_add_s8__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_add_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	add_row(&r, params, true);
}

void ek_add_u8__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_add_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	add_row(&r, params, false);
}

/* add_one_pot() of kernels/add.c. */
PAIR_INLINE __m512i sum_pot(const void *state, __m512i a, __m512i b)
{
	const struct ek_add_params *p = state;
	a = rescale_divide(a, -p->a_scale.shift);
	b = rescale_divide(b, -p->b_scale.shift);
	/* Saturation to 16 bits happens in the clamp. */
	return p->sign > 0 ? _mm512_add_epi32(a, b) : _mm512_sub_epi32(a, b);
}

void ek_add_s16__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_add_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	pair_run_s16(&r, sum_exact, params);
}

void ek_add_s16_pot__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_add_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	pair_run_s16(&r, sum_pot, params);
}

PAIR_INLINE __m512i clamped(__m512i y, int32_t lo, int32_t hi)
{
	y = _mm512_max_epi32(y, _mm512_set1_epi32(lo));
	return _mm512_min_epi32(y, _mm512_set1_epi32(hi));
}

/* The rescaled operands of all codes from @first on, one sum of them rescaled at a time. */
bool ek_add_line_holds__avx512vnni(
	const struct ek_add_params *p, const struct ek_line *l, struct line_codes *codes)
{
	const struct sum_line line = sum_line_of(l, p->zero);
	const __m512i steps =
		_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	const int32_t first = codes->doubtful;
	__mmask16 differs = 0;
	for (int32_t n = 0; n < 256 && !differs; n++) {
		const int32_t i = (first + n) % 256;
		codes->doubtful = i;
		__m512i a = _mm512_set1_epi32(codes->first + i), x = _mm512_set1_epi32(codes->a[i]);
		for (int32_t k = 0; k < 256; k += 16) {
			__m512i b = _mm512_add_epi32(steps, _mm512_set1_epi32(codes->first + k));
			__m512i y = _mm512_add_epi32(x, _mm512_loadu_si512(codes->b + k));
			y = _mm512_add_epi32(rescale(y, p->scale), _mm512_set1_epi32(p->zero));
			__m512i z = l->form == LINE_NEAREST ? sum_nearest(&line, a, b)
							    : sum_away(&line, a, b);
			differs |= _mm512_cmpneq_epi32_mask(
				clamped(y, p->lo, p->hi), clamped(z, p->lo, p->hi));
		}
	}
	return !differs;
}

struct product_line {
	__m512 slope, half;
	__m512i a_zero, b_zero, zero;
};

/* The product of two differences of codes has 16 bits and a sign: exact in float. */
PAIR_INLINE __m512i product_away(const void *state, __m512i a, __m512i b)
{
	const struct product_line *s = state;
	__m512 x = _mm512_cvtepi32_ps(_mm512_sub_epi32(a, s->a_zero));
	__m512 y = _mm512_cvtepi32_ps(_mm512_sub_epi32(b, s->b_zero));
	__m512 v = _mm512_mul_ps(_mm512_mul_ps(x, y), s->slope);
	return pair_round(v, LINE_AWAY, s->half, s->zero);
}

static struct product_line product_line_of(const struct ek_mul_params *p, const struct ek_line *l)
{
	return (struct product_line){_mm512_set1_ps(l->a), _mm512_set1_ps(l->half),
		_mm512_set1_epi32(p->a_zero), _mm512_set1_epi32(p->b_zero),
		_mm512_set1_epi32(p->zero)};
}

/* mul_one() of kernels/mul.c. */
PAIR_INLINE __m512i product_exact(const void *state, __m512i a, __m512i b)
{
	const struct ek_mul_params *p = state;
	a = _mm512_sub_epi32(a, _mm512_set1_epi32(p->a_zero));
	b = _mm512_sub_epi32(b, _mm512_set1_epi32(p->b_zero));
	return _mm512_add_epi32(
		rescale(_mm512_mullo_epi32(a, b), p->scale), _mm512_set1_epi32(p->zero));
}

PAIR_INLINE void mul_row(
	const struct pair_row *r, const struct ek_mul_params *p, const bool is_signed)
{
	const struct product_line line = product_line_of(p, &p->line);
	if (p->line.form == LINE_AWAY) {
		pair_run(r, is_signed, product_away, &line);
	} else {
		pair_run(r, is_signed, product_exact, p);
	}
}

void ek_mul_s8__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_mul_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	mul_row(&r, params, true);
}

void ek_mul_u8__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_mul_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	mul_row(&r, params, false);
}

void ek_mul_s16__avx512vnni(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_mul_params *params)
{
	const struct pair_row r = {{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};
	pair_run_s16(&r, product_exact, params);
}

bool ek_mul_line_holds__avx512vnni(
	const struct ek_mul_params *p, const struct ek_line *l, int32_t first)
{
	const struct product_line line = product_line_of(p, l);
	const __m512i steps =
		_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__mmask16 differs = 0;
	for (int32_t i = 0; i < 256 && !differs; i++) {
		__m512i a = _mm512_set1_epi32(first + i);
		for (int32_t k = 0; k < 256; k += 16) {
			__m512i b = _mm512_add_epi32(steps, _mm512_set1_epi32(first + k));
			__m512i y = product_exact(p, a, b), z = product_away(&line, a, b);
			differs |= _mm512_cmpneq_epi32_mask(
				clamped(y, p->lo, p->hi), clamped(z, p->lo, p->hi));
		}
	}
	return !differs;
}
