/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that are tried: as it is, a little more, a little less. The nudge moves sums that are
 * halves to the side where the integers round them; where there are halves on both sides of zero,
 * only LINE_AWAY can do it.
 */
#include "kernels/x86/pairs.h"

#define NUDGE 0x1p-13f

typedef bool add_holds_fn(const struct ek_add_params *params, const struct ek_line *line,
	const struct line_codes *codes);
typedef bool mul_holds_fn(
	const struct ek_mul_params *params, const struct ek_line *line, int32_t first);

static double real_of(struct ek_scale s)
{
	return ldexp(s.multiplier, s.shift - 31);
}

static void codes_of(const struct ek_add_params *p, int32_t first, struct line_codes *ret)
{
	ret->first = first;
	for (int32_t i = 0; i < 256; i++) {
		int32_t a = ek_shl32(first + i - p->a_zero, p->left_shift);
		int32_t b = ek_shl32(first + i - p->b_zero, p->left_shift);
		ret->a[i] = ek_mbqm(a, p->a_scale);
		ret->b[i] = p->sign * ek_mbqm(b, p->b_scale);
	}
}

static void prove_sum(struct ek_add_params *p, int32_t first, add_holds_fn *holds)
{
	static const struct {
		enum ek_line_form form;
		float nudge;
	} tries[] = {{LINE_NEAREST, 0}, {LINE_NEAREST, NUDGE}, {LINE_NEAREST, -NUDGE},
		{LINE_AWAY, 0}, {LINE_AWAY, NUDGE}};
	double unit = ldexp(real_of(p->scale), p->left_shift);
	double a = real_of(p->a_scale) * unit, b = p->sign * real_of(p->b_scale) * unit;
	double start = -a * p->a_zero - b * p->b_zero;
	struct line_codes codes;
	codes_of(p, first, &codes);
	p->line = (struct ek_line){.form = LINE_NONE};
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]) && !p->line.form; i++) {
		bool nearest = tries[i].form == LINE_NEAREST;
		double nudge = (double)tries[i].nudge;
		const struct ek_line line = {tries[i].form, (float)a, (float)b,
			(float)(nearest ? start + p->zero + nudge : start), (float)(0.5 + nudge)};
		if (holds(p, &line, &codes)) {
			p->line = line;
		}
	}
}

static void prove_product(struct ek_mul_params *p, int32_t first, mul_holds_fn *holds)
{
	static const float nudges[] = {0, NUDGE};
	p->line = (struct ek_line){.form = LINE_NONE};
	for (size_t i = 0; i < sizeof(nudges) / sizeof(nudges[0]) && !p->line.form; i++) {
		const struct ek_line line = {
			LINE_AWAY, (float)real_of(p->scale), 0, 0, 0.5f + nudges[i]};
		if (holds(p, &line, first)) {
			p->line = line;
		}
	}
}

void ek_add_s8_prove__avx512vnni(struct ek_add_params *params)
{
	prove_sum(params, INT8_MIN, ek_add_line_holds__avx512vnni);
}

void ek_add_u8_prove__avx512vnni(struct ek_add_params *params)
{
	prove_sum(params, 0, ek_add_line_holds__avx512vnni);
}

void ek_add_s8_prove__avx2(struct ek_add_params *params)
{
	prove_sum(params, INT8_MIN, ek_add_line_holds__avx2);
}

void ek_add_u8_prove__avx2(struct ek_add_params *params)
{
	prove_sum(params, 0, ek_add_line_holds__avx2);
}

void ek_mul_s8_prove__avx512vnni(struct ek_mul_params *params)
{
	prove_product(params, INT8_MIN, ek_mul_line_holds__avx512vnni);
}

void ek_mul_u8_prove__avx512vnni(struct ek_mul_params *params)
{
	prove_product(params, 0, ek_mul_line_holds__avx512vnni);
}

void ek_mul_s8_prove__avx2(struct ek_mul_params *params)
{
	prove_product(params, INT8_MIN, ek_mul_line_holds__avx2);
}

void ek_mul_u8_prove__avx2(struct ek_mul_params *params)
{
	prove_product(params, 0, ek_mul_line_holds__avx2);
}
