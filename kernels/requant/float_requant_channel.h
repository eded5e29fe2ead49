/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant_channel - a channel whose sums become codes by a line of floats: what the proof of it
 * needs in scalars, on any x86
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_CHANNEL_H
#define KERNELS_REQUANT_FLOAT_REQUANT_CHANNEL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/math/quant.h"

/* Sums that a line is made for; further ones leave int32 or floats too coarse. */
#define FLOAT_REQUANT_REACH (UINT64_C(1) << 29)
#define FLOAT_REQUANT_SHIFT 30

enum float_requant_mode {
	FLOAT_REQUANT_CLAMPED, /* nothing below the zero point survives */
	FLOAT_REQUANT_WHOLE,
	FLOAT_REQUANT_STEPS, /* ek_mbqm(), ek_mbqm_up() */
};

/* A channel as it comes from a file. */
struct float_requant_channel {
	struct ek_scale scale;
	bool ties_up; /* ek_mbqm_up() for ek_mbqm() */
	int32_t start; /* of the sum, with bias */
	int32_t bias; /* what the sum is without products */
	uint64_t reach; /* of the products: no sum is further from the bias */
};

/* Zero point and limits: the type's own codes in float_requant_make_x86.h, unsigned ones for AVX512. */
struct float_requant_output {
	int32_t zero, lo, hi;
	bool is_signed;
};

/* The furthest from zero that a sum can be. */
static inline uint64_t float_requant_furthest(const struct float_requant_channel *c)
{
	return c->reach + (uint64_t)(c->bias < 0 ? -(int64_t)c->bias : c->bias);
}

static inline int32_t float_requant_code(
	const struct float_requant_channel *c, int64_t sum, const struct float_requant_output *o)
{
	int32_t x = (int32_t)sum;
	int32_t y = c->ties_up ? ek_mbqm_up(x, c->scale) : ek_mbqm(x, c->scale);
	return ek_clamp32(ek_add32(y, o->zero), o->lo, o->hi);
}

/* True where all sums have one code; ek_mbqm() is monotone without a shift to the left. */
static inline bool float_requant_is_level(
	const struct float_requant_channel *c, const struct float_requant_output *o)
{
	return c->scale.shift <= 0 && float_requant_furthest(c) <= INT32_MAX &&
		float_requant_code(c, c->bias - (int64_t)c->reach, o) ==
		float_requant_code(c, c->bias + (int64_t)c->reach, o);
}

static inline bool float_requant_is_line(
	const struct float_requant_channel *c, const struct float_requant_output *o)
{
	return (c->scale.shift <= 0 && c->scale.shift >= -FLOAT_REQUANT_SHIFT &&
		       float_requant_furthest(c) < FLOAT_REQUANT_REACH) ||
		float_requant_is_level(c, o);
}

/* y = slope (sum + ...) + height; a level line where all sums have one code. */
struct float_requant_shape {
	double slope, height;
	double below; /* less for sums below zero: where ties go away from zero they round by less */
};

static inline struct float_requant_shape float_requant_shape(
	const struct float_requant_channel *c, const struct float_requant_output *o)
{
	bool level = float_requant_is_level(c, o);
	int32_t r = level ? 0 : -c->scale.shift;
	return (struct float_requant_shape){
		.slope = level ? 0 : ldexp(c->scale.multiplier, -(r + 31)),
		.height = (level ? float_requant_code(c, c->bias, o) : o->zero) + 0.5 +
			(r ? ldexp(1, -(r + 1)) : 0),
		.below = r > 0 && !c->ties_up ? ldexp(1, -r) : 0,
	};
}

/*
 * The first step between codes above (@up) or below the zero point: the magnitude of the least sum that
 * gives the code, what is left of the division, whole and part from one code to the next (2^(r+31) by the
 * multiplier), the multiplier, and the furthest sum, -1 where there are no steps.
 */
static inline void float_requant_first_step(const struct float_requant_channel *c,
	const struct float_requant_output *o, bool up, int32_t ret[6])
{
	bool none = float_requant_is_level(c, o);
	int32_t r = none ? 0 : -c->scale.shift;
	int64_t m = none ? 1 : c->scale.multiplier, unit = INT64_C(1) << (r + 31);
	int64_t rounding = (r ? INT64_C(1) << (r + 30) : 0) + (1 << 30);
	int64_t bend = r > 0 && !c->ties_up ? INT64_C(1) << 31 : 0;
	int64_t n = up ? unit - rounding + m - 1 : rounding - bend;
	ret[0] = (int32_t)(n / m);
	ret[1] = (int32_t)(up ? m - 1 - n % m : n % m);
	ret[2] = (int32_t)(uint32_t)(unit / m);
	ret[3] = (int32_t)(unit % m);
	ret[4] = (int32_t)m;
	ret[5] = none ? -1 : (int32_t)float_requant_furthest(c);
}

#endif
