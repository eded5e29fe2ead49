/* SPDX-License-Identifier: Apache-2.0 */
/*
 * add_x86 - sums and products of codes; of 8-bit ones by a line in float where prove() has found one, which takes two
 * multiply-adds and a conversion for WIDE_LANES codes, else by the integers
 *
 * A body for the instruction sets that have elementwise_rows_x86.h: it wants ROW() and the headers that add_avx2.c includes.
 */
#ifndef KERNELS_ELEMENTWISE_ADD_X86_H
#define KERNELS_ELEMENTWISE_ADD_X86_H

struct sum_line {
	wide_floats a, b, start, half;
	wide zero;
};

WIDE_INLINE wide_floats sum_value(const struct sum_line *s, wide a, wide b)
{
	wide_floats v = wide_floats_fma(wide_to_floats(a), s->a, s->start);
	return wide_floats_fma(wide_to_floats(b), s->b, v);
}

WIDE_INLINE wide sum_nearest(const void *state, wide a, wide b)
{
	return wide_nearest(sum_value(state, a, b));
}

WIDE_INLINE wide sum_away(const void *state, wide a, wide b)
{
	const struct sum_line *s = state;
	return wide_add(wide_cut(wide_floats_away(sum_value(s, a, b), s->half)), s->zero);
}

static struct sum_line sum_line_of(const struct ek_float_requant *l, int32_t zero)
{
	return (struct sum_line){wide_floats_all(l->a), wide_floats_all(l->b),
		wide_floats_all(l->start), wide_floats_all(l->half), wide_all(zero)};
}

/* add_one() of kernels/elementwise/arith_q.c. */
WIDE_INLINE wide sum_exact(const void *state, wide a, wide b)
{
	const struct ek_arith_q *p = state;
	a = wide_sub(a, wide_all(p->a_zero));
	b = wide_sub(b, wide_all(p->b_zero));
	a = rescale(wide_shift_left(a, p->left_shift), p->a_scale);
	b = rescale(wide_shift_left(b, p->left_shift), p->b_scale);
	wide sum = p->sign > 0 ? wide_add(a, b) : wide_sub(a, b);
	return wide_add(rescale(sum, p->scale), wide_all(p->zero));
}

WIDE_INLINE void add_row(
	const struct elementwise_row *r, const struct ek_arith_q *p, const bool is_signed)
{
	const struct sum_line line = sum_line_of(&p->line, p->zero);
	switch (p->line.form) {
	case FLOAT_REQUANT_NEAREST:
		elementwise_run(r, is_signed, sum_nearest, &line);
		break;
	case FLOAT_REQUANT_AWAY:
		elementwise_run(r, is_signed, sum_away, &line);
		break;
	default:
		elementwise_run(r, is_signed, sum_exact, p);
	}
}

/* add_one_pot() of kernels/elementwise/arith_q.c. */
WIDE_INLINE wide sum_pot(const void *state, wide a, wide b)
{
	const struct ek_arith_q *p = state;
	a = rescale_divide(a, -p->a_scale.shift);
	b = rescale_divide(b, -p->b_scale.shift);
	/* Saturation to 16 bits happens in the clamp. */
	return p->sign > 0 ? wide_add(a, b) : wide_sub(a, b);
}

/* The rescaled operands of all codes from @first on, one sum of them rescaled at a time. */
bool ROW(ek_add_float_requant_holds)(const struct ek_arith_q *p, const struct ek_float_requant *l,
	struct float_requant_codes *codes)
{
	const struct sum_line line = sum_line_of(l, p->zero);
	const wide steps = wide_steps();
	const int32_t first = codes->doubtful;
	wide differs = wide_all(0);
	for (int32_t n = 0; n < 256 && wide_is_zero(differs); n++) {
		const int32_t i = (first + n) % 256;
		codes->doubtful = i;
		wide a = wide_all(codes->first + i), x = wide_all(codes->a[i]);
		for (int32_t k = 0; k < 256; k += WIDE_LANES) {
			wide b = wide_add(steps, wide_all(codes->first + k));
			wide y = wide_add(x, wide_load(codes->b + k));
			y = wide_add(rescale(y, p->scale), wide_all(p->zero));
			wide z = l->form == FLOAT_REQUANT_NEAREST ? sum_nearest(&line, a, b)
								  : sum_away(&line, a, b);
			differs = wide_differs(
				differs, wide_clamp(y, p->lo, p->hi), wide_clamp(z, p->lo, p->hi));
		}
	}
	return wide_is_zero(differs);
}

