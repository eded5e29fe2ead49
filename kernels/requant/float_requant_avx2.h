/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant_avx2 - int32 sums become codes of 8 bits by one line of floats, where it is proven to fit
 *
 * As float_requant_avx512.h, which has the formula. Instructions of 256 bits have no rounding of their own, so
 * that a kernel has all floats of the thread rounded down while it runs: float_requant_begin(), float_requant_end().
 * Codes are unsigned until they are stored.
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_AVX2_H
#define KERNELS_REQUANT_FLOAT_REQUANT_AVX2_H

#include <math.h>

#include "kernels/requant/float_requant_channel.h"
#include "kernels/simd/vector_s32_avx2.h"

/* The channels of a panel, packed. In FLOAT_REQUANT_STEPS: high is the multiplier, low and rho the shifts to
 * the left and right, step 1 where ties below zero go away from it. */
struct float_requant_panel {
	int32_t start[VEC_COLS]; /* of the sums */
	float high[VEC_COLS], low[VEC_COLS], rho[VEC_COLS];
	int32_t origin[VEC_COLS]; /* where a sum of 0 is; sums below it: less by step */
	float step[VEC_COLS];
	int32_t mode; /* enum float_requant_mode */
	/* Of kernels: what a sum of the codes that a pixel sees is multiplied by. */
	int32_t sums;
	int32_t unused[6];
};

#define MXCSR_DOWN 0x3F80 /* rounding down, all exceptions masked */

/* Returns what float_requant_end() gives back. Between them stands a call that is not inlined. */
ALWAYS_INLINE unsigned float_requant_begin(void)
{
	unsigned before = _mm_getcsr();
	_mm_setcsr(MXCSR_DOWN);
	return before;
}

ALWAYS_INLINE void float_requant_end(unsigned before)
{
	_mm_setcsr(before);
}

/* The line of one lane, @nudge of 2^-35 higher. An integer that the sum starts with takes nearly all
 * of the height, so that what floats are added to is small. */
static inline void float_requant_set(struct float_requant_panel *p, int lane, int32_t start,
	const struct float_requant_shape *line, int nudge)
{
	const double most = 1 << 28;
	double at = line->slope > 0 ? fmin(rint(line->height / line->slope), most) : 0;
	p->start[lane] = ek_add32(start, (int32_t)at);
	p->high[lane] = (float)line->slope;
	p->low[lane] = (float)(line->slope - (double)p->high[lane]);
	p->rho[lane] = (float)(line->height - line->slope * at + ldexp(nudge, -35));
	p->origin[lane] = (int32_t)at;
	p->step[lane] = (float)line->below;
}

static inline void float_requant_set_steps(
	struct float_requant_panel *p, int lane, int32_t start, struct ek_scale scale, bool ties_up)
{
	const int32_t left = scale.shift > 0 ? scale.shift : 0, away = !ties_up;
	const int32_t right = scale.shift < 0 ? -scale.shift : 0;
	p->start[lane] = start;
	memcpy(&p->high[lane], &scale.multiplier, sizeof(float));
	memcpy(&p->low[lane], &left, sizeof(float));
	memcpy(&p->rho[lane], &right, sizeof(float));
	memcpy(&p->step[lane], &away, sizeof(float));
}

ALWAYS_INLINE vec float_requant_start(const struct float_requant_panel *p, int j)
{
	return vec_load(p->start + j * VEC_LANES);
}

/* What the sum of a bias and products of 0 is. */
ALWAYS_INLINE vec float_requant_origin(const struct float_requant_panel *p, int j)
{
	return vec_load(p->origin + j * VEC_LANES);
}

/* One vector of a panel, in registers. */
struct line {
	__m256 high, low, rho, step;
	vec origin;
};

ALWAYS_INLINE struct line float_requant_load(const struct float_requant_panel *p, int j)
{
	return (struct line){_mm256_loadu_ps(p->high + j * VEC_LANES),
		_mm256_loadu_ps(p->low + j * VEC_LANES), _mm256_loadu_ps(p->rho + j * VEC_LANES),
		_mm256_loadu_ps(p->step + j * VEC_LANES), float_requant_origin(p, j)};
}

/* Of FLOAT_REQUANT_CLAMPED and FLOAT_REQUANT_WHOLE; floats round down. */
ALWAYS_INLINE vec float_requant_codes(const struct line *l, bool clamped, vec sums)
{
	__m256 x = _mm256_cvtepi32_ps(sums), t = _mm256_fmadd_ps(x, l->low, l->rho);
	if (!clamped) {
		__m256 below = _mm256_castsi256_ps(vec_greater(l->origin, sums));
		t = _mm256_sub_ps(t, _mm256_and_ps(below, l->step));
	}
	return _mm256_cvtps_epi32(_mm256_fmadd_ps(x, l->high, t));
}

/* ek_mbqm() or ek_mbqm_up() of any sum, by FLOAT_REQUANT_STEPS; without the zero point. */
static inline vec float_requant_steps(const struct float_requant_panel *p, int j, vec sums)
{
	const __m256i half = _mm256_set1_epi64x(1 << 30), one = _mm256_set1_epi32(1);
	const vec multiplier = vec_load(p->high + j * VEC_LANES);
	const vec right = vec_load(p->rho + j * VEC_LANES);
	vec x = _mm256_sllv_epi32(sums, vec_load(p->low + j * VEC_LANES));
	vec even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half);
	vec odd = _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32));
	odd = _mm256_slli_epi64(_mm256_add_epi64(odd, half), 1);
	vec high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), odd, 0xAA);
	vec mask = vec_sub(_mm256_sllv_epi32(one, right), one);
	vec away = vec_and(_mm256_srli_epi32(high, 31), vec_load(p->step + j * VEC_LANES));
	vec threshold = vec_add(_mm256_srli_epi32(mask, 1), away);
	vec up = vec_greater(vec_and(high, mask), threshold);
	return vec_sub(_mm256_srav_epi32(high, right), up);
}

#endif
