/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of rows are copied to scratch, unsigned and filled up to fours of bytes; the sums are
 * rescaled in double, as the plain-C rows do it. */
#include "kernels/gemm/gemm_avx512vnni.h"
#include "kernels/gemm/matmul_variants.h"

uint64_t ek_matmul_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return gemm_packed_bytes(shape->cols, shape->depth);
}

uint64_t ek_matmul_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return gemm_scratch_bytes(shape->rows, shape->depth);
}

static void pack(const struct ek_matmul_q *a, bool is_signed, void *packed)
{
	const struct gemm_weights w = {
		.w = a->w,
		.cols = a->shape.cols,
		.depth = a->shape.depth,
		.is_signed = is_signed,
		.input_zero = a->input_zero,
		.weights_zero = a->weights_zero,
	};
	gemm_pack(&w, packed);
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
static void fill(const struct ek_matmul_q *a, uint32_t first, bool is_signed, struct gemm_block *b)
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
	gemm_sum_rows(b, is_signed ? 0 : 128 - a->weights_zero);
}

/*
 * ek_round32(), which no value here leaves undefined: products are finite or infinite, no NaN. To
 * nearest with ties away from zero is: add the largest number below one half, and cut. What is
 * below all int32 is cut to the least of them by itself.
 */
ALWAYS_INLINE __m256i round32(__m512d x)
{
	const __m512i half = _mm512_castpd_si512(_mm512_set1_pd(0x1.fffffffffffffp-2));
	const __m512i sign = _mm512_set1_epi64(INT64_MIN);
	__m512i h = _mm512_ternarylogic_epi64(_mm512_castpd_si512(x), sign, half, 0xEA);
	__m512d y = _mm512_add_pd(x, _mm512_castsi512_pd(h));
	return _mm512_cvttpd_epi32(_mm512_min_pd(y, _mm512_set1_pd(2147483647.0)));
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

/* Up to 64 columns of the output and their panel. */
struct columns {
	uint32_t first, n;
	const int32_t *start, *bias; /* bias may be NULL */
	const int8_t *weights;
	uint32_t vectors; /* of the panel */
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

static void put_s16(const struct ek_matmul_q *a, const struct columns *c, size_t at,
	const __m512i v[PANEL_VECTORS])
{
	for (uint32_t j = 0; 16 * j < c->n; j++) {
		__m512i y = _mm512_max_epi32(v[j], _mm512_set1_epi32(a->lo));
		y = _mm512_min_epi32(y, _mm512_set1_epi32(a->hi));
		_mm512_mask_cvtepi32_storeu_epi16(
			(int16_t *)a->output + at + 16 * j, panel_lanes(c->n, j), y);
	}
}

/* The columns of one row, of @nv vectors. */
ALWAYS_INLINE void put(const uint32_t nv, const struct ek_matmul_q *a, const struct columns *c,
	uint32_t row, const __m512i sums[PANEL_VECTORS], bool is_signed)
{
	const struct panel_output o = {a->output_zero, a->lo, a->hi, is_signed};
	size_t at = (size_t)row * a->shape.cols + c->first;
	__m512i v[PANEL_VECTORS];
#pragma GCC unroll 4
	for (uint32_t j = 0; j < PANEL_VECTORS; j++) {
		__mmask16 lanes = panel_lanes(c->n, j);
		v[j] = _mm512_setzero_si512();
		if (j < nv) {
			v[j] = a->fixed ? fixed_point(sums[j], a->fixed + c->first + 16 * j, lanes)
					: rescale(sums[j], a->scale + c->first + 16 * j, lanes);
			v[j] = _mm512_add_epi32(v[j], _mm512_set1_epi32(o.zero));
		}
	}
	if (a->output_s16) {
		put_s16(a, c, at, v);
	} else {
		_mm512_mask_storeu_epi8(
			(uint8_t *)a->output + at, panel_bytes(c->n), panel_pack_natural(&o, v));
	}
}

/* What the sums of one row start with. */
ALWAYS_INLINE __m512i start_of(const struct columns *c, uint32_t j)
{
	__m512i start = _mm512_load_si512(c->start + 16 * j);
	__mmask16 lanes = c->bias ? panel_lanes(c->n, j) : 0;
	return lanes ? _mm512_add_epi32(start, _mm512_maskz_loadu_epi32(lanes, c->bias + 16 * j))
		     : start;
}

ALWAYS_INLINE void row_step(const int nv, const uint8_t *row, const int8_t *w, __m512i sums[])
{
	__m512i x = gemm_broadcast(row);
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		sums[j] = _mm512_dpbusd_epi32(sums[j], x, _mm512_load_si512(w + 64 * j));
	}
}

/* One row: a step's products don't wait for those of the step before. */
ALWAYS_INLINE void row_sums(const int nv, const struct gemm_block *b, const struct columns *c,
	__m512i sums[PANEL_VECTORS])
{
	const int8_t *w = c->weights;
	const size_t stride = b->stride;
	__m512i odd[PANEL_VECTORS];
	size_t k = 0;
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		sums[j] = _mm512_add_epi32(start_of(c, (uint32_t)j), _mm512_set1_epi32(b->add[0]));
		odd[j] = _mm512_setzero_si512();
	}
	for (; k + 16 <= stride; k += 16, w += 256 * nv) {
		row_step(nv, b->rows + k, w, sums);
		row_step(nv, b->rows + k + 4, w + 64 * nv, odd);
		row_step(nv, b->rows + k + 8, w + 128 * nv, sums);
		row_step(nv, b->rows + k + 12, w + 192 * nv, odd);
	}
	for (; k < stride; k += 4, w += 64 * nv) {
		row_step(nv, b->rows + k, w, sums);
	}
#pragma GCC unroll 4
	for (int j = 0; j < nv; j++) {
		sums[j] = _mm512_add_epi32(sums[j], odd[j]);
	}
}

