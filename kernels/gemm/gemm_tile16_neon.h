/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_tile16_neon - tiles of up to 6 rows by 16 columns of sums
 *
 * 24 sums and what they are made from need all registers. Compilers move loads away from their use
 * and then run out, so the loop over the depth of a whole tile is in assembly; tiles of fewer rows
 * are not.
 */
#ifndef KERNELS_GEMM_GEMM_TILE16_NEON_H
#define KERNELS_GEMM_GEMM_TILE16_NEON_H

#include "kernels/gemm/rows_neon.h"

#define TILE_ROWS 6

/* A turn of a loop is longer than the strings that every compiler of C has to take; gcc and clang do. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* What is the same for all whole tiles of a panel. */
struct tile16 {
	const int8_t *weights;
	size_t depth;
	const int32_t *start; /* in the order of a tile's sums */
};

/* As assembly has it: x14 walks along the weights, x15 counts the depth, the starts are at x16. */
#define TILE16_LOAD "ldp x14, x15, [%[tile]]\nldr x16, [%[tile], 16]\n"

/* All rows at the panel's starts. */
ALWAYS_INLINE void tile16_start(const int mr, const int32_t *start, int32x4_t acc[TILE_ROWS][4])
{
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		acc[0][j] = vld1q_s32(start + 4 * j);
	}
#pragma GCC unroll 8
	for (int r = 1; r < mr; r++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			acc[r][j] = acc[0][j];
		}
	}
}

/* The sums of a whole tile as operands of assembly: %[s00] to %[s53]. */
#define TILE16_NAME(name) [name]
#define TILE16_SUM(acc, r, j) TILE16_NAME(s##r##j) "=&w"(acc[r][j])
#define TILE16_SUMS_ROW(acc, r)                                                                    \
	TILE16_SUM(acc, r, 0), TILE16_SUM(acc, r, 1), TILE16_SUM(acc, r, 2), TILE16_SUM(acc, r, 3)
#define TILE16_SUMS(acc)                                                                           \
	TILE16_SUMS_ROW(acc, 0), TILE16_SUMS_ROW(acc, 1), TILE16_SUMS_ROW(acc, 2),                 \
		TILE16_SUMS_ROW(acc, 3), TILE16_SUMS_ROW(acc, 4), TILE16_SUMS_ROW(acc, 5)

/* Row @r of the sums is read from the starts: four vectors. */
/* clang-format off */
#define TILE16_START_ROW(r)                                                                        \
	"ldp %q[s" r "0], %q[s" r "1], [x16]\n"                                                    \
	"ldp %q[s" r "2], %q[s" r "3], [x16, 32]\n"

/* Turns of 16 steps of the depth, two in each turn of the loop, which is entered in the middle where
 * their number is odd. */
#define TILE16_TURNS(turn)                                                                         \
	"tbnz x15, 4, 2f\n"                                                                        \
	"1:\n" turn "2:\n" turn                                                                    \
	"subs x15, x15, 32\n"                                                                      \
	"b.gt 1b\n"
/* clang-format on */

/* Requantises and stores sums of six rows, @step bytes apart; returns where the next row goes. */
ALWAYS_INLINE uint8_t *tile16_put(const enum gemm_rounding rounding, const struct gemm_panel *p,
	const struct panel_output *o, size_t step, int32x4_t acc[TILE_ROWS][4], uint8_t *to)
{
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		const struct panel_scale scale = panel_scale(p, 4 * j);
#pragma GCC unroll 8
		for (int r = 0; r < TILE_ROWS; r++) {
			acc[r][j] = panel_requant(rounding, scale, acc[r][j]);
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < TILE_ROWS; r++, to += step) {
		uint8x16_t codes =
			panel_codes(rounding, true, o, acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
		vst1q_u8(to, codes);
	}
	return to;
}

#endif
