/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that are tried: as it is, a little more, a little less. The nudge moves sums that are
 * halves to the side where the integers round them; where there are halves on both sides of zero,
 * only FLOAT_REQUANT_AWAY can do it. The first of the integers' two roundings takes what is up to half a
 * 2^-17 short of a half for one: sums near the largest need slopes a last bit off as well.
 */
#include "kernels/elementwise/arith_q_x86.h"

static const double nudges[] = {0, 0x1p-18, 0x1p-17, 0x1p-16, 0x1p-13, -0x1p-13};
#define N_NUDGES (sizeof(nudges) / sizeof(nudges[0]))

#define SLOPE_STEP 0x1p-23 /* about the last bit of a float */

static double real_of(struct ek_scale s)
{
	return ldexp(s.multiplier, s.shift - 31);
}

static void codes_of(const struct ek_arith_q *p, int32_t first, struct float_requant_codes *ret)
{
	ret->first = first;
	ret->doubtful = 0;
	for (int32_t i = 0; i < 256; i++) {
		int32_t a = ek_shl32(first + i - p->a_zero, p->left_shift);
		int32_t b = ek_shl32(first + i - p->b_zero, p->left_shift);
		ret->a[i] = ek_mbqm(a, p->a_scale);
		ret->b[i] = p->sign * ek_mbqm(b, p->b_scale);
	}
}

/* What a line of @form with slopes @a and @b is; @start as FLOAT_REQUANT_AWAY has it. */
static struct ek_float_requant float_requant_of(enum ek_float_requant_form form, double a, double b,
	double start, int32_t zero, double nudge)
{
	return (struct ek_float_requant){form, (float)a, (float)b,
		(float)(form == FLOAT_REQUANT_NEAREST ? start + zero + nudge : start),
		(float)(0.5 + nudge)};
}

/* Tries all nudges with these slopes, FLOAT_REQUANT_NEAREST first, which is the faster one. */
static bool try_slopes(struct ek_arith_q *p, double a, double b, struct float_requant_codes *codes,
	ek_add_holds_fn *holds)
{
	double start = -a * p->a_zero - b * p->b_zero;
	for (size_t i = 0; i < 2 * N_NUDGES; i++) {
		enum ek_float_requant_form form =
			i < N_NUDGES ? FLOAT_REQUANT_NEAREST : FLOAT_REQUANT_AWAY;
		p->line = float_requant_of(form, a, b, start, p->zero, nudges[i % N_NUDGES]);
		if (holds(p, &p->line, codes)) {
			return true;
		}
	}
	return false;
}

static void prove_sum(struct ek_arith_q *p, int32_t first, ek_add_holds_fn *holds)
{
	static const double off[][2] = {
		{0, 0}, {-1, 1}, {1, -1}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, 1}};
	double unit = ldexp(real_of(p->scale), p->left_shift);
	double a = real_of(p->a_scale) * unit, b = p->sign * real_of(p->b_scale) * unit;
	struct float_requant_codes codes;
	codes_of(p, first, &codes);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		if (try_slopes(p, a * (1 + off[i][0] * SLOPE_STEP),
			    b * (1 + off[i][1] * SLOPE_STEP), &codes, holds)) {
			return;
		}
	}
	p->line = (struct ek_float_requant){.form = FLOAT_REQUANT_NONE};
}

static void prove_product(struct ek_arith_q *p, int32_t first, ek_mul_holds_fn *holds)
{
	for (size_t i = 0; i < N_NUDGES; i++) {
		p->line =
			float_requant_of(FLOAT_REQUANT_AWAY, real_of(p->scale), 0, 0, 0, nudges[i]);
		if (holds(p, &p->line, first)) {
			return;
		}
	}
	p->line = (struct ek_float_requant){.form = FLOAT_REQUANT_NONE};
}

#define PROVE(isa)                                                                                 \
	void ek_add_s8_prove__##isa(struct ek_arith_q *params)                                     \
	{                                                                                          \
		prove_sum(params, INT8_MIN, ek_add_float_requant_holds__##isa);                    \
	}                                                                                          \
	void ek_add_u8_prove__##isa(struct ek_arith_q *params)                                     \
	{                                                                                          \
		prove_sum(params, 0, ek_add_float_requant_holds__##isa);                           \
	}                                                                                          \
	void ek_mul_s8_prove__##isa(struct ek_arith_q *params)                                     \
	{                                                                                          \
		prove_product(params, INT8_MIN, ek_mul_float_requant_holds__##isa);                \
	}                                                                                          \
	void ek_mul_u8_prove__##isa(struct ek_arith_q *params)                                     \
	{                                                                                          \
		prove_product(params, 0, ek_mul_float_requant_holds__##isa);                       \
	}

PROVE(avx2)
PROVE(avx512vnni)
