/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_neon_body - products without dot products
 *
 * SMULL and SMLAL sum two products in 16 bits, SADALP adds pairs of those to sums of 32 bits: 16
 * products by three instructions. Two products fit in 16 bits but for those of -128 by -128: a panel
 * with such a weight adds each product by itself.
 *
 * A tile of TILE_ROWS by 4 columns has as many sums as registers allow, each of them spread over four
 * lanes, which are added up at the end. Packed weights are [4 parts][depth / 16][4 columns][16]. This
 * file is included once for each GEMM_ISA, which is defined here, with its TILE_ROWS and
 * GEMM_IN_ORDER: 1 where the products of several rows are begun before the first of them is added,
 * as cores that run instructions in order want it.
 */
#include "kernels/gemm/rows_neon.h"

#define PART 4 /* columns */
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

ALWAYS_INLINE int32x4_t add_pairs(const bool first, int32x4_t sum, int16x8_t products)
{
	return first ? vpaddlq_s16(products) : vpadalq_s16(sum, products);
}

/* 16 products of each row, or the first of its sum. */
#if GEMM_IN_ORDER
ALWAYS_INLINE void multiply(const int mr, const bool first, const bool lowest, const int column,
	const int8x16_t x[TILE_ROWS], int8x16_t w, int32x4_t acc[TILE_ROWS][PART])
{
	int16x8_t products[TILE_ROWS];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		products[r] = vmull_s8(vget_low_s8(x[r]), vget_low_s8(w));
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr && !lowest; r++) {
		products[r] = multiply_add_high(products[r], x[r], w);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		acc[r][column] = add_pairs(first, acc[r][column], products[r]);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr && lowest; r++) {
		acc[r][column] = vpadalq_s16(acc[r][column], multiply_high(x[r], w));
	}
}
#else
ALWAYS_INLINE void multiply(const int mr, const bool first, const bool lowest, const int column,
	const int8x16_t x[TILE_ROWS], int8x16_t w, int32x4_t acc[TILE_ROWS][PART])
{
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		int16x8_t products = vmull_s8(vget_low_s8(x[r]), vget_low_s8(w));
		if (lowest) {
			acc[r][column] = add_pairs(first, acc[r][column], products);
			acc[r][column] = vpadalq_s16(acc[r][column], multiply_high(x[r], w));
		} else {
			products = multiply_add_high(products, x[r], w);
			acc[r][column] = add_pairs(first, acc[r][column], products);
		}
	}
}
#endif

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

/* 16 steps of the depth: rows[r][k] and on. */
ALWAYS_INLINE void step(const int mr, const bool first, const bool lowest,
	const int8_t *const rows[TILE_ROWS], ptrdiff_t k, const int8_t *w,
	int32x4_t acc[TILE_ROWS][PART])
{
	int8x16_t x[TILE_ROWS];
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		x[r] = vld1q_s8(rows[r] + k);
	}
#pragma GCC unroll 4
	for (int j = 0; j < PART; j++) {
		multiply(mr, first, lowest, j, x, vld1q_s8(w + 16 * j), acc);
	}
}

/* What is the same for all tiles of a part of a panel. */
struct work {
	int32x4_t start, rest;
	struct panel_scale scale;
	const int8_t *weights;
	size_t depth;
	bool rests;
};

static struct work work_init(const struct gemm_block *b, const struct gemm_panel *p, uint32_t col)
{
	return (struct work){
		.start = vld1q_s32(p->start + col),
		.rest = vld1q_s32(p->rest + col),
		.scale = panel_scale(p, (int)col),
		.weights = p->weights + col * b->depth,
		.depth = b->depth,
		.rests = p->rests,
	};
}

/* Sums of @mr rows, a constant, from @from on; @row_sums are theirs. */
ALWAYS_INLINE void tile(const int mr, const bool lowest, const bool rests, const struct work *work,
	const int8_t *from, const int32_t *row_sums, int32x4_t sums[TILE_ROWS])
{
	const int8_t *w = work->weights;
	const int8_t *ends[TILE_ROWS];
	int32x4_t acc[TILE_ROWS][PART];
	ptrdiff_t k = -(ptrdiff_t)work->depth;
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		ends[r] = (r ? ends[r - 1] : from - k) + (r ? work->depth : 0);
	}
	step(mr, true, lowest, ends, k, w, acc);
	for (k += 16; k != 0; k += 16) {
		w += 16 * PART;
		step(mr, false, lowest, ends, k, w, acc);
	}
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		sums[r] = add_up(acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
		sums[r] = vaddq_s32(sums[r], work->start);
	}
	if (rests) {
#pragma GCC unroll 8
		for (int r = 0; r < mr; r++) {
			sums[r] = vmlaq_n_s32(sums[r], work->rest, row_sums[r]);
		}
	}
}

/* The four codes of each of @n rows. */
ALWAYS_INLINE void put_rows(const int n, uint8_t *to, size_t step, uint8x16_t codes)
{
	uint32_t rows[4];
	vst1q_u32(rows, vreinterpretq_u32_u8(codes));
#pragma GCC unroll 4
	for (int r = 0; r < n; r++, to += step) {
		memcpy(to, &rows[r], PART);
	}
}