struct product_line {
	wide_floats slope, half;
	wide a_zero, b_zero, zero;
};

/* The product of two differences of codes has 16 bits and a sign: exact in float. */
WIDE_INLINE wide product_away(const void *state, wide a, wide b)
{
	const struct product_line *s = state;
	wide_floats x = wide_to_floats(wide_sub(a, s->a_zero));
	wide_floats y = wide_to_floats(wide_sub(b, s->b_zero));
	wide_floats v = wide_floats_mul(wide_floats_mul(x, y), s->slope);
	return wide_add(wide_cut(wide_floats_away(v, s->half)), s->zero);
}

static struct product_line product_line_of(
	const struct ek_arith_q *p, const struct ek_float_requant *l)
{
	return (struct product_line){wide_floats_all(l->a), wide_floats_all(l->half),
		wide_all(p->a_zero), wide_all(p->b_zero), wide_all(p->zero)};
}

/* mul_one() of kernels/elementwise/arith_q.c. */
WIDE_INLINE wide product_exact(const void *state, wide a, wide b)
{
	const struct ek_arith_q *p = state;
	a = wide_sub(a, wide_all(p->a_zero));
	b = wide_sub(b, wide_all(p->b_zero));
	return wide_add(rescale(wide_mul(a, b), p->scale), wide_all(p->zero));
}

WIDE_INLINE void mul_row(
	const struct elementwise_row *r, const struct ek_arith_q *p, const bool is_signed)
{
	const struct product_line line = product_line_of(p, &p->line);
	if (p->line.form == FLOAT_REQUANT_AWAY) {
		elementwise_run(r, is_signed, product_away, &line);
	} else {
		elementwise_run(r, is_signed, product_exact, p);
	}
}

bool ROW(ek_mul_float_requant_holds)(
	const struct ek_arith_q *p, const struct ek_float_requant *l, int32_t first)
{
	const struct product_line line = product_line_of(p, l);
	const wide steps = wide_steps();
	wide differs = wide_all(0);
	for (int32_t i = 0; i < 256 && wide_is_zero(differs); i++) {
		wide a = wide_all(first + i);
		for (int32_t k = 0; k < 256; k += WIDE_LANES) {
			wide b = wide_add(steps, wide_all(first + k));
			wide y = product_exact(p, a, b), z = product_away(&line, a, b);
			differs = wide_differs(
				differs, wide_clamp(y, p->lo, p->hi), wide_clamp(z, p->lo, p->hi));
		}
	}
	return wide_is_zero(differs);
}

/* A row of the lists of kernels/elementwise/arith_q.h: @call does it, for the row @r of codes. */
#define ARITH_ROW(name, call)                                                                      \
	void ROW(name)(void *dst, const void *a, const void *b, size_t n, size_t a_step,           \
		size_t b_step, const struct ek_arith_q *params)                                    \
	{                                                                                          \
		const struct elementwise_row r = {                                                 \
			{a, a_step}, {b, b_step}, dst, n, params->lo, params->hi};                 \
		call;                                                                              \
	}

ARITH_ROW(ek_add_s8, add_row(&r, params, true))
ARITH_ROW(ek_add_u8, add_row(&r, params, false))
ARITH_ROW(ek_add_s16, elementwise_run_s16(&r, sum_exact, params))
ARITH_ROW(ek_add_s16_pot, elementwise_run_s16(&r, sum_pot, params))
ARITH_ROW(ek_mul_s8, mul_row(&r, params, true))
ARITH_ROW(ek_mul_u8, mul_row(&r, params, false))
ARITH_ROW(ek_mul_s16, elementwise_run_s16(&r, product_exact, params))

#endif
