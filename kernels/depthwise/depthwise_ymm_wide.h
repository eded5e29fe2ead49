/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_ymm_wide - 3x3 outputs of 32 channels, for vectors of 256 bits
 *
 * Two panels side by side, whose channels stand as interleaving whole vectors leaves them
 * (strip_channel() of depthwise_ymm_pack.h): no code crosses 128 bits on its way in or out. Sums of
 * one vector of the block are made for four outputs at a time and become codes at once, so that
 * products and requantisation, which ask for different pipes, run side by side.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_YMM_WIDE_H
#define KERNELS_DEPTHWISE_DEPTHWISE_YMM_WIDE_H

#include "kernels/requant/store_codes_ymm.h"

#define WIDE_VECTORS 4
#define WIDE_GROUPS (4 / SOURCE_CODES) /* of rows: three of them, or four for two output rows */
#define WIDE_SUMS 4 /* that are made at once */

struct wide {
	const uint8_t *in; /* the first output's first column */
	uint8_t *out;
	uint32_t n; /* outputs of a row */
	size_t out_pixel, out_row;
	struct vec_limits limits;
	const struct float_requant_panel *panel; /* two */
	const uint8_t *weights[2];
	int32_t parts;
	size_t part; /* bytes of one */
};

/* Stays in a register, and where it stands in the code. */
#define WIDE_HOLD(v) __asm__ volatile("" : "+x"(v))

/*
 * One part of the products of vector @j, of WIDE_SUMS outputs: @rows rows by neighbours. Each weight
 * is read once.
 */
ALWAYS_INLINE void wide_taps(const int stride, const int rows, const int j, const uint8_t *in,
	const uint8_t *weights, vec sums[WIDE_SUMS])
{
	const int pixels = WIDE_SUMS / rows, out_rows = stride == 1 ? 2 : 1;
#pragma GCC unroll 2
	for (int g = 0; g < WIDE_GROUPS; g++) {
		vec columns[(WIDE_SUMS - 1) * 2 + 3];
#pragma GCC unroll 10
		for (int c = 0; c < (pixels - 1) * stride + 3; c++) {
			columns[c] = vec_load(
				in + ((c * WIDE_GROUPS + g) * WIDE_VECTORS + j) * VEC_BYTES);
			if (stride == 1) {
				WIDE_HOLD(columns[c]);
			}
		}
#pragma GCC unroll 3
		for (int x = 0; x < 3; x++) {
#pragma GCC unroll 2
			for (int r = 0; r < rows; r++) {
				const int at = (x * WIDE_GROUPS + g) * out_rows + r;
				vec w = vec_load(weights + (at * 2 + j % 2) * VEC_BYTES);
				WIDE_HOLD(w);
#pragma GCC unroll 4
				for (int p = 0; p < pixels; p++) {
					vec *sum = &sums[r * pixels + p];
					*sum = source_dot(*sum, columns[p * stride + x], w);
				}
			}
		}
	}
}

/* @mode FLOAT_REQUANT_STEPS: of a panel that is, beside one that may not be. */
static __attribute__((noinline)) void wide_steps(
	const struct wide *w, const int j, vec sums[WIDE_SUMS])
{
	const struct float_requant_panel *panel = &w->panel[j / 2];
	const struct line line = float_requant_load(panel, j % 2);
	for (int i = 0; i < WIDE_SUMS; i++) {
		if (panel->mode != FLOAT_REQUANT_STEPS) {
			sums[i] = float_requant_codes(
				&line, panel->mode == FLOAT_REQUANT_CLAMPED, sums[i]);
			continue;
		}
		vec y = vec_add(float_requant_steps(panel, j % 2, sums[i]), w->limits.zero);
		y = vec_least(vec_most(y, w->limits.least), w->limits.most);
		sums[i] = vec_add(y, w->limits.offset);
	}
}

ALWAYS_INLINE void wide_codes(
	const int mode, const struct wide *w, const int j, vec sums[WIDE_SUMS])
{
	if (mode == FLOAT_REQUANT_STEPS) {
		wide_steps(w, j, sums);
		return;
	}
	struct line line = float_requant_load(&w->panel[j / 2], j % 2);
	WIDE_HOLD(line.high);
	WIDE_HOLD(line.low);
	WIDE_HOLD(line.rho);
#pragma GCC unroll 4
	for (int i = 0; i < WIDE_SUMS; i++) {
		sums[i] = float_requant_codes(&line, mode == FLOAT_REQUANT_CLAMPED, sums[i]);
	}
}

