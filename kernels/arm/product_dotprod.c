/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With dot products: SDOT multiplies four codes of a row with four of each of four columns.
 *
 * A tile of 6 rows by 16 columns fills 24 registers with sums, 6 with 16 codes of each row, and has
 * two for weights. Packed weights are [depth / 4][16 columns][4].
 */
#include "kernels/arm/tile16_neon.h"

#define GROUP 4

/* 16 columns times one group of each row. */
#define GROUP_STEP(i)                                                                              \
	_Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                        \
	{                                                                                          \
		const int8x16_t columns = vld1q_s8(w + (i)*GROUP * PRODUCT_COLS + 16 * j);         \
		_Pragma("GCC unroll 8") for (int r = 0; r < mr; r++)                               \
		{                                                                                  \
			acc[r][j] = vdotq_laneq_s32(acc[r][j], columns, x[r], (i));                \
		}                                                                                  \
	}

ALWAYS_INLINE void tile_some(const int mr, const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int8_t *w = p->weights;
	const int8_t *rows[TILE_ROWS];
	tile16_start(mr, p->start, acc);
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		rows[r] = b->rows + (first + (size_t)r) * b->stride;
	}
	for (size_t k = 0; k < b->depth; k += 16, w += 16 * PRODUCT_COLS) {
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
	"ldp q6, q7, [%[w]], 32\n" DOTS("v6", "0", i) DOTS("v7", "1", i)                           \
	"ldp q6, q7, [%[w]], 32\n" DOTS("v6", "2", i) DOTS("v7", "3", i)

/* x9 to x14 are the rows' ends, x15 counts up to them. */
ALWAYS_INLINE void tile_whole(const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int8_t *w = p->weights, *rows = b->rows + first * b->stride;
	__asm__ volatile(
		"ldp %q[s00], %q[s01], [%[start]]\n"
		"ldp %q[s02], %q[s03], [%[start], 32]\n"
		"add x9, %[rows], %[depth]\n"
		"add x10, x9, %[stride]\n"
		"add x11, x10, %[stride]\n"
		"add x12, x11, %[stride]\n"
		"add x13, x12, %[stride]\n"
		"add x14, x13, %[stride]\n"
		"neg x15, %[depth]\n"
		TILE16_COPY_ROW("1", "0") TILE16_COPY_ROW("2", "0") TILE16_COPY_ROW("3", "0")
		TILE16_COPY_ROW("4", "0") TILE16_COPY_ROW("5", "0")
		"1:\n"
		"ldr q0, [x9, x15]\n"
		"ldr q1, [x10, x15]\n"
		"ldr q2, [x11, x15]\n"
		"ldr q3, [x12, x15]\n"
		"ldr q4, [x13, x15]\n"
		"ldr q5, [x14, x15]\n"
		GROUP_DOTS("0") GROUP_DOTS("1") GROUP_DOTS("2") GROUP_DOTS("3")
		"adds x15, x15, 16\n"
		"b.ne 1b\n"
		: TILE16_SUMS(acc), [w] "+r"(w)
		: [rows] "r"(rows), [stride] "r"(b->stride), [depth] "r"(b->depth),
		  [start] "r"(p->start)
		: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "x9", "x10", "x11", "x12", "x13",
		  "x14", "x15", "cc", "memory");
	/* clang-format on */
}

#include "kernels/arm/tile16_body.h"

const struct product_isa product_dotprod = {
	.rows = TILE_ROWS,
	.cols = PRODUCT_COLS,
	.group = GROUP,
	.lowest = INT8_MIN,
	.pair = 1,
	.bring = rows_bring,
	.codes = codes,
	.sums = sums,
};
