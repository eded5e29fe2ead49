/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant_make_x86 - panels of channels whose sums become codes by a line of floats, where that is proven
 *
 * The proof of float_requant_avx512.c, for the line that was included before (float_requant_avx2.h, float_requant_sse41.h): a
 * line and the two roundings of ek_mbqm() are both monotone, so that they are equal where they are on
 * both sides of every step between two codes that the channel's sums can reach. It is tried with the
 * instructions that kernels use. A channel that fails is tried a little higher or lower; what then
 * still fails, or shifts to the left, makes its panel FLOAT_REQUANT_STEPS.
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_MAKE_X86_H
#define KERNELS_REQUANT_FLOAT_REQUANT_MAKE_X86_H

#include <math.h>

#include "kernels/requant/float_requant_ymm.h"

/* Sums that a line is made for; further ones leave int32 or floats too coarse. */
#define MOST_REACH (UINT64_C(1) << 29)
#define MOST_SHIFT 30

/* The furthest from zero that a sum can be. */
static uint64_t furthest(const struct float_requant_channel *c)
{
	return c->reach + (uint64_t)(c->bias < 0 ? -(int64_t)c->bias : c->bias);
}

/* The type's own code. */
static int32_t code_of(
	const struct float_requant_channel *c, int64_t sum, const struct float_requant_output *o)
{
	int32_t x = (int32_t)sum;
	int32_t y = c->ties_up ? ek_mbqm_up(x, c->scale) : ek_mbqm(x, c->scale);
	return ek_clamp32(ek_add32(y, o->zero), o->lo, o->hi);
}

/* True where all sums have one code; ek_mbqm() is monotone without a shift to the left. */
static bool is_level(const struct float_requant_channel *c, const struct float_requant_output *o)
{
	return c->scale.shift <= 0 && furthest(c) <= INT32_MAX &&
		code_of(c, c->bias - (int64_t)c->reach, o) ==
		code_of(c, c->bias + (int64_t)c->reach, o);
}

static bool is_line(const struct float_requant_channel *c)
{
	return c->scale.shift <= 0 && c->scale.shift >= -MOST_SHIFT && furthest(c) < MOST_REACH;
}

static int64_t unit(int32_t r)
{
	return INT64_C(1) << (r + 31);
}

static int64_t rounding(int32_t r)
{
	return (r ? INT64_C(1) << (r + 30) : 0) + (1 << 30);
}

/* True where sums below zero round by less than others: ties go away from zero. */
static bool bends(const struct float_requant_channel *c, int32_t r)
{
	return r > 0 && !c->ties_up;
}

static struct float_requant_shape float_requant_of(
	const struct float_requant_channel *c, const struct float_requant_output *o)
{
	bool level = is_level(c, o);
	int32_t r = level ? 0 : -c->scale.shift, by = o->is_signed ? 128 : 0;
	return (struct float_requant_shape){
		.slope = level ? 0 : ldexp(c->scale.multiplier, -(r + 31)),
		.height = (level ? code_of(c, c->bias, o) : o->zero) + by + 0.5 +
			(r ? ldexp(1, -(r + 1)) : 0),
		.below = bends(c, r) ? ldexp(1, -r) : 0,
	};
}

/* Steps between codes: the least sum that gives a code, and what is left, of the lanes of a vector. */
struct steps {
	vec sum, rest; /* sum: its magnitude */
	vec whole, part, multiplier; /* from one code to the next: 2^(r+31) by the multiplier */
	vec reach;
};

/* The first step above (@up) or below the zero point. */
static struct steps steps_first(
	const struct float_requant_channel *channels, const struct float_requant_output *o, bool up)
{
	int32_t v[6][VEC_LANES];
	for (int i = 0; i < VEC_LANES; i++) {
		const struct float_requant_channel *c = &channels[i];
		bool none = is_level(c, o);
		int32_t r = none ? 0 : -c->scale.shift;
		int64_t m = none ? 1 : c->scale.multiplier;
		int64_t n = up ? unit(r) - rounding(r) + m - 1
			       : rounding(r) - (bends(c, r) ? INT64_C(1) << 31 : 0);
		v[0][i] = (int32_t)(n / m);
		v[1][i] = (int32_t)(up ? m - 1 - n % m : n % m);
		v[2][i] = (int32_t)(uint32_t)(unit(r) / m);
		v[3][i] = (int32_t)(unit(r) % m);
		v[4][i] = (int32_t)m;
		v[5][i] = none ? -1 : (int32_t)furthest(c);
	}
	return (struct steps){vec_load(v[0]), vec_load(v[1]), vec_load(v[2]), vec_load(v[3]),
		vec_load(v[4]), vec_load(v[5])};
}

