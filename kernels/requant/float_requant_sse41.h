/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant_sse41 - int32 sums become codes of 8 bits by one line of doubles, where it is proven to fit
 *
 * As float_requant_avx2.h by other arithmetic: there are no multiply-adds, but a double holds the slope and, but
 * for a few bits, its product with a sum; conversion cuts, which is down where codes are unsigned.
 * Shifts by lanes are missing too: to the left FLOAT_REQUANT_STEPS multiplies, to the right it shifts four times,
 * of which one lane each stays.
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_SSE41_H
#define KERNELS_REQUANT_FLOAT_REQUANT_SSE41_H

#include <math.h>

#include "kernels/requant/float_requant_channel.h"
#include "kernels/simd/vector_s32_sse41.h"

struct float_requant_panel {
	int32_t start[VEC_COLS]; /* of the sums */
	union {
		struct {
			double slope[VEC_COLS], height[VEC_COLS];
			double step[VEC_COLS]; /* sums below 0: less by it */
		};
		struct { /* FLOAT_REQUANT_STEPS */
			int64_t right[VEC_COLS]; /* shift */
			int32_t multiplier[VEC_COLS];
			int32_t left[VEC_COLS]; /* a power of two */
			int32_t dropped[VEC_COLS]; /* bits, by the shift to the right */
			int32_t away[VEC_COLS]; /* 1: ties below zero go away from it, else 0 */
		};
	};
	int32_t mode; /* enum float_requant_mode */
	int32_t sums; /* of kernels: 0 */
	int32_t unused[2];
};

/* Doubles have enough bits to round to nearest. */
ALWAYS_INLINE unsigned float_requant_begin(void)
{
	return 0;
}

ALWAYS_INLINE void float_requant_end(unsigned before)
{
	(void)before;
}

/* The line of one lane, @nudge of 2^-46 higher. */
static inline void float_requant_set(struct float_requant_panel *p, int lane, int32_t start,
	const struct float_requant_shape *line, int nudge)
{
	p->start[lane] = start;
	p->slope[lane] = line->slope;
	p->height[lane] = line->height + ldexp(nudge, -46);
	p->step[lane] = line->below;
}

static inline void float_requant_set_steps(
	struct float_requant_panel *p, int lane, int32_t start, struct ek_scale scale, bool ties_up)
{
	const uint32_t left = scale.shift > 0 ? (uint32_t)scale.shift : 0;
	const uint32_t right = scale.shift < 0 ? (uint32_t)-scale.shift : 0;
	p->start[lane] = start;
	p->multiplier[lane] = scale.multiplier;
	p->left[lane] = (int32_t)(1u << left);
	p->dropped[lane] = (int32_t)((1u << right) - 1);
	p->right[lane] = right;
	p->away[lane] = !ties_up;
}

ALWAYS_INLINE vec float_requant_start(const struct float_requant_panel *p, int j)
{
	return vec_load(p->start + j * VEC_LANES);
}

ALWAYS_INLINE vec float_requant_origin(const struct float_requant_panel *p, int j)
{
	(void)p;
	(void)j;
	return vec_all(0);
}

/* One vector of a panel. */
struct line {
	__m128d slope[2], height[2], step[2];
};

ALWAYS_INLINE struct line float_requant_load(const struct float_requant_panel *p, int j)
{
	struct line l;
	for (int i = 0; i < 2; i++) {
		const int at = j * VEC_LANES + 2 * i;
		l.slope[i] = _mm_loadu_pd(p->slope + at);
		l.height[i] = _mm_loadu_pd(p->height + at);
		l.step[i] = _mm_loadu_pd(p->step + at);
	}
	return l;
}

ALWAYS_INLINE vec float_requant_codes(const struct line *l, bool clamped, vec sums)
{
	const vec below = _mm_srai_epi32(sums, 31);
	__m128d x = _mm_mul_pd(_mm_cvtepi32_pd(sums), l->slope[0]);
	__m128d y = _mm_mul_pd(_mm_cvtepi32_pd(_mm_unpackhi_epi64(sums, sums)), l->slope[1]);
	x = _mm_add_pd(x, l->height[0]);
	y = _mm_add_pd(y, l->height[1]);
	if (!clamped) {
		const vec low = _mm_unpacklo_epi32(below, below);
		const vec high = _mm_unpackhi_epi32(below, below);
		x = _mm_sub_pd(x, _mm_and_pd(_mm_castsi128_pd(low), l->step[0]));
		y = _mm_sub_pd(y, _mm_and_pd(_mm_castsi128_pd(high), l->step[1]));
	}
	return _mm_unpacklo_epi64(_mm_cvttpd_epi32(x), _mm_cvttpd_epi32(y));
}

ALWAYS_INLINE vec float_requant_shift_right(const int64_t right[VEC_LANES], vec x)
{
	__m128i by[VEC_LANES];
	for (int i = 0; i < VEC_LANES; i++) {
		by[i] = _mm_loadl_epi64((const __m128i *)(right + i));
	}
	vec low = _mm_blend_epi16(_mm_sra_epi32(x, by[0]), _mm_sra_epi32(x, by[1]), 0x0C);
	vec high = _mm_blend_epi16(_mm_sra_epi32(x, by[2]), _mm_sra_epi32(x, by[3]), 0xC0);
	return _mm_blend_epi16(low, high, 0xF0);
}

/* ek_mbqm() or ek_mbqm_up() of any sum, by FLOAT_REQUANT_STEPS; without the zero point. */
static inline vec float_requant_steps(const struct float_requant_panel *p, int j, vec sums)
{
	const __m128i half = _mm_set_epi32(0, 1 << 30, 0, 1 << 30);
	const vec m = vec_load(p->multiplier + j * VEC_LANES);
	const vec dropped = vec_load(p->dropped + j * VEC_LANES);
	vec x = _mm_mullo_epi32(sums, vec_load(p->left + j * VEC_LANES));
	vec even = _mm_add_epi64(_mm_mul_epi32(x, m), half);
	vec odd = _mm_mul_epi32(_mm_srli_epi64(x, 32), _mm_srli_epi64(m, 32));
	odd = _mm_slli_epi64(_mm_add_epi64(odd, half), 1);
	vec high = _mm_blend_epi16(_mm_srli_epi64(even, 31), odd, 0xCC);
	vec away = vec_and(_mm_srli_epi32(high, 31), vec_load(p->away + j * VEC_LANES));
	vec threshold = vec_add(_mm_srli_epi32(dropped, 1), away);
	vec up = vec_greater(vec_and(high, dropped), threshold);
	return vec_sub(float_requant_shift_right(p->right + j * VEC_LANES, high), up);
}

#endif
