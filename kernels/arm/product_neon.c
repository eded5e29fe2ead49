/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without dot products: SMULL and SMLAL sum two products in 16 bits, SADALP adds pairs of those to
 * sums of 32 bits, 16 products by three instructions. Two products fit in 16 bits but for those of
 * -128 by -128: a panel with such a weight adds each product by itself.
 *
 * A tile of rows by 4 columns has as many sums as registers allow, each of them spread over four
 * lanes, which are added up at the end. Packed weights are [4 parts][depth / 16][4 columns][16].
 */
#include "kernels/arm/rows_neon.h"

#define PART 4 /* columns */
#if defined(__aarch64__)
#define TILE_ROWS 6
#else
#define TILE_ROWS 2
#endif

ALWAYS_INLINE int16x8_t multiply_high(int8x16_t a, int8x16_t b)
{
#if defined(__aarch64__)
	return vmull_high_s8(a, b);
#else
	return vmull_s8(vget_high_s8(a), vget_high_s8(b));
#endif
}

ALWAYS_INLINE int16x8_t multiply_add_high(int16x8_t sum, int8x16_t a, int8x16_t b)
{
#if defined(__aarch64__)
	return vmlal_high_s8(sum, a, b);
#else
	return vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b));
#endif
}

/* 16 products, or the first of a sum. */
ALWAYS_INLINE int32x4_t multiply(
	const bool first, const bool lowest, int32x4_t sum, int8x16_t a, int8x16_t b)
{
	int16x8_t products = vmull_s8(vget_low_s8(a), vget_low_s8(b));
	if (lowest) {
		sum = first ? vpaddlq_s16(products) : vpadalq_s16(sum, products);
		return vpadalq_s16(sum, multiply_high(a, b));
	}
	products = multiply_add_high(products, a, b);
	return first ? vpaddlq_s16(products) : vpadalq_s16(sum, products);
}

ALWAYS_INLINE int32x4_t add_up(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
#if defined(__aarch64__)
	return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
#else
	int32x2_t x = vpadd_s32(vget_low_s32(a), vget_high_s32(a));
	int32x2_t y = vpadd_s32(vget_low_s32(b), vget_high_s32(b));
	int32x2_t z = vpadd_s32(vget_low_s32(c), vget_high_s32(c));
	int32x2_t w = vpadd_s32(vget_low_s32(d), vget_high_s32(d));
	return vcombine_s32(vpadd_s32(x, y), vpadd_s32(z, w));
#endif
}

/* 16 steps of the depth. */
ALWAYS_INLINE void step(const int mr, const bool first, const bool lowest,
	const int8_t *const rows[TILE_ROWS], size_t k, const int8_t *w,
	int32x4_t acc[TILE_ROWS][PART])
{
	int8x16_t x[TILE_ROWS];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		x[r] = vld1q_s8(rows[r] + k);
	}
#pragma GCC unroll 4
	for (int j = 0; j < PART; j++) {
		int8x16_t column = vld1q_s8(w + PART * k + 16 * j);
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			acc[r][j] = multiply(first, lowest, acc[r][j], x[r], column);
		}
	}
}

/* Sums of @mr rows, a constant, by the four columns of @part. */
ALWAYS_INLINE void tile(const int mr, const bool lowest, const struct product_block *b,
	uint32_t first, const struct product_panel *p, int part, int32x4_t sums[TILE_ROWS])
{
	const int8_t *w = p->weights + (size_t)part * PART * b->depth;
	const int8_t *rows[TILE_ROWS];
	int32x4_t acc[TILE_ROWS][PART];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		rows[r] = b->rows + (first + (size_t)r) * b->stride;
	}
	step(mr, true, lowest, rows, 0, w, acc);
	for (size_t k = 16; k < b->depth; k += 16) {
		step(mr, false, lowest, rows, k, w, acc);
	}
	const int32x4_t start = vld1q_s32(p->start + PART * part);
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		sums[r] = add_up(acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
		sums[r] = vaddq_s32(sums[r], start);
	}
	if (p->rests) {
		const int32x4_t rest = vld1q_s32(p->rest + PART * part);
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			sums[r] = vmlaq_n_s32(sums[r], rest, b->sums[first + (uint32_t)r]);
		}
	}
}

ALWAYS_INLINE void put_part(uint8_t *to, uint32x4_t codes, const int lane, uint32_t cols)
{
	uint32_t four = vgetq_lane_u32(codes, lane);
	memcpy(to, &four, cols < PART ? cols : PART);
}

