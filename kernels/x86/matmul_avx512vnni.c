/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of rows are copied to scratch, unsigned and filled up to fours of bytes; the sums are
 * rescaled in double, as the plain-C rows do it. */
#include "kernels/x86/matmul.h"
#include "kernels/x86/product_avx512vnni.h"

uint64_t ek_matmul_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return product_packed_bytes(shape->cols, shape->depth);
}

uint64_t ek_matmul_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return product_scratch_bytes(shape->rows, shape->depth);
}

static void pack(const struct ek_matmul_q *a, bool is_signed, void *packed)
{
	const struct product_weights w = {
		.w = a->w,
		.cols = a->shape.cols,
		.depth = a->shape.depth,
		.is_signed = is_signed,
		.input_zero = a->input_zero,
		.weights_zero = a->weights_zero,
	};
	product_pack(&w, packed);
}

void ek_matmul_s8_pack__avx512vnni(const struct ek_matmul_q *args, void *packed)
{
	pack(args, true, packed);
}

void ek_matmul_u8_pack__avx512vnni(const struct ek_matmul_q *args, void *packed)
{
	pack(args, false, packed);
}

/* Rows from @first on, unsigned; the bytes behind a row are zero. */
static void fill(
	const struct ek_matmul_q *a, uint32_t first, bool is_signed, struct product_block *b)
{
	const __m512i sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0));
	const size_t depth = a->shape.depth, whole = depth / 64 * 64;
	const __mmask64 rest = panel_bytes((uint32_t)(depth - whole));
	const uint8_t *from = (const uint8_t *)a->a + first * depth;
	for (uint32_t r = 0; r < b->n; r++, from += depth) {
		uint8_t *to = b->rows + r * b->stride;
		for (size_t k = 0; k < whole; k += 64) {
			__m512i v = _mm512_loadu_si512(from + k);
			_mm512_storeu_si512(to + k, _mm512_xor_si512(v, sign));
		}
		__m512i v = _mm512_maskz_loadu_epi8(rest, from + whole);
		_mm512_mask_storeu_epi8(to + whole, panel_bytes((uint32_t)(b->stride - whole)),
			_mm512_maskz_mov_epi8(rest, _mm512_xor_si512(v, sign)));
	}
	product_sum_rows(b, is_signed ? 0 : 128 - a->weights_zero);
}

/*
 * ek_round32(), which no value here leaves undefined: products are finite or infinite, no NaN. To
 * nearest with ties away from zero is: add the largest number below one half, and cut.
 */
ALWAYS_INLINE __m256i round32(__m512d x)
{
	const __m512d half = _mm512_set1_pd(0x1.fffffffffffffp-2);
	__m512d sign = _mm512_and_pd(x, _mm512_set1_pd(-0.0));
	__m512d y = _mm512_add_pd(x, _mm512_or_pd(half, sign));
	y = _mm512_roundscale_pd(y, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	y = _mm512_min_pd(y, _mm512_set1_pd(2147483647.0));
	y = _mm512_max_pd(y, _mm512_set1_pd(-2147483648.0));
	return _mm512_cvttpd_epi32(y);
}

/* 16 sums times their scales. */
ALWAYS_INLINE __m512i rescale(__m512i sums, const double *scale, __mmask16 lanes)
{
	__m512d low = _mm512_cvtepi32_pd(_mm512_castsi512_si256(sums));
	__m512d high = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(sums, 1));
	low = _mm512_mul_pd(low, _mm512_maskz_loadu_pd((__mmask8)lanes, scale));
	high = _mm512_mul_pd(high, _mm512_maskz_loadu_pd((__mmask8)(lanes >> 8), scale + 8));
	return _mm512_inserti64x4(_mm512_castsi256_si512(round32(low)), round32(high), 1);
}

struct columns {
	uint32_t first, n; /* of the output */
	__m512i start[PANEL_VECTORS];
	const int8_t *weights;
};

/* ek_mbqm() of 16 sums. */
static __m512i fixed_point(__m512i sums, const struct ek_scale *scale, __mmask16 lanes)
{
	struct panel p = {.fused = false};
	__m512i multiplier, shift;
	panel_load_scales(scale, lanes, &multiplier, &shift);
	panel_set_scale(&p, 0, multiplier, shift);
	return panel_requant_total(&p, 0, sums);
}

