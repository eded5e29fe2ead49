/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With matrix products: SMMLA multiplies 8 codes of each of two rows with 8 of each of two columns.
 *
 * Rows come in pairs, in turns of 8 codes. A tile of 3 pairs by 8 pairs of columns fills 24 registers
 * with sums (row 0: columns 0, 1; row 1: columns 0, 1). Packed weights are [depth / 8][16 columns][8].
 */
#include "kernels/gemm/gemm_arm.h"
#include "kernels/gemm/gemm_tile16_neon.h"

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

ALWAYS_INLINE void tile_some(const int mr, const struct gemm_block *b, uint32_t first,
	const struct gemm_panel *p, int32x4_t acc[TILE_ROWS][4])
{
	const int pairs = (mr + 1) / 2;
	const int8_t *w = p->weights, *rows = b->rows + first * b->depth;
	int32x4_t sums[2][8];
	start_pairs(p->start, sums[0]);
	start_pairs(p->start, sums[1]);
	for (size_t k = 0; k < b->depth; k += GROUP, w += GROUP * GEMM_COLS) {
		int8x16_t x0 = vld1q_s8(rows + 2 * k);
		int8x16_t x1 = pairs > 1 ? vld1q_s8(rows + 2 * b->depth + 2 * k) : x0;
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
	"ldp q6, q7, [x14], 32\n"                                                                 \
	COLUMNS("v6", "00", "20", "40", a0, a1, a2) COLUMNS("v7", "01", "21", "41", a0, a1, a2)    \
	"ldp q6, q7, [x14], 32\n"                                                                 \
	COLUMNS("v6", "02", "22", "42", a0, a1, a2) COLUMNS("v7", "03", "23", "43", a0, a1, a2)    \
	"ldp q6, q7, [x14], 32\n"                                                                 \
	COLUMNS("v6", "10", "30", "50", a0, a1, a2) COLUMNS("v7", "11", "31", "51", a0, a1, a2)    \
	"ldp q6, q7, [x14], 32\n"                                                                 \
	COLUMNS("v6", "12", "32", "52", a0, a1, a2) COLUMNS("v7", "13", "33", "53", a0, a1, a2)

#define START_PAIRS(r0, r1)                                                                        \
	TILE16_START_ROW(r0)                                                                       \
	"ldp %q[s" r1 "0], %q[s" r1 "1], [x16, 64]\n"                                              \
	"ldp %q[s" r1 "2], %q[s" r1 "3], [x16, 96]\n"

/* 16 steps of the depth. */
#define TURN                                                                                       \
	"ldp q0, q3, [%[rows]], 32\n"                                                              \
	"ldp q1, q4, [x9], 32\n"                                                                   \
	"ldp q2, q5, [x10], 32\n"                                                                  \
	GROUP_PRODUCTS("v0", "v1", "v2") GROUP_PRODUCTS("v3", "v4", "v5")

/* Pairs of rows from @rows on; returns where the next ones are, the end of the last one. */
ALWAYS_INLINE const int8_t *tile_whole(
	const struct tile16 *tile, const int8_t *rows, int32x4_t acc[TILE_ROWS][4])
{
	__asm__ volatile(
		TILE16_LOAD
		START_PAIRS("0", "1") START_PAIRS("2", "3") START_PAIRS("4", "5")
		"add x9, %[rows], x15, lsl 1\n"
		"add x10, x9, x15, lsl 1\n"
		TILE16_TURNS(TURN)
		"mov %[rows], x10\n"
		: TILE16_SUMS(acc), [rows] "+r"(rows)
		: [tile] "r"(tile)
		: "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "x9", "x10", "x14", "x15", "x16",
		  "cc", "memory");
	/* clang-format on */
	return rows;
}

ALWAYS_INLINE void tile_rows(int32x4_t acc[TILE_ROWS][4])
{
#pragma GCC unroll 3
	for (int r = 0; r < TILE_ROWS; r += 2) {
		pair_of_rows(acc[r], acc[r + 1]);
	}
}

static const int32_t *tile_start(const struct gemm_panel *p, int32_t room[32])
{
	int32x4_t pairs[8];
	start_pairs(p->start, pairs);
#pragma GCC unroll 8
	for (int j = 0; j < 8; j++) {
		vst1q_s32(room + 4 * j, pairs[j]);
	}
	return room;
}

/* Codes of two columns lie together in both rows: they are put in rows' order by twos. */
ALWAYS_INLINE void put_pair_of_rows(const enum gemm_rounding rounding, const struct panel_output *o,
	size_t step, const int32x4_t row0[4], const int32x4_t row1[4], uint8_t *to)
{
	uint16x8_t low = vreinterpretq_u16_u8(
		panel_codes(rounding, true, o, row0[0], row0[1], row0[2], row0[3]));
	uint16x8_t high = vreinterpretq_u16_u8(
		panel_codes(rounding, true, o, row1[0], row1[1], row1[2], row1[3]));
	vst1q_u8(to, vreinterpretq_u8_u16(vuzp1q_u16(low, high)));
	vst1q_u8(to + step, vreinterpretq_u8_u16(vuzp2q_u16(low, high)));
}

ALWAYS_INLINE uint8_t *tile_put(const enum gemm_rounding rounding, const struct gemm_panel *p,
	const struct panel_output *o, size_t step, int32x4_t acc[TILE_ROWS][4], uint8_t *to)
{
#pragma GCC unroll 8
	for (int j = 0; j < 8; j++) {
		const struct panel_scale scale = {vld1q_s32(p->pairs->scale[j][0]),
			vld1q_s32(p->pairs->scale[j][1]), vdupq_n_s32(0)};
#pragma GCC unroll 3
		for (int r = 0; r < TILE_ROWS; r += 2) {
			int32x4_t *sum = &acc[r + j / 4][j % 4];
			*sum = panel_requant(rounding, scale, *sum);
		}
	}
#pragma GCC unroll 3
	for (int r = 0; r < TILE_ROWS; r += 2, to += 2 * step) {
		put_pair_of_rows(rounding, o, step, acc[r], acc[r + 1], to);
	}
	return to;
}

#include "kernels/gemm/gemm_tile16_body.h"

/* 16 codes of both rows. */
ALWAYS_INLINE void put_pair(int8_t *to, int8x16_t x, int8x16_t y)
{
	const int64x2x2_t pair = {{vreinterpretq_s64_s8(x), vreinterpretq_s64_s8(y)}};
	vst2q_s64((int64_t *)(void *)to, pair);
}

/* 32 codes of both rows in a turn; compilers move registers to where ST2 wants them. */
/* clang-format off */
#define BRING_TURNS(flips)                                                                         \
	__asm__ volatile(                                                                          \
		"1:\n"                                                                             \
		"ldp q0, q2, [%[row0]], 32\n"                                                      \
		"ldp q1, q3, [%[row1]], 32\n"                                                      \
		flips                                                                              \
		"st2 {v0.2d, v1.2d}, [%[to]], 32\n"                                                \
		"st2 {v2.2d, v3.2d}, [%[to]], 32\n"                                                \
		"subs %[left], %[left], 32\n"                                                      \
		"b.ne 1b\n"                                                                        \
		: [to] "+r"(to), [row0] "+r"(row0), [row1] "+r"(row1), [left] "+r"(left)           \
		: [flip] "w"(f)                                                                    \
		: "v0", "v1", "v2", "v3", "cc", "memory")
#define BRING_FLIPS                                                                                \
	"eor v0.16b, v0.16b, %[flip].16b\n"                                                        \
	"eor v1.16b, v1.16b, %[flip].16b\n"                                                        \
	"eor v2.16b, v2.16b, %[flip].16b\n"                                                        \
	"eor v3.16b, v3.16b, %[flip].16b\n"
/* clang-format on */

/* Whole vectors of both rows; sums are not asked for. */
static void bring_whole(
	int8_t *to, const uint8_t *row0, const uint8_t *row1, size_t depth, uint8_t flip)
{
	const uint8x16_t f = vdupq_n_u8(flip);
	size_t left = depth / 32 * 32;
	if (left && flip) {
		BRING_TURNS(BRING_FLIPS);
	} else if (left) {
		BRING_TURNS("");
	}
	if (depth % 32 != 0) {
		put_pair(to, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row0), f)),
			vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row1), f)));
	}
}

/* With sums, or a rest. Not inlined: the other way is short. */
static __attribute__((noinline)) void bring_any(
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

static void bring(
	int8_t *to, const uint8_t *const rows[2], size_t depth, uint8_t flip, int32_t *ret_sums)
{
	if (ret_sums || depth % 16 != 0) {
		bring_any(to, rows, depth, flip, ret_sums);
	} else {
		bring_whole(to, rows[0], rows[1], depth, flip);
	}
}

const struct gemm_isa gemm_i8mm = {
	.rows = TILE_ROWS,
	.cols = GEMM_COLS,
	.group = GROUP,
	.lowest = INT8_MIN,
	.pair = 2,
	.bring = bring,
	.codes = codes,
	.sums = sums,
};
