/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float_requant_avx512 - int32 sums become codes of 8 bits by one line of floats, where it is proven to fit
 *
 *   code = clamp(ek_mbqm(sum, scale) + output_zero, lo, hi)
 *
 * With multiplier m and r = -shift >= 0 the reference is the floor of a line:
 *
 *   floor((sum m + B) / 2^(r+31)) + zero,  B = 2^30 + (r ? 2^(r+30) : 0) - (r and sum < 0 ? 2^31 : 0)
 *
 * Written k (sum + c) + rho with k = m / 2^(r+31) and an integer c, which the sums start with, |rho|
 * is at most k / 2 next to the codes that matter. k is a float high + low, exactly. Then
 * t = low X + rho is tiny, and high X + t, rounded down by the instruction itself, can't come to an
 * integer from below. Where the sum is negative and such results are not clamped anyway, t is less
 * by 2^-r.
 *
 * That leaves lines that pass an integer by less than the error of t. float_requant_panel_make() tries both
 * sides of each step between two codes that the sums can reach; both forms are monotone, so that
 * nothing else can differ. Channels that fail are tried again a little higher or lower; where that
 * fails too, or the shift is to the left, a panel takes ek_mbqm() step by step. A channel that has
 * the same code whatever its products are (pruned ones have a bias and no weights) is a level line.
 *
 * Codes here are unsigned: int8 ones plus 128.
 */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_AVX512_H
#define KERNELS_REQUANT_FLOAT_REQUANT_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/math/quant.h"
#include "kernels/requant/float_requant_channel.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
/* Keeps a value in a register: compilers would rather load it again for each use, and loads are
 * what bounds these loops. */
#define FLOAT_REQUANT_HOLD(x) __asm__("" : "+v"(x))
/* sum + products of bytes, of which @u are unsigned. As an intrinsic compilers move sums about. */
#define FLOAT_REQUANT_DOT(sum, u, s) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(s))

#define FLOAT_REQUANT_LANES 64
#define FLOAT_REQUANT_VECTORS 4
#define FLOAT_REQUANT_EXTRAS 4

/* The channels of a panel, packed. In FLOAT_REQUANT_STEPS: high is the multiplier, low and rho the shifts to
 * the left and right, step 1 where ties below zero go away from it. */
struct float_requant_panel {
	int32_t start[FLOAT_REQUANT_LANES]; /* of the sums */
	float high[FLOAT_REQUANT_LANES], low[FLOAT_REQUANT_LANES], rho[FLOAT_REQUANT_LANES];
	float origin[FLOAT_REQUANT_LANES],
		step[FLOAT_REQUANT_LANES]; /* sums below the origin: less by step */
	int32_t mode; /* enum float_requant_mode */
	/* Of kernels: what weights of more than 8 bits ask for. */
	int32_t sums;
	uint32_t extras, extra[FLOAT_REQUANT_EXTRAS];
	int32_t unused[9];
};

/* Limits of the output, as unsigned codes. */
ALWAYS_INLINE struct float_requant_output float_requant_output(
	int32_t zero, int32_t lo, int32_t hi, bool is_signed)
{
	int32_t by = is_signed ? 128 : 0;
	return (struct float_requant_output){zero + by, lo + by, hi + by, is_signed};
}

/* 16 channels of a panel, in registers. */
struct line {
	__m512 high, low, rho, origin, step;
};

ALWAYS_INLINE struct line float_requant_load(const struct float_requant_panel *p, int j)
{
	return (struct line){_mm512_load_ps(p->high + 16 * j), _mm512_load_ps(p->low + 16 * j),
		_mm512_load_ps(p->rho + 16 * j), _mm512_load_ps(p->origin + 16 * j),
		_mm512_load_ps(p->step + 16 * j)};
}

ALWAYS_INLINE __m512i float_requant_start(const struct float_requant_panel *p, int j)
{
	return _mm512_load_si512(p->start + 16 * j);
}

ALWAYS_INLINE __m512i float_requant_codes(const struct line *l, bool clamped, __m512i sums)
{
	__m512 x = _mm512_cvtepi32_ps(sums), t = _mm512_fmadd_ps(x, l->low, l->rho);
	if (!clamped) {
		__mmask16 below = _mm512_cmp_ps_mask(x, l->origin, _CMP_LT_OQ);
		t = _mm512_mask_sub_ps(t, below, t, l->step);
	}
	return _mm512_cvttps_epi32(
		_mm512_fmadd_round_ps(x, l->high, t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}

/* FLOAT_REQUANT_STEPS; without the zero point. */
static inline __m512i float_requant_steps(const struct float_requant_panel *p, int j, __m512i sums)
{
	const __m512i half = _mm512_set1_epi64(1 << 30), one = _mm512_set1_epi32(1);
	__m512i multiplier = _mm512_load_si512(p->high + 16 * j);
	__m512i right = _mm512_load_si512(p->rho + 16 * j);
	__m512i x = _mm512_sllv_epi32(sums, _mm512_load_si512(p->low + 16 * j));
	__m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), half);
	__m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(multiplier, 32));
	odd = _mm512_add_epi64(odd, half);
	__m512i high = _mm512_mask_blend_epi32(
		0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
	__m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
	__m512i away =
		_mm512_and_si512(_mm512_srli_epi32(high, 31), _mm512_load_si512(p->step + 16 * j));
	__m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), away);
	__mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
	__m512i y = _mm512_srav_epi32(high, right);
	return _mm512_mask_add_epi32(y, up, y, one);
}

/* What all stores of a call need. */
struct float_requant_limits {
	__m512i lo, hi, sign;
};

ALWAYS_INLINE struct float_requant_limits float_requant_limits(const struct float_requant_output *o)
{
	return (struct float_requant_limits){_mm512_set1_epi8((char)o->lo),
		_mm512_set1_epi8((char)o->hi), _mm512_set1_epi8((char)(o->is_signed ? 0x80 : 0))};
}

/* Codes of the type from four vectors; in each 128 bits the four of @a, then those of @b, ... */
ALWAYS_INLINE __m512i float_requant_pack(
	const struct float_requant_limits *limits, __m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i y = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
	y = _mm512_min_epu8(_mm512_max_epu8(y, limits->lo), limits->hi);
	return _mm512_xor_si512(y, limits->sign);
}

/* float_requant_pack() of vectors that lie one behind the other. */
ALWAYS_INLINE __m512i float_requant_pack_natural(
	const struct float_requant_limits *limits, __m512i a, __m512i b, __m512i c, __m512i d)
{
	const __m512i order =
		_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
	return _mm512_permutexvar_epi32(order, float_requant_pack(limits, a, b, c, d));
}

ALWAYS_INLINE __mmask64 float_requant_bytes(uint64_t n)
{
	return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

/* A panel of 64 lanes, as lines where all of them can be had so; lanes without a channel are zero. */
void float_requant_panel_make__avx512(struct float_requant_panel *p,
	const struct float_requant_channel channels[FLOAT_REQUANT_LANES],
	const struct float_requant_output *output);

#endif
