/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_block_avx512 - 3x3 outputs of one or two rows and one or two vectors side by side
 *
 * Four sums at a time, of 16 channels each, share the loads of weights and constants. Codes of four
 * are made between the products of the next four: each instruction then stands far behind what it
 * waits for, and a core that looks some two hundred instructions ahead finds enough to do.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_BLOCK_AVX512_H
#define KERNELS_DEPTHWISE_DEPTHWISE_BLOCK_AVX512_H

#include "kernels/depthwise/depthwise_plan_avx512.h"

/* What a vector has: 64 channels of a pixel, or pixels of 32, 16 or 8 side by side. */
enum block_kind {
	BLOCK_64 = 64,
	BLOCK_32 = 32,
	BLOCK_16 = 16,
	BLOCK_8 = 8,
};

/* Columns of a block, interleaved, four vectors each: neighbours at stride 1; at stride 2 and
 * BLOCK_64 too, else the even ones, and from BLOCK_ODD on the odd ones. */
#define BLOCK_COLUMNS 5
#define BLOCK_ODD 3

struct block {
	enum block_kind kind;
	uint32_t stride;
	int rows, n; /* of the output, vectors */
	bool clamped, full; /* full: all codes are in range */
	size_t part, vector; /* as the plan has them */
};

/* 16 bytes times @n further on, of vectors side by side. */
ALWAYS_INLINE __m512i block_lanes(__m512i a, __m512i b, const int n)
{
	return n == 1 ? _mm512_alignr_epi64(b, a, 2) : _mm512_alignr_epi64(b, a, 4);
}

/* The same one or two pixels further on, of vector @j of columns @c. */
ALWAYS_INLINE __m512i block_shift(const int kind, const __m512i *c, const int by, const int j)
{
	if (kind * by == 64) {
		return c[4 + j];
	}
	if (kind * by == 8) {
		return j < 2 ? c[j + 2] : block_lanes(c[j - 2], c[4 + j - 2], 1);
	}
	return block_lanes(c[j], c[4 + j], kind * by / 16);
}

/* What tap @x of output @p reads. */
ALWAYS_INLINE __m512i block_tap(
	const struct block b, const __m512i *c, const int p, const int x, const int j)
{
	if (b.kind == BLOCK_64) {
		return c[4 * (p * (int)b.stride + x) + j];
	}
	if (x == 0) {
		return c[4 * p + j];
	}
	if (b.stride == 1) {
		return block_shift((int)b.kind, c + 4 * p, x, j);
	}
	return x == 1 ? c[4 * (BLOCK_ODD + p) + j] : block_shift((int)b.kind, c + 4 * p, 1, j);
}

/*
 * Sums are made in sets of four: of both rows and both vectors, or of one of these and two quarters
 * of a vector, or of all quarters. What sum @i of set @set is of:
 */
ALWAYS_INLINE int block_row(const struct block b, const int i)
{
	return b.rows == 2 ? i / 2 : 0;
}

ALWAYS_INLINE int block_place(const struct block b, const int i)
{
	return b.n == 2 ? i % 2 : 0;
}

ALWAYS_INLINE int block_quarter(const struct block b, const int set, const int i)
{
	if (b.rows == 2) {
		return b.n == 2 ? set : 2 * set + i % 2;
	}
	return b.n == 2 ? 2 * set + i / 2 : i;
}

/* Products of one column of taps. */
ALWAYS_INLINE void block_taps(const struct block b, const int8_t *weights, const __m512i *c,
	const int x, const int set, __m512i sums[4])
{
	__m512i by =
		_mm512_setzero_si512(); /* not read: gcc 12 cannot tell where it has no time to */
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		const int j = block_quarter(b, set, i);
		if (b.n == 1 || i % 2 == 0) {
			by = _mm512_load_si512(weights + (size_t)(4 * x + j) * b.vector +
				(size_t)block_row(b, i) * DEPTHWISE_BYTES);
		}
		if (b.n == 2 && i % 2 == 0) {
			FLOAT_REQUANT_HOLD(by);
		}
		sums[i] =
			_mm512_dpbusd_epi32(sums[i], block_tap(b, c, block_place(b, i), x, j), by);
	}
}