/* The four codes of each of up to four rows. */
ALWAYS_INLINE void put_rows(const int n, uint8_t *to, size_t step, uint8x16_t codes, uint32_t cols)
{
	uint32x4_t rows = vreinterpretq_u32_u8(codes);
	put_part(to, rows, 0, cols);
	if (n > 1) {
		put_part(to + step, rows, 1, cols);
	}
	if (n > 2) {
		put_part(to + 2 * step, rows, 2, cols);
		put_part(to + 3 * step, rows, 3, cols);
	}
}

/* What is the same for all tiles of a part of a panel. */
struct work {
	const struct product_block *block;
	const struct product_panel *panel;
	struct panel_output output;
	uint8_t *to;
	size_t step;
	uint32_t cols;
	int part;
};

/* Requantises and stores a tile. */
ALWAYS_INLINE void put_tile(const int mr, const enum product_rounding rounding,
	const struct work *w, const int32x4_t sums[TILE_ROWS], uint8_t *to)
{
	const struct panel_output *o = &w->output;
	const struct panel_scale scale = panel_scale(w->panel, PART * w->part);
	int32x4_t v[8];
#pragma GCC unroll 8
	for (int r = 0; r < 8; r++) {
		v[r] = r < mr ? panel_requant(rounding, scale, sums[r]) : v[mr - 1];
	}
	int8x16_t codes = panel_codes(rounding, false, o, v[0], v[1], v[2], v[3]);
	put_rows(mr > 4 ? 4 : mr, to, w->step, panel_limit(o, codes), w->cols);
	if (mr > 4) {
		codes = panel_codes(rounding, false, o, v[4], v[5], v[6], v[7]);
		put_rows(mr - 4, to + 4 * w->step, w->step, panel_limit(o, codes), w->cols);
	}
}

ALWAYS_INLINE void codes_tile(const int mr, const bool lowest, const struct work *w, uint32_t first)
{
	int32x4_t sums[TILE_ROWS];
	uint8_t *to = w->to + first * w->step;
	const enum product_rounding rounding = w->panel->rounding;
	tile(mr, lowest, w->block, first, w->panel, w->part, sums);
	if (rounding == PRODUCT_UP) {
		put_tile(mr, PRODUCT_UP, w, sums, to);
	} else if (rounding == PRODUCT_AWAY) {
		put_tile(mr, PRODUCT_AWAY, w, sums, to);
	} else {
		put_tile(mr, PRODUCT_TOTAL, w, sums, to);
	}
}

ALWAYS_INLINE void codes_part(const bool lowest, const struct work *w)
{
	uint32_t r = 0, n = w->block->n;
	for (; r + TILE_ROWS <= n; r += TILE_ROWS) {
		codes_tile(TILE_ROWS, lowest, w, r);
	}
#if TILE_ROWS > 4
	if (r + 4 <= n) {
		codes_tile(4, lowest, w, r);
		r += 4;
	}
	if (r + 2 <= n) {
		codes_tile(2, lowest, w, r);
		r += 2;
	}
#endif
	if (r < n) {
		codes_tile(1, lowest, w, r);
	}
}

static void codes_part_lowest(const struct work *w)
{
	codes_part(true, w);
}

static void codes_part_plain(const struct work *w)
{
	codes_part(false, w);
}

static void codes(const struct product_block *b, const struct product_panel *p,
	const struct product_output *o, const struct product_target *to)
{
	struct work w = {.block = b, .panel = p, .output = panel_output(o), .step = to->step};
	for (uint32_t col = 0; col < to->cols; col += PART) {
		w.part = (int)(col / PART);
		w.to = to->to + col;
		w.cols = to->cols - col;
		if (p->lowest) {
			codes_part_lowest(&w);
		} else {
			codes_part_plain(&w);
		}
	}
}

ALWAYS_INLINE void sums_tile(const int mr, const bool lowest, const struct product_block *b,
	const struct product_panel *p, uint32_t first, int part, int32_t *to)
{
	int32x4_t sums[TILE_ROWS];
	tile(mr, lowest, b, first, p, part, sums);
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		vst1q_s32(to + (first + (uint32_t)r) * PRODUCT_COLS + PART * part, sums[r]);
	}
}

static void sums(const struct product_block *b, const struct product_panel *p, int32_t *to)
{
	for (int part = 0; part < PRODUCT_COLS / PART; part++) {
		uint32_t r = 0;
		for (; r + TILE_ROWS <= b->n && !p->lowest; r += TILE_ROWS) {
			sums_tile(TILE_ROWS, false, b, p, r, part, to);
		}
		for (; r < b->n && !p->lowest; r++) {
			sums_tile(1, false, b, p, r, part, to);
		}
		for (; r < b->n; r++) {
			sums_tile(1, true, b, p, r, part, to);
		}
	}
}

const struct product_isa product_neon = {
	.cols = PART,
	.group = 16,
	.lowest = -INT8_MAX,
	.pair = 1,
	.bring = rows_bring,
	.codes = codes,
	.sums = sums,
};
