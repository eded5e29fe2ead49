/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_tile16_body - all rows of a block, by an instruction set's tiles
 *
 *   tile_start(panel, room)     what all rows' sums of a whole tile start at, in @room if need be
 *   tile_whole(tile, rows, acc) sums of six rows, in an order of its own; returns the next rows
 *   tile_rows(acc)              brings them into rows' order: column 4 j + i in lane i of acc[r][j]
 *   tile_put(...)               requantises them in their own order, as tile16_put() in rows' order
 *   tile_some(mr, ...)          sums of @mr rows, a constant, in rows' order
 *
 * This file is included once by each instruction set, behind them.
 */

/* What the rows' sums add. */
ALWAYS_INLINE void tile16_rest(const int mr, const struct gemm_block *b, uint32_t first,
	const struct gemm_panel *p, int32x4_t acc[TILE_ROWS][4])
{
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		const int32x4_t rest = vld1q_s32(p->rest + 4 * j);
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			acc[r][j] = vmlaq_n_s32(acc[r][j], rest, b->sums[first + (uint32_t)r]);
		}
	}
}

ALWAYS_INLINE struct tile16 tile16_init(
	const struct gemm_block *b, const struct gemm_panel *p, int32_t room[32])
{
	return (struct tile16){p->weights, b->depth, tile_start(p, room)};
}

/* Whole tiles of a panel that fits; returns how many rows that were. */
ALWAYS_INLINE uint32_t tile16_codes(const enum gemm_rounding rounding, const bool rests,
	const struct gemm_block *b, const struct gemm_panel *p, const struct gemm_output *o,
	const struct gemm_target *to)
{
	const struct panel_output output = panel_output(o);
	int32_t room[32];
	const struct tile16 tile = tile16_init(b, p, room);
	const size_t step = to->step;
	const uint32_t end = b->n / TILE_ROWS * TILE_ROWS;
	const int8_t *rows = b->rows;
	uint8_t *at = to->to;
	for (uint32_t r = 0; r < end; r += TILE_ROWS) {
		int32x4_t acc[TILE_ROWS][4];
		rows = tile_whole(&tile, rows, acc);
		if (rests) {
			tile_rows(acc);
			tile16_rest(TILE_ROWS, b, r, p, acc);
			at = tile16_put(rounding, p, &output, step, acc, at);
		} else {
			at = tile_put(rounding, p, &output, step, acc, at);
		}
	}
	return end;
}

/* One function for each kind of panel, so that sums stay in registers in each of them. */
#define TILE16_CODES_DEFINE(name, rounding, rests)                                                 \
	static uint32_t name(const struct gemm_block *b, const struct gemm_panel *p,               \
		const struct gemm_output *o, const struct gemm_target *to)                         \
	{                                                                                          \
		return tile16_codes(rounding, rests, b, p, o, to);                                 \
	}

TILE16_CODES_DEFINE(codes_away, GEMM_AWAY, false)
TILE16_CODES_DEFINE(codes_away_rests, GEMM_AWAY, true)
TILE16_CODES_DEFINE(codes_full, GEMM_FULL, false)
TILE16_CODES_DEFINE(codes_full_rests, GEMM_FULL, true)

ALWAYS_INLINE void tile16_sums(const int mr, const struct gemm_block *b, uint32_t first,
	const struct gemm_panel *p, int32_t *to)
{
	int32x4_t acc[TILE_ROWS][4];
	if (mr == TILE_ROWS) {
		int32_t room[32];
		const struct tile16 tile = tile16_init(b, p, room);
		tile_whole(&tile, b->rows + first * b->depth, acc);
		tile_rows(acc);
	} else {
		tile_some(mr, b, first, p, acc);
	}
	if (p->rests) {
		tile16_rest(mr, b, first, p, acc);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			vst1q_s32(to + r * GEMM_COLS + 4 * j, acc[r][j]);
		}
	}
}

/* Sums of as many rows from @first on as one tile has; returns how many. */
static uint32_t sums_some(
	const struct gemm_block *b, uint32_t first, const struct gemm_panel *p, int32_t *to)
{
	uint32_t left = b->n - first;
	if (left >= TILE_ROWS) {
		tile16_sums(TILE_ROWS, b, first, p, to);
		return TILE_ROWS;
	}
	if (left >= 4) {
		tile16_sums(4, b, first, p, to);
		return 4;
	}
	if (left >= 2) {
		tile16_sums(2, b, first, p, to);
		return 2;
	}
	tile16_sums(1, b, first, p, to);
	return 1;
}

static void codes(const struct gemm_block *b, const struct gemm_panel *p,
	const struct gemm_output *o, const struct gemm_target *to)
{
	int32_t some[TILE_ROWS * GEMM_COLS];
	uint32_t r = 0;
	if (gemm_is_plain(p, to)) {
		bool full = p->rounding == GEMM_FULL;
		r = (p->rests          ? full ? codes_full_rests : codes_away_rests
				: full ? codes_full
				       : codes_away)(b, p, o, to);
	}
	for (uint32_t n; r < b->n; r += n) {
		const struct gemm_target rest = {to->to + r * to->step, to->step, to->cols};
		n = sums_some(b, r, p, some);
		gemm_put(some, n, p, o, &rest);
	}
}

static void sums(const struct gemm_block *b, const struct gemm_panel *p, int32_t *to)
{
	for (uint32_t r = 0; r < b->n;) {
		r += sums_some(b, r, p, to + r * GEMM_COLS);
	}
}