/* Steps of float_requant_codes() for four sums. */
struct block_codes {
	struct line line[4];
	__m512 sums[4], low[4];
	__m512i codes[4];
};

ALWAYS_INLINE void block_floats(const struct block b, const struct float_requant_panel *panel,
	const int set, const __m512i sums[4], struct block_codes *y)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		const int j = block_quarter(b, set, i);
		int known = 0;
		while (block_quarter(b, set, known) != j) {
			known++;
		}
		if (known == i) {
			y->line[i] = float_requant_load(panel, j);
			FLOAT_REQUANT_HOLD(y->line[i].rho);
		} else {
			y->line[i] = y->line[known];
		}
		y->sums[i] = _mm512_cvtepi32_ps(sums[i]);
	}
}

ALWAYS_INLINE void block_low(const struct block b, struct block_codes *y)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		const struct line *line = &y->line[i];
		y->low[i] = _mm512_fmadd_ps(y->sums[i], line->low, line->rho);
		if (!b.clamped) {
			__mmask16 below = _mm512_cmp_ps_mask(y->sums[i], line->origin, _CMP_LT_OQ);
			y->low[i] = _mm512_mask_sub_ps(y->low[i], below, y->low[i], line->step);
		}
	}
}

ALWAYS_INLINE void block_round(struct block_codes *y)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		y->codes[i] = _mm512_cvttps_epi32(_mm512_fmadd_round_ps(y->sums[i], y->line[i].high,
			y->low[i], _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
	}
}

ALWAYS_INLINE __m512i block_limit(
	const struct block b, const struct float_requant_limits *limits, __m512i y)
{
	if (!b.full) {
		y = _mm512_min_epu8(_mm512_max_epu8(y, limits->lo), limits->hi);
	}
	return _mm512_xor_si512(y, limits->sign);
}

/* Codes of the block of filters so many columns wide: @ret[2 * row + vector]. */
ALWAYS_INLINE void block_codes(const struct block b, const int columns,
	const struct float_requant_limits *limits, const struct float_requant_panel *panel,
	const int8_t *weights, const __m512i *c, __m512i ret[4])
{
	const int sets = b.rows * b.n;
	__m512i before[4], codes[4][FLOAT_REQUANT_VECTORS];
	struct block_codes y;
#pragma GCC unroll 5
	for (int set = 0; set <= sets; set++) {
		__m512i sums[4];
		if (set < sets) {
#pragma GCC unroll 4
			for (int i = 0; i < 4; i++) {
				sums[i] = float_requant_start(panel, block_quarter(b, set, i));
			}
			block_taps(b, weights, c, 0, set, sums);
		}
		if (set > 0) {
			block_floats(b, panel, set - 1, before, &y);
		}
		if (set < sets && columns > 1) {
			block_taps(b, weights, c, 1, set, sums);
		}
		if (set > 0) {
			block_low(b, &y);
		}
#pragma GCC unroll 4
		for (int x = 2; x < columns && set < sets; x++) {
			block_taps(b, weights, c, x, set, sums);
		}
		for (int x = 0; x < columns && set < sets && b.part; x++) {
			block_taps(b, weights + b.part, c, x, set, sums);
		}
		if (set > 0) {
			block_round(&y);
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			if (set > 0) {
				codes[2 * block_row(b, i) + block_place(b, i)]
				     [block_quarter(b, set - 1, i)] = y.codes[i];
			}
			before[i] = sums[i];
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		if (i / 2 < b.rows && i % 2 < b.n) {
			ret[i] = block_limit(b, limits,
				_mm512_packus_epi16(_mm512_packs_epi32(codes[i][0], codes[i][1]),
					_mm512_packs_epi32(codes[i][2], codes[i][3])));
		}
	}
}

#endif
