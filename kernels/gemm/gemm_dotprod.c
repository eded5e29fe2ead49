/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With dot products: SDOT multiplies four codes of a row with four of each of four columns.
 *
 * A tile of 6 rows by 16 columns fills 24 registers with sums, 6 with 16 codes of each row, and has
 * two for weights. Packed weights are [depth / 4][16 columns][4].
 */
#include "kernels/gemm/gemm_arm.h"
#include "kernels/gemm/gemm_tile16_neon.h"

#define GROUP 4

/* 16 columns times one group of each row. */
#define GROUP_STEP(i)                                                                              \
	_Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                        \
	{                                                                                          \
		const int8x16_t columns = vld1q_s8(w + (i)*GROUP * GEMM_COLS + 16 * j);            \
		_Pragma("GCC unroll 8") for (int r = 0; r < mr; r++)                               \
		{                                                                                  \
			acc[r][j] = vdotq_laneq_s32(acc[r][j], columns, x[r], (i));                \
		}                                                                                  \
	}

ALWAYS_INLINE void tile_some(const int mr, const struct gemm_block *b, uint32_t first,
	const struct gemm_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int8_t *w = p->weights;
	const int8_t *rows[TILE_ROWS];
	tile16_start(mr, p->start, acc);
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		rows[r] = b->rows + (first + (size_t)r) * b->depth;
	}
	for (size_t k = 0; k < b->depth; k += 16, w += 16 * GEMM_COLS) {
		int8x16_t x[TILE_ROWS];
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			x[r] = vld1q_s8(rows[r] + k);
		}
		GROUP_STEP(0)
		GROUP_STEP(1)
		GROUP_STEP(2)
		GROUP_STEP(3)
	}
}

/* Four columns, in @c, times group @i of each row, in v0 to v5; then 16 columns. */
/* clang-format off */
#define DOTS(c, j, i)                                                                              \
	"sdot %[s0" j "].4s," c ".16b,v0.4b[" i "]\n"                                              \
	"sdot %[s1" j "].4s," c ".16b,v1.4b[" i "]\n"                                              \
	"sdot %[s2" j "].4s," c ".16b,v2.4b[" i "]\n"                                              \
	"sdot %[s3" j "].4s," c ".16b,v3.4b[" i "]\n"                                              \
	"sdot %[s4" j "].4s," c ".16b,v4.4b[" i "]\n"                                              \
	"sdot %[s5" j "].4s," c ".16b,v5.4b[" i "]\n"
#define GROUP_DOTS(i)                                                                              \
	"ldp q6, q7, [x14], 32\n" DOTS("v6", "0", i) DOTS("v7", "1", i)                           \
	"ldp q6, q7, [x14], 32\n" DOTS("v6", "2", i) DOTS("v7", "3", i)

/* 16 steps of the depth. */
#define TURN                                                                                       \
	"ldr q0, [%[rows]], 16\n"                                                                  \
	"ldr q1, [x9], 16\n"                                                                       \
	"ldr q2, [x10], 16\n"                                                                      \
	"ldr q3, [x11], 16\n"                                                                      \
	"ldr q4, [x12], 16\n"                                                                      \
	"ldr q5, [x13], 16\n"                                                                      \
	GROUP_DOTS("0") GROUP_DOTS("1") GROUP_DOTS("2") GROUP_DOTS("3")

/* Rows from @rows on; returns where the next ones are, the end of the last one. */
ALWAYS_INLINE const int8_t *tile_whole(
	const struct tile16 *tile, const int8_t *rows, int32x4_t acc[TILE_ROWS][4])
{
	__asm__ volatile(
		TILE16_LOAD
		TILE16_START_ROW("0") TILE16_START_ROW("1") TILE16_START_ROW("2")
		TILE16_START_ROW("3") TILE16_START_ROW("4") TILE16_START_ROW("5")
		"add x9, %[rows], x15\n"
		"add x10, x9, x15\n"
		"add x11, x10, x15\n"
		"add x12, x11, x15\n"
		"add x13, x12, x15\n"
		TILE16_TURNS(TURN)
		"mov %[rows], x13\n"
		: TILE16_SUMS(acc), [rows] "+r"(rows)
		: [tile] "r"(tile)
		: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "x9", "x10", "x11", "x12", "x13",
		  "x14", "x15", "x16", "cc", "memory");
	/* clang-format on */
	return rows;
}

/* Sums are in rows as they are. */
ALWAYS_INLINE void tile_rows(int32x4_t acc[TILE_ROWS][4])
{
	(void)acc;
}

ALWAYS_INLINE uint8_t *tile_put(const enum gemm_rounding rounding, const struct gemm_panel *p,
	const struct panel_output *o, size_t step, int32x4_t acc[TILE_ROWS][4], uint8_t *to)
{
	return tile16_put(rounding, p, o, step, acc, to);
}

ALWAYS_INLINE const int32_t *tile_start(const struct gemm_panel *p, int32_t room[32])
{
	(void)room;
	return p->start;
}

#include "kernels/gemm/gemm_tile16_body.h"

const struct gemm_isa gemm_dotprod = {
	.rows = TILE_ROWS,
	.cols = GEMM_COLS,
	.group = GROUP,
	.lowest = INT8_MIN,
	.pair = 1,
	.bring = rows_bring,
	.codes = codes,
	.sums = sums,
};
