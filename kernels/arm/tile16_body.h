/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile16_body - all rows of a block, by an instruction set's TILE16_TILE
 *
 * TILE16_TILE(mr, block, first, panel, acc) makes the sums of @mr rows (a constant) from @first on,
 * 16 columns each in acc[r][0..4): column 4 j + i in lane i of acc[r][j]. This file is included once
 * by each of them.
 */

/* Row @r of the sums of @first on, with what the row's sum adds. */
ALWAYS_INLINE void tile16_rest(const int mr, const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32x4_t acc[TILE_ROWS][4])
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

/* What is the same for all tiles of a panel. */
struct work {
	const struct product_block *block;
	const struct product_panel *panel;
	struct panel_output output;
	const struct product_target *to;
};

ALWAYS_INLINE void tile16_put(const int mr, const enum product_rounding rounding, const bool fits,
	const struct work *w, int32x4_t acc[TILE_ROWS][4], uint8_t *to)
{
	const size_t step = w->to->step;
	const struct panel_output o = w->output;
	uint8x16_t codes[TILE_ROWS];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		const struct panel_scale scale = panel_scale(w->panel, 4 * j);
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			acc[r][j] = panel_requant(rounding, scale, acc[r][j]);
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		int8x16_t c =
			panel_codes(rounding, fits, &o, acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
		codes[r] = vreinterpretq_u8_s8(c);
	}
	if (!o.plain) {
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			codes[r] = panel_limit(&o, vreinterpretq_s8_u8(codes[r]));
		}
	}
	if (w->to->cols == PRODUCT_COLS) {
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++, to += step) {
			vst1q_u8(to, codes[r]);
		}
		return;
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++, to += step) {
		panel_store_some(to, codes[r], w->to->cols);
	}
}

ALWAYS_INLINE void tile16_codes(const int mr, const struct work *w, uint32_t first)
{
	int32x4_t acc[TILE_ROWS][4];
	uint8_t *to = w->to->to + first * w->to->step;
	const struct product_panel *p = w->panel;
	TILE16_TILE(mr, w->block, first, p, acc);
	if (p->rests) {
		tile16_rest(mr, w->block, first, p, acc);
	}
	if (p->rounding == PRODUCT_UP && p->fits) {
		tile16_put(mr, PRODUCT_UP, true, w, acc, to);
	} else if (p->rounding == PRODUCT_AWAY) {
		tile16_put(mr, PRODUCT_AWAY, false, w, acc, to);
	} else {
		tile16_put(mr, PRODUCT_TOTAL, false, w, acc, to);
	}
}

static void codes(const struct product_block *b, const struct product_panel *p,
	const struct product_output *o, const struct product_target *to)
{
	const struct work w = {b, p, panel_output(o), to};
	uint32_t r = 0;
	for (; r + TILE_ROWS <= b->n; r += TILE_ROWS) {
		tile16_codes(TILE_ROWS, &w, r);
	}
	if (r + 4 <= b->n) {
		tile16_codes(4, &w, r);
		r += 4;
	}
	if (r + 2 <= b->n) {
		tile16_codes(2, &w, r);
		r += 2;
	}
	if (r < b->n) {
		tile16_codes(1, &w, r);
	}
}

ALWAYS_INLINE void tile16_sums(const int mr, const struct product_block *b, uint32_t first,
	const struct product_panel *p, int32_t *to)
{
	int32x4_t acc[TILE_ROWS][4];
	TILE16_TILE(mr, b, first, p, acc);
	if (p->rests) {
		tile16_rest(mr, b, first, p, acc);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			vst1q_s32(to + (first + (size_t)r) * PRODUCT_COLS + 4 * j, acc[r][j]);
		}
	}
}

static void sums(const struct product_block *b, const struct product_panel *p, int32_t *to)
{
	uint32_t r = 0;
	for (; r + TILE_ROWS <= b->n; r += TILE_ROWS) {
		tile16_sums(TILE_ROWS, b, r, p, to);
	}
	for (; r + 2 <= b->n; r += 2) {
		tile16_sums(2, b, r, p, to);
	}
	if (r < b->n) {
		tile16_sums(1, b, r, p, to);
	}
}