/* 16 columns of one row, from column 16 @j of the panel on. */
static void put(const struct ek_matmul_q *a, const struct columns *c, uint32_t row, uint32_t j,
	__m512i sums)
{
	uint32_t n = c->first + 16 * j;
	__mmask16 lanes = panel_lanes(c->n, j);
	__m512i y = a->fixed ? fixed_point(sums, a->fixed + n, lanes)
			     : rescale(sums, a->scale + n, lanes);
	y = _mm512_add_epi32(y, _mm512_set1_epi32(a->output_zero));
	y = _mm512_max_epi32(y, _mm512_set1_epi32(a->lo));
	y = _mm512_min_epi32(y, _mm512_set1_epi32(a->hi));
	size_t at = (size_t)row * a->shape.cols + n;
	if (a->output_s16) {
		_mm512_mask_cvtepi32_storeu_epi16((int16_t *)a->output + at, lanes, y);
	} else {
		_mm512_mask_cvtepi32_storeu_epi8((uint8_t *)a->output + at, lanes, y);
	}
}

/* One row: a step's products don't wait for those of the step before. */
ALWAYS_INLINE void row_sums(const int nv, const struct product_block *b, const struct columns *c,
	__m512i sums[PANEL_VECTORS])
{
	const int8_t *w = c->weights;
	const size_t stride = b->stride;
	__m512i odd[PANEL_VECTORS];
	size_t k = 0;
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		sums[j] = _mm512_add_epi32(c->start[j], _mm512_set1_epi32(b->add[0]));
		odd[j] = _mm512_setzero_si512();
	}
	for (; k + 8 <= stride; k += 8, w += 128 * nv) {
		__m512i x = product_broadcast(b->rows + k), y = product_broadcast(b->rows + k + 4);
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			sums[j] = _mm512_dpbusd_epi32(sums[j], x, _mm512_load_si512(w + 64 * j));
			odd[j] = _mm512_dpbusd_epi32(
				odd[j], y, _mm512_load_si512(w + 64 * (nv + j)));
		}
	}
	if (k < stride) {
		__m512i x = product_broadcast(b->rows + k);
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			sums[j] = _mm512_dpbusd_epi32(sums[j], x, _mm512_load_si512(w + 64 * j));
		}
	}
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		sums[j] = _mm512_add_epi32(sums[j], odd[j]);
	}
}

static void one_row(const struct ek_matmul_q *a, const struct product_block *b, uint32_t row,
	const struct columns *c, uint32_t vectors)
{
	__m512i sums[PANEL_VECTORS];
	switch (vectors) {
	case 1:
		row_sums(1, b, c, sums);
		break;
	case 2:
		row_sums(2, b, c, sums);
		break;
	case 3:
		row_sums(3, b, c, sums);
		break;
	default:
		row_sums(4, b, c, sums);
	}
	for (uint32_t j = 0; 16 * j < c->n; j++) {
		put(a, c, row, j, sums[j]);
	}
}

static void block_columns(const struct ek_matmul_q *a, const struct product_block *b,
	uint32_t first_row, const struct columns *c, uint32_t vectors)
{
	__m512i sums[BLOCK_STEP][PANEL_VECTORS];
	for (uint32_t r = 0; r < b->n;) {
		uint32_t n = product_run(vectors, b, r, c->weights, c->start, sums);
		for (uint32_t i = 0; i < n; i++) {
			for (uint32_t j = 0; 16 * j < c->n; j++) {
				put(a, c, first_row + r + i, j, sums[i][j]);
			}
		}
		r += n;
	}
}

static struct columns columns_at(
	const struct ek_matmul_q *a, uint32_t first, uint32_t end, uint32_t in_panel)
{
	struct columns c = {.first = first, .n = panel_least(end - first, PANEL_COLS)};
	c.weights = product_panel(a->w, a->shape.cols, a->shape.depth, first);
	const int32_t *start = a->w, *bias = a->bias32 ? a->bias32 + first : NULL;
	for (uint32_t j = 0; j < PANEL_VECTORS; j++) {
		__m512i b = bias ? _mm512_maskz_loadu_epi32(panel_lanes(in_panel, j), bias + 16 * j)
				 : _mm512_setzero_si512();
		c.start[j] = _mm512_add_epi32(_mm512_load_si512(start + first + 16 * j), b);
	}
	return c;
}

static void run(const struct ek_matmul_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct product_block b = product_block(scratch, a->shape.depth);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < end_row; row += b.n) {
		b.n = panel_least(product_block_rows(a->shape.depth), end_row - row);
		fill(a, row, is_signed, &b);
		for (uint32_t n = t->first_col; n < end_col; n += PANEL_COLS) {
			uint32_t in_panel = panel_least(a->shape.cols - n, PANEL_COLS);
			const struct columns c = columns_at(a, n, end_col, in_panel);
			uint32_t vectors = (in_panel + 15) / 16;
			if (b.n == 1) {
				one_row(a, &b, row, &c, vectors);
			} else {
				block_columns(a, &b, row, &c, vectors);
			}
		}
	}
}

void ek_matmul_s8__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, true, scratch);
}

void ek_matmul_u8__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, false, scratch);
}