ALWAYS_INLINE void one_row(const struct ek_matmul_q *a, const struct gemm_block *b, uint32_t row,
	const struct columns *c, bool is_signed)
{
	__m512i sums[PANEL_VECTORS];
	switch (c->vectors) {
	case 1:
		row_sums(1, b, c, sums);
		put(1, a, c, row, sums, is_signed);
		break;
	case 2:
		row_sums(2, b, c, sums);
		put(2, a, c, row, sums, is_signed);
		break;
	case 3:
		row_sums(3, b, c, sums);
		put(3, a, c, row, sums, is_signed);
		break;
	default:
		row_sums(4, b, c, sums);
		put(4, a, c, row, sums, is_signed);
	}
}

static void block_columns(const struct ek_matmul_q *a, const struct gemm_block *b,
	uint32_t first_row, const struct columns *c, bool is_signed)
{
	__m512i start[PANEL_VECTORS], sums[BLOCK_STEP][PANEL_VECTORS];
	for (uint32_t j = 0; j < PANEL_VECTORS; j++) {
		start[j] = start_of(c, j);
	}
	for (uint32_t r = 0; r < b->n;) {
		uint32_t n = gemm_run(c->vectors, b, r, c->weights, start, sums);
		for (uint32_t i = 0; i < n; i++) {
			put(c->vectors, a, c, first_row + r + i, sums[i], is_signed);
		}
		r += n;
	}
}

static struct columns columns_at(const struct ek_matmul_q *a, uint32_t first, uint32_t end)
{
	return (struct columns){
		.first = first,
		.n = panel_least(end - first, PANEL_COLS),
		.start = (const int32_t *)a->w + first,
		.bias = a->bias32 ? a->bias32 + first : NULL,
		.weights = gemm_panel(a->w, a->shape.cols, a->shape.depth, first),
		.vectors = (panel_least(a->shape.cols - first, PANEL_COLS) + 15) / 16,
	};
}

ALWAYS_INLINE void run(
	const struct ek_matmul_q *a, const struct ek_tile *t, const bool is_signed, void *scratch)
{
	struct gemm_block b = gemm_block(scratch, a->shape.depth);
	uint32_t end_row = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	uint32_t rows = t->n_rows > 1 ? gemm_block_rows(a->shape.depth) : 1;
	for (uint32_t row = t->first_row; row < end_row; row += b.n) {
		b.n = panel_least(rows, end_row - row);
		fill(a, row, is_signed, &b);
		for (uint32_t n = t->first_col; n < end_col; n += PANEL_COLS) {
			const struct columns c = columns_at(a, n, end_col);
			if (b.n == 1) {
				one_row(a, &b, row, &c, is_signed);
			} else {
				block_columns(a, &b, row, &c, is_signed);
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