/* Codes of WIDE_SUMS outputs, 32 channels each. */
ALWAYS_INLINE void wide_block(const int mode, const bool in_parts, const int stride, const int rows,
	const struct wide *w, const struct vec_limits *limits, const uint8_t *in,
	vec ret[WIDE_SUMS])
{
	vec codes[WIDE_VECTORS][WIDE_SUMS];
#pragma GCC unroll 4
	for (int j = 0; j < WIDE_VECTORS; j++) {
		const uint8_t *weights = w->weights[j / 2];
		vec start = float_requant_start(&w->panel[j / 2], j % 2);
#pragma GCC unroll 4
		for (int i = 0; i < WIDE_SUMS; i++) {
			codes[j][i] = start;
		}
		wide_taps(stride, rows, j, in, weights, codes[j]);
		for (int32_t k = 1; in_parts && k < w->parts; k++) {
			weights += w->part;
			wide_taps(stride, rows, j, in, weights, codes[j]);
		}
		wide_codes(mode, w, j, codes[j]);
#pragma GCC unroll 4
		for (int i = 0; i < WIDE_SUMS; i++) {
			if (j % 2) {
				codes[j][i] = _mm256_packs_epi32(codes[j - 1][i], codes[j][i]);
			}
			WIDE_HOLD(codes[j][i]); /* or compilers leave it to where it is stored */
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < WIDE_SUMS; i++) {
		ret[i] = vec_limit(limits, _mm256_packus_epi16(codes[1][i], codes[3][i]));
	}
}

/* All outputs of a strip; beyond the last one columns have any codes. */
ALWAYS_INLINE void wide_run(const int mode, const bool in_parts, const int stride, const int rows,
	const struct wide *wide)
{
	const struct wide w = *wide; /* stores may not change it */
	const struct vec_limits limits = wide->limits;
	const uint32_t pixels = WIDE_SUMS / (uint32_t)rows;
	const uint8_t *in = w.in;
	uint8_t *out = w.out;
	for (uint32_t i = 0; i < w.n; i += pixels) {
		const uint32_t left = w.n - i;
		vec y[WIDE_SUMS];
		wide_block(mode, in_parts, stride, rows, &w, &limits, in, y);
#pragma GCC unroll 4
		for (uint32_t k = 0; k < WIDE_SUMS; k++) {
			const uint32_t row = k / pixels, pixel = k % pixels;
			if (pixel == 0 || pixel < left) {
				vec_store(out + row * w.out_row + pixel * w.out_pixel, y[k]);
			}
		}
		in += (size_t)pixels * (size_t)stride * WIDE_GROUPS * WIDE_VECTORS * VEC_BYTES;
		out += pixels * w.out_pixel;
	}
}

typedef void wide_fn(const struct wide *w);

#define WIDE_DEFINE(name, mode, in_parts)                                                          \
	static void wide_1_1_##name(const struct wide *w)                                          \
	{                                                                                          \
		wide_run(mode, in_parts, 1, 1, w);                                                 \
	}                                                                                          \
	static void wide_1_2_##name(const struct wide *w)                                          \
	{                                                                                          \
		wide_run(mode, in_parts, 1, 2, w);                                                 \
	}                                                                                          \
	static void wide_2_1_##name(const struct wide *w)                                          \
	{                                                                                          \
		wide_run(mode, in_parts, 2, 1, w);                                                 \
	}

WIDE_DEFINE(clamped, FLOAT_REQUANT_CLAMPED, false)
WIDE_DEFINE(whole, FLOAT_REQUANT_WHOLE, false)
WIDE_DEFINE(steps, FLOAT_REQUANT_STEPS, true)
#if SOURCE_PARTS > 1
WIDE_DEFINE(clamped_parts, FLOAT_REQUANT_CLAMPED, true)
WIDE_DEFINE(whole_parts, FLOAT_REQUANT_WHOLE, true)
#endif

/* By stride and output rows; lines of a block are of one mode, unless one of them goes step by step. */
static wide_fn *wide_pick(const struct wide *w, uint32_t stride, uint32_t rows)
{
	static wide_fn *const fns[2][3][3] = {
		{
			[FLOAT_REQUANT_CLAMPED] = {wide_1_1_clamped, wide_1_2_clamped,
				wide_2_1_clamped},
			[FLOAT_REQUANT_WHOLE] = {wide_1_1_whole, wide_1_2_whole, wide_2_1_whole},
			[FLOAT_REQUANT_STEPS] = {wide_1_1_steps, wide_1_2_steps, wide_2_1_steps},
		},
#if SOURCE_PARTS > 1
		{
			[FLOAT_REQUANT_CLAMPED] = {wide_1_1_clamped_parts, wide_1_2_clamped_parts,
				wide_2_1_clamped_parts},
			[FLOAT_REQUANT_WHOLE] = {wide_1_1_whole_parts, wide_1_2_whole_parts,
				wide_2_1_whole_parts},
			[FLOAT_REQUANT_STEPS] = {wide_1_1_steps, wide_1_2_steps, wide_2_1_steps},
		},
#endif
	};
	const int32_t mode =
		w->panel[1].mode == FLOAT_REQUANT_STEPS ? FLOAT_REQUANT_STEPS : w->panel[0].mode;
	return fns[w->parts > 1][mode][stride == 2 ? 2 : rows - 1];
}

#endif