/* Requantises and stores a whole tile. */
ALWAYS_INLINE void put_tile(const enum gemm_rounding rounding, const struct work *w,
	const struct panel_output *o, size_t step, const int32x4_t sums[TILE_ROWS], uint8_t *to)
{
	int32x4_t v[8];
#pragma GCC unroll 8
	for (int r = 0; r < 8; r++) {
		v[r] = r < TILE_ROWS ? panel_requant(rounding, w->scale, sums[r])
				     : v[TILE_ROWS - 1];
	}
#pragma GCC unroll 2
	for (int r = 0; r < TILE_ROWS; r += 4) {
		int n = TILE_ROWS - r < 4 ? TILE_ROWS - r : 4;
		uint8x16_t codes =
			panel_codes(rounding, true, o, v[r], v[r + 1], v[r + 2], v[r + 3]);
		put_rows(n, to + (size_t)r * step, step, codes);
	}
}

/* Whole tiles of a panel that fits. */
ALWAYS_INLINE void codes_part(const enum gemm_rounding rounding, const bool rests,
	const struct work *w, const struct gemm_block *b, const struct gemm_output *o,
	const struct gemm_target *to)
{
	const struct panel_output output = panel_output(o);
	const int8_t *from = b->rows;
	const int32_t *row_sums = b->sums;
	uint8_t *at = to->to;
	for (uint32_t n = b->n; n >= TILE_ROWS; n -= TILE_ROWS) {
		int32x4_t sums[TILE_ROWS];
		tile(TILE_ROWS, false, rests, w, from, row_sums, sums);
		put_tile(rounding, w, &output, to->step, sums, at);
		from += TILE_ROWS * w->depth;
		at += TILE_ROWS * to->step;
		row_sums += TILE_ROWS;
	}
}

typedef void codes_fn(const struct work *w, const struct gemm_block *b, const struct gemm_output *o,
	const struct gemm_target *to);

/* One function for each kind of panel, so that sums stay in registers in each of them. */
#define CODES_DEFINE(name, rounding, rests)                                                        \
	static void name(const struct work *w, const struct gemm_block *b,                         \
		const struct gemm_output *o, const struct gemm_target *to)                         \
	{                                                                                          \
		codes_part(rounding, rests, w, b, o, to);                                          \
	}

CODES_DEFINE(codes_away, GEMM_AWAY, false)
CODES_DEFINE(codes_away_rests, GEMM_AWAY, true)
CODES_DEFINE(codes_full, GEMM_FULL, false)
CODES_DEFINE(codes_full_rests, GEMM_FULL, true)

ALWAYS_INLINE void sums_tile(const int mr, const bool lowest, const struct work *w,
	const struct gemm_block *b, uint32_t first, int32_t *to)
{
	int32x4_t sums[TILE_ROWS];
	tile(mr, lowest, w->rests, w, b->rows + first * w->depth, b->sums + first, sums);
#pragma GCC unroll 8
	for (int r = 0; r < mr; r++) {
		vst1q_s32(to + r * GEMM_COLS, sums[r]);
	}
}

/* Sums of as many rows from @first on as one tile has; returns how many. */
static uint32_t sums_some(
	const struct gemm_block *b, uint32_t first, const struct gemm_panel *p, int32_t *to)
{
	uint32_t left = b->n - first;
	uint32_t n = p->lowest || left == 1 ? 1 : left >= TILE_ROWS ? TILE_ROWS : 2;
	for (uint32_t col = 0; col < GEMM_COLS; col += PART, to += PART) {
		const struct work w = work_init(b, p, col);
		if (p->lowest) {
			sums_tile(1, true, &w, b, first, to);
		} else if (n == TILE_ROWS) {
			sums_tile(TILE_ROWS, false, &w, b, first, to);
		} else if (n == 2) {
			sums_tile(2, false, &w, b, first, to);
		} else {
			sums_tile(1, false, &w, b, first, to);
		}
	}
	return n;
}

static uint32_t codes_whole(const struct gemm_block *b, const struct gemm_panel *p,
	const struct gemm_output *o, const struct gemm_target *to)
{
	bool full = p->rounding == GEMM_FULL;
	codes_fn *fn = p->rests ? full ? codes_full_rests : codes_away_rests
		: full          ? codes_full
				: codes_away;
	for (uint32_t col = 0; col < GEMM_COLS; col += PART) {
		const struct work w = work_init(b, p, col);
		const struct gemm_target part = {to->to + col, to->step, PART};
		fn(&w, b, o, &part);
	}
	return b->n / TILE_ROWS * TILE_ROWS;
}

static void codes(const struct gemm_block *b, const struct gemm_panel *p,
	const struct gemm_output *o, const struct gemm_target *to)
{
	int32_t some[TILE_ROWS * GEMM_COLS];
	uint32_t r = gemm_is_plain(p, to) && !p->lowest ? codes_whole(b, p, o, to) : 0;
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

const struct gemm_isa GEMM_ISA = {
	.rows = TILE_ROWS,
	.cols = PART,
	.group = 16,
	.lowest = -INT8_MAX,
	.pair = 1,
	.bring = rows_bring,
	.codes = codes,
	.sums = sums,
};
