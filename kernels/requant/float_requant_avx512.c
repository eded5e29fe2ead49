/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requant/float_requant_avx512.h"

#include <math.h>

/* Steps between codes, 16 channels at once: the least sum that gives a code, and what is left. */
struct steps {
	__m512i sum, rest; /* sum: its magnitude */
	__m512i whole, part, multiplier; /* from one code to the next: 2^(r+31) by the multiplier */
	__m512i reach;
};

/* Sums that a line is made for; further ones leave int32 or floats too coarse. */
#define MOST_REACH (UINT64_C(1) << 29)
#define MOST_SHIFT 30
#define MOST_C (1 << 28)

/* The furthest from zero that a sum can be. */
static uint64_t furthest(const struct float_requant_channel *c)
{
	return c->reach + (uint64_t)(c->bias < 0 ? -(int64_t)c->bias : c->bias);
}

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

/* The line of one channel, @nudge of 2^-35 higher. */
static void set_line(struct float_requant_panel *p, int lane, const struct float_requant_channel *c,
	const struct float_requant_output *o, int nudge)
{
	bool level = is_level(c, o);
	int32_t r = level ? 0 : -c->scale.shift;
	double k = level ? 0 : ldexp(c->scale.multiplier, -(r + 31));
	double beta = (level ? code_of(c, c->bias, o) : o->zero) + 0.5;
	beta += r ? ldexp(1, -(r + 1)) : 0;
	/* A float holds it: what the proof is made of, and the sign's step, is where sums begin. */
	double at = k > 0 ? (double)(float)fmin(rint(beta / k), MOST_C) : 0;
	p->start[lane] = ek_add32(c->start, (int32_t)at);
	p->high[lane] = (float)k;
	p->low[lane] = (float)(k - (double)p->high[lane]);
	p->rho[lane] = (float)(beta - k * at + ldexp(nudge, -35));
	p->origin[lane] = (float)at;
	p->step[lane] = bends(c, r) ? ldexpf(1, -r) : 0;
}

/* Codes of the sums @sums + @by, as a panel's lanes give them. */
static __m512i codes_of(const struct line *l, bool clamped, __m512i origin, __m512i sums)
{
	return float_requant_codes(l, clamped, _mm512_add_epi32(sums, origin));
}

/* The first step above (@up) or below the zero point. */
static struct steps steps_first(
	const struct float_requant_channel *channels, const struct float_requant_output *o, bool up)
{
	int32_t sum[16], rest[16], whole[16], part[16], multiplier[16], reach[16];
	for (int i = 0; i < 16; i++) {
		const struct float_requant_channel *c = &channels[i];
		bool none = is_level(c, o);
		int32_t r = none ? 0 : -c->scale.shift;
		int64_t m = none ? 1 : c->scale.multiplier;
		int64_t n = up ? unit(r) - rounding(r) + m - 1
			       : rounding(r) - (bends(c, r) ? INT64_C(1) << 31 : 0);
		multiplier[i] = (int32_t)m;
		reach[i] = none ? -1 : (int32_t)furthest(c);
		sum[i] = (int32_t)(n / m);
		rest[i] = (int32_t)(up ? m - 1 - n % m : n % m);
		whole[i] = (int32_t)(uint32_t)(unit(r) / m);
		part[i] = (int32_t)(unit(r) % m);
	}
	return (struct steps){_mm512_loadu_si512(sum), _mm512_loadu_si512(rest),
		_mm512_loadu_si512(whole), _mm512_loadu_si512(part), _mm512_loadu_si512(multiplier),
		_mm512_loadu_si512(reach)};
}

/* Lanes whose first step is within reach. */
static __mmask16 steps_reached(const struct steps *s)
{
	return _mm512_cmple_epi32_mask(s->sum, s->reach) &
		_mm512_cmpge_epi32_mask(s->sum, _mm512_setzero_si512());
}

/*
 * What is left stays from 0 below the multiplier: of what it is with and without one more sum the other
 * wraps around. The next step waits for this, so it does not wait for a mask.
 */
static void steps_next(struct steps *s, bool up)
{
	__m512i rest = up ? _mm512_sub_epi32(s->rest, s->part) : _mm512_add_epi32(s->rest, s->part);
	__mmask16 over = up ? _mm512_cmplt_epu32_mask(s->rest, s->part)
			    : _mm512_cmpge_epu32_mask(rest, s->multiplier);
	__m512i other =
		up ? _mm512_add_epi32(rest, s->multiplier) : _mm512_sub_epi32(rest, s->multiplier);
	s->rest = _mm512_min_epu32(rest, other);
	s->sum = _mm512_add_epi32(s->sum, s->whole);
	s->sum = _mm512_mask_add_epi32(s->sum, over, s->sum, _mm512_set1_epi32(1));
}

