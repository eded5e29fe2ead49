/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile16_neon - tiles of up to 6 rows by 16 columns of sums
 *
 * 24 sums and what they are made from need all registers. Compilers move loads away from their use
 * and then run out, so the loop over the depth of a whole tile is in assembly; tiles of fewer rows
 * are not.
 */
#ifndef KERNELS_ARM_TILE16_NEON_H
#define KERNELS_ARM_TILE16_NEON_H

#include "kernels/arm/rows_neon.h"

#define TILE_ROWS 6

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

/* The sums of row @from become row @to's. */
#define TILE16_COPY_ROW(to, from)                                                                  \
	"mov %[s" to "0].16b, %[s" from "0].16b\n"                                                 \
	"mov %[s" to "1].16b, %[s" from "1].16b\n"                                                 \
	"mov %[s" to "2].16b, %[s" from "2].16b\n"                                                 \
	"mov %[s" to "3].16b, %[s" from "3].16b\n"

#endif
