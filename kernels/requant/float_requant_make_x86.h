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

#include "kernels/requant/float_requant_channel.h"

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
		int32_t first[6];
		float_requant_first_step(&channels[i], o, up, first);
		for (int k = 0; k < 6; k++) {
			v[k][i] = first[k];
		}
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
		if (!float_requant_is_line(&channels[i], output)) {
			return false;
		}
	}
	for (size_t n = 0; n < sizeof(nudges) / sizeof(nudges[0]) && right != all; n++) {
		for (int i = 0; i < VEC_LANES; i++) {
			if (!(right >> i & 1)) {
				struct float_requant_shape line =
					float_requant_shape(&channels[i], output);
				line.height += output->is_signed ? 128 : 0;
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
