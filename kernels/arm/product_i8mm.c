/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With matrix products: SMMLA multiplies 8 codes of each of two rows with 8 of each of two columns.
 *
 * Rows come in pairs, in turns of 8 codes. A tile of 3 pairs by 8 pairs of columns fills 24 registers
 * with sums (row 0: columns 0, 1; row 1: columns 0, 1). Packed weights are [depth / 8][16 columns][8].
 */
#include "kernels/arm/tile16_neon.h"

#define GROUP 8

/* The sums of a pair of rows are given by pairs of columns, and put in rows' order here. */
ALWAYS_INLINE void pair_of_rows(int32x4_t row0[4], int32x4_t row1[4])
{
	const int32x4_t pairs[8] = {
		row0[0], row0[1], row0[2], row0[3], row1[0], row1[1], row1[2], row1[3]};
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		int64x2_t a = vreinterpretq_s64_s32(pairs[2 * j]);
		int64x2_t b = vreinterpretq_s64_s32(pairs[2 * j + 1]);
		row0[j] = vreinterpretq_s32_s64(vuzp1q_s64(a, b));
		row1[j] = vreinterpretq_s32_s64(vuzp2q_s64(a, b));
	}
}

/* What pair_of_rows() takes apart: the starts of both rows. */
ALWAYS_INLINE void start_pairs(const int32_t *start, int32x4_t pairs[8])
{
#pragma GCC unroll 8
	for (int j = 0; j < 8; j++) {
		int32x2_t two = vld1_s32(start + 2 * j);
		pairs[j] = vcombine_s32(two, two);
	}
}

ALWAYS_INLINE void tile_some(const int mr, const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int pairs = (mr + 1) / 2;
	const int8_t *w = p->weights, *rows = b->rows + first * b->stride;
	int32x4_t sums[2][8];
	start_pairs(p->start, sums[0]);
	start_pairs(p->start, sums[1]);
	for (size_t k = 0; k < b->depth; k += GROUP, w += GROUP * PRODUCT_COLS) {
		int8x16_t x0 = vld1q_s8(rows + 2 * k);
		int8x16_t x1 = pairs > 1 ? vld1q_s8(rows + 2 * b->stride + 2 * k) : x0;
#pragma GCC unroll 8
		for (int j = 0; j < 8; j++) {
			int8x16_t columns = vld1q_s8(w + 16 * j);
			sums[0][j] = vmmlaq_s32(sums[0][j], x0, columns);
			sums[1][j] = pairs > 1 ? vmmlaq_s32(sums[1][j], x1, columns) : sums[1][j];
		}
	}
#pragma GCC unroll 2
	for (int i = 0; i < pairs; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			acc[2 * i][j] = sums[i][j];
			acc[2 * i + 1][j] = sums[i][4 + j];
		}
		pair_of_rows(acc[2 * i], acc[2 * i + 1]);
	}
}

/* A pair of columns, in @c, times three pairs of rows; then all columns times them. */
/* clang-format off */
#define COLUMNS(c, s0, s1, s2, a0, a1, a2)                                                         \
	"smmla %[s" s0 "].4s, " a0 ".16b, " c ".16b\n"                                             \
	"smmla %[s" s1 "].4s, " a1 ".16b, " c ".16b\n"                                             \
	"smmla %[s" s2 "].4s, " a2 ".16b, " c ".16b\n"
#define GROUP_PRODUCTS(a0, a1, a2)                                                                 \
	"ldp q6, q7, [%[w]], 32\n"                                                                 \
	COLUMNS("v6", "00", "20", "40", a0, a1, a2) COLUMNS("v7", "01", "21", "41", a0, a1, a2)    \
	"ldp q6, q7, [%[w]], 32\n"                                                                 \
	COLUMNS("v6", "02", "22", "42", a0, a1, a2) COLUMNS("v7", "03", "23", "43", a0, a1, a2)    \
	"ldp q6, q7, [%[w]], 32\n"                                                                 \
	COLUMNS("v6", "10", "30", "50", a0, a1, a2) COLUMNS("v7", "11", "31", "51", a0, a1, a2)    \
	"ldp q6, q7, [%[w]], 32\n"                                                                 \
	COLUMNS("v6", "12", "32", "52", a0, a1, a2) COLUMNS("v7", "13", "33", "53", a0, a1, a2)