/* Lanes whose step is within reach; others stay where they are. */
static vec steps_reached(const struct steps *s)
{
	vec inside = vec_greater(s->sum, vec_all(-1));
	return vec_and_not(inside, vec_greater(s->sum, s->reach));
}

/* What is left stays below the multiplier, so below 2^31. */
static void steps_next(struct steps *s, vec lanes, bool up)
{
	vec rest =
		up ? vec_sub(s->rest, s->part) : vec_sub(s->rest, vec_sub(s->multiplier, s->part));
	vec below = vec_greater(vec_all(0), rest); /* up: a sum more; else: not yet */
	vec over = up ? below : vec_and_not(vec_all(-1), below);
	rest = vec_add(rest, vec_and(below, s->multiplier));
	s->rest = vec_add(vec_and(lanes, rest), vec_and_not(s->rest, lanes));
	vec by = vec_add(s->whole, vec_and(over, vec_all(1)));
	s->sum = vec_add(s->sum, vec_and(lanes, by));
}

/* Lanes that are right on both sides of all steps above or below the zero point. */
static uint32_t prove(const struct float_requant_panel *p, int j,
	const struct float_requant_channel *channels, const struct float_requant_output *o, bool up)
{
	const int n = up ? o->hi - o->zero : o->zero - o->lo;
	const vec origin = float_requant_origin(p, j);
	const int32_t zero = o->zero + (o->is_signed ? 128 : 0);
	struct steps s = steps_first(channels, o, up);
	const struct line line = float_requant_load(p, j);
	const bool clamped = p->mode == FLOAT_REQUANT_CLAMPED;
	vec right = vec_all(-1), reached = steps_reached(&s);
	for (int i = 0; i < n && vec_mask(reached); i++, reached = steps_reached(&s)) {
		vec code = vec_all(up ? zero + 1 + i : zero - i);
		vec at = vec_add(origin, up ? s.sum : vec_sub(vec_all(0), s.sum));
		vec here = float_requant_codes(&line, clamped, at);
		vec before = float_requant_codes(&line, clamped, vec_sub(at, vec_all(1)));
		vec good = vec_and_not(vec_greater(code, before), vec_greater(code, here));
		right = vec_and_not(right, vec_and_not(reached, good));
		steps_next(&s, reached, up);
	}
	return vec_mask(right);
}

/* The lanes of vector @j, of channels[0..VEC_LANES). False where one can't be had as a line. */
static bool make_lines(struct float_requant_panel *p, int j,
	const struct float_requant_channel *channels, const struct float_requant_output *output)
{
	static const int nudges[] = {2, 0, 4, -2, 1, 3, 6, -4, 8};
	const uint32_t all = (1u << VEC_LANES) - 1;
	uint32_t right = 0;
	for (int i = 0; i < VEC_LANES; i++) {
		if (!is_line(&channels[i]) && !is_level(&channels[i], output)) {
			return false;
		}
	}
	for (size_t n = 0; n < sizeof(nudges) / sizeof(nudges[0]) && right != all; n++) {
		for (int i = 0; i < VEC_LANES; i++) {
			if (!(right >> i & 1)) {
				const struct float_requant_shape line =
					float_requant_of(&channels[i], output);
				float_requant_set(
					p, j * VEC_LANES + i, channels[i].start, &line, nudges[n]);
			}
		}
		right = prove(p, j, channels, output, true);
		right &= p->mode == FLOAT_REQUANT_CLAMPED ? all
							  : prove(p, j, channels, output, false);
	}
	return right == all;
}

/*
 * A panel of @vectors vectors of @channels, of which lanes without a channel are zero; the floats
 * around it round as those of kernels do.
 */
static void float_requant_panel_make(struct float_requant_panel *p, int vectors,
	const struct float_requant_channel channels[VEC_COLS],
	const struct float_requant_output *output)
{
	struct float_requant_channel lanes[VEC_COLS];
	memset(p, 0, sizeof(*p));
	for (int at = 0; at < vectors * VEC_LANES; at++) {
		lanes[at] = channels[VEC_CHANNEL(vectors, at / VEC_LANES, at % VEC_LANES)];
	}
	p->mode = output->lo >= output->zero ? FLOAT_REQUANT_CLAMPED : FLOAT_REQUANT_WHOLE;
	bool right = true;
	for (int j = 0; j < vectors && right; j++) {
		right = make_lines(p, j, lanes + j * VEC_LANES, output);
	}
	for (int at = 0; at < vectors * VEC_LANES && !right; at++) {
		p->mode = FLOAT_REQUANT_STEPS;
		float_requant_set_steps(p, at, lanes[at].start, lanes[at].scale, lanes[at].ties_up);
	}
}

#endif