/* Lanes that are right on both sides of @n steps from code @code on. */
static __mmask16 prove(const struct float_requant_panel *p, int j,
	const struct float_requant_channel *channels, const struct float_requant_output *o, bool up)
{
	const __m512i one = _mm512_set1_epi32(1), zero = _mm512_setzero_si512();
	const struct line line = float_requant_load(p, j);
	const bool clamped = p->mode == FLOAT_REQUANT_CLAMPED;
	const int n = up ? o->hi - o->zero : o->zero - o->lo;
	const __m512i origin = _mm512_cvtps_epi32(line.origin);
	struct steps s = steps_first(channels, o, up);
	__mmask16 right = 0xFFFF, reached = steps_reached(&s);
	/* A lane that has passed its reach is done for good, whatever its sums wrap to after. */
	for (int i = 0; i < n && reached; i++) {
		__m512i code = _mm512_set1_epi32(up ? o->zero + 1 + i : o->zero - i);
		__m512i at = up ? s.sum : _mm512_sub_epi32(zero, s.sum);
		__m512i here = codes_of(&line, clamped, origin, at);
		__m512i before = codes_of(&line, clamped, origin, _mm512_sub_epi32(at, one));
		right &= ~reached |
			(_mm512_cmpge_epi32_mask(here, code) &
				_mm512_cmplt_epi32_mask(before, code));
		steps_next(&s, up);
		reached &= _mm512_cmple_epu32_mask(s.sum, s.reach);
	}
	return right;
}

/* Makes 16 lanes from 16 @j on, of channels[0..16). False where one can't be had as a line. */
static bool make_lines(struct float_requant_panel *p, int j,
	const struct float_requant_channel *channels, const struct float_requant_output *output)
{
	static const int nudges[] = {2, 0, 4, -2, 1, 3, 6, -4, 8};
	__mmask16 right = 0;
	for (int i = 0; i < 16; i++) {
		if (!is_line(&channels[i]) && !is_level(&channels[i], output)) {
			return false;
		}
	}
	for (size_t n = 0; n < sizeof(nudges) / sizeof(nudges[0]) && right != 0xFFFF; n++) {
		for (int i = 0; i < 16; i++) {
			if (!(right >> i & 1)) {
				set_line(p, 16 * j + i, &channels[i], output, nudges[n]);
			}
		}
		right = prove(p, j, channels, output, true);
		right &= p->mode == FLOAT_REQUANT_CLAMPED ? 0xFFFF
							  : prove(p, j, channels, output, false);
	}
	return right == 0xFFFF;
}

static void make_steps(
	struct float_requant_panel *p, int j, const struct float_requant_channel *channels)
{
	for (int i = 0; i < 16; i++) {
		struct ek_scale s = channels[i].scale;
		const int32_t shifts[] = {s.shift > 0 ? s.shift : 0, s.shift < 0 ? -s.shift : 0};
		p->start[16 * j + i] = channels[i].start;
		memcpy(&p->high[16 * j + i], &s.multiplier, sizeof(float));
		memcpy(&p->low[16 * j + i], &shifts[0], sizeof(float));
		memcpy(&p->rho[16 * j + i], &shifts[1], sizeof(float));
		const int32_t away = !channels[i].ties_up;
		memcpy(&p->step[16 * j + i], &away, sizeof(float));
	}
}

void float_requant_panel_make__avx512(struct float_requant_panel *p,
	const struct float_requant_channel channels[FLOAT_REQUANT_LANES],
	const struct float_requant_output *output)
{
	memset(p, 0, sizeof(*p));
	p->mode = output->lo >= output->zero ? FLOAT_REQUANT_CLAMPED : FLOAT_REQUANT_WHOLE;
	bool right = true;
	for (int j = 0; j < FLOAT_REQUANT_VECTORS && right; j++) {
		right = make_lines(p, j, channels + 16 * j, output);
	}
	for (int j = 0; j < FLOAT_REQUANT_VECTORS && !right; j++) {
		make_steps(p, j, channels + 16 * j);
		p->mode = FLOAT_REQUANT_STEPS;
	}
}