/* x9 to x11 walk along the pairs of rows, x12 counts the depth. */
ALWAYS_INLINE void tile_whole(const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int8_t *w = p->weights, *rows = b->rows + first * b->stride;
	__asm__ volatile(
		"mov x9, %[rows]\n"
		"add x10, %[rows], %[stride], lsl 1\n"
		"add x11, x10, %[stride], lsl 1\n"
		"mov x12, %[depth]\n"
		"ldp q0, q1, [%[start]]\n"
		"ldp q2, q3, [%[start], 32]\n"
		"dup %[s00].2d, v0.d[0]\n"
		"dup %[s01].2d, v0.d[1]\n"
		"dup %[s02].2d, v1.d[0]\n"
		"dup %[s03].2d, v1.d[1]\n"
		"dup %[s10].2d, v2.d[0]\n"
		"dup %[s11].2d, v2.d[1]\n"
		"dup %[s12].2d, v3.d[0]\n"
		"dup %[s13].2d, v3.d[1]\n"
		TILE16_COPY_ROW("2", "0") TILE16_COPY_ROW("4", "0")
		TILE16_COPY_ROW("3", "1") TILE16_COPY_ROW("5", "1")
		"1:\n"
		"ldp q0, q3, [x9], 32\n"
		"ldp q1, q4, [x10], 32\n"
		"ldp q2, q5, [x11], 32\n"
		GROUP_PRODUCTS("v0", "v1", "v2") GROUP_PRODUCTS("v3", "v4", "v5")
		"subs x12, x12, 16\n"
		"b.ne 1b\n"
		: TILE16_SUMS(acc), [w] "+r"(w)
		: [rows] "r"(rows), [stride] "r"(b->stride), [depth] "r"(b->depth),
		  [start] "r"(p->start)
		: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "x9", "x10", "x11", "x12", "cc",
		  "memory");
	/* clang-format on */
	pair_of_rows(acc[0], acc[1]);
	pair_of_rows(acc[2], acc[3]);
	pair_of_rows(acc[4], acc[5]);
}

#include "kernels/arm/tile16_body.h"

/* 16 codes of both rows. */
ALWAYS_INLINE void put_pair(int8_t *to, int8x16_t x, int8x16_t y)
{
	int64x2_t a = vreinterpretq_s64_s8(x), b = vreinterpretq_s64_s8(y);
	vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(a, b)));
	vst1q_s8(to + 16, vreinterpretq_s8_s64(vzip2q_s64(a, b)));
}

static void bring(
	int8_t *to, const uint8_t *const rows[2], size_t depth, uint8_t flip, int32_t *ret_sums)
{
	const uint8_t *row0 = rows[0], *row1 = rows[1];
	const uint8x16_t f = vdupq_n_u8(flip);
	int32x4_t sum0 = vdupq_n_s32(0), sum1 = sum0;
	size_t k = 0;
	for (; k + 16 <= depth; k += 16, to += 32) {
		int8x16_t x = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row0 + k), f));
		int8x16_t y = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row1 + k), f));
		put_pair(to, x, y);
		sum0 = rows_add(sum0, x);
		sum1 = rows_add(sum1, y);
	}
	if (k < depth) {
		int8x16_t x = rows_tail(row0 + k, depth - k, flip);
		int8x16_t y = rows_tail(row1 + k, depth - k, flip);
		put_pair(to, x, y);
		sum0 = rows_add(sum0, x);
		sum1 = rows_add(sum1, y);
	}
	if (ret_sums) {
		ret_sums[0] = rows_sum(sum0);
		ret_sums[1] = rows_sum(sum1);
	}
}

const struct product_isa product_i8mm = {
	.rows = TILE_ROWS,
	.cols = PRODUCT_COLS,
	.group = GROUP,
	.lowest = INT8_MIN,
	.pair = 2,
	.bring = bring,
	.codes = codes,
	.sums = sums,
};
