/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requant/float_requant_avx512.h"

#include <math.h>

/* Steps between codes, 16 channels at once: the least sum that gives a code, and what is left. */
struct steps {
	__m512i sum, rest; /* sum: its magnitude */
	__m512i whole, part, multiplier; /* from one code to the next: 2^(r+31) by the multiplier */
	__m512i reach;
};

#define MOST_C (1 << 28)

/* The line of one channel, @nudge of 2^-35 higher. */
static void set_line(struct float_requant_panel *p, int lane, const struct float_requant_channel *c,
	const struct float_requant_output *o, int nudge)
{
	const struct float_requant_shape line = float_requant_shape(c, o);
	const double k = line.slope, beta = line.height;
	/* A float holds it: what the proof is made of, and the sign's step, is where sums begin. */
	double at = k > 0 ? (double)(float)fmin(rint(beta / k), MOST_C) : 0;
	p->start[lane] = ek_add32(c->start, (int32_t)at);
	p->high[lane] = (float)k;
	p->low[lane] = (float)(k - (double)p->high[lane]);
	p->rho[lane] = (float)(beta - k * at + ldexp(nudge, -35));
	p->origin[lane] = (float)at;
	p->step[lane] = (float)line.below;
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
	int32_t v[6][16];
	for (int i = 0; i < 16; i++) {
		int32_t first[6];
		float_requant_first_step(&channels[i], o, up, first);
		for (int k = 0; k < 6; k++) {
			v[k][i] = first[k];
		}
	}
	return (struct steps){_mm512_loadu_si512(v[0]), _mm512_loadu_si512(v[1]),
		_mm512_loadu_si512(v[2]), _mm512_loadu_si512(v[3]), _mm512_loadu_si512(v[4]),
		_mm512_loadu_si512(v[5])};
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
		if (!float_requant_is_line(&channels[i], output)) {
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
