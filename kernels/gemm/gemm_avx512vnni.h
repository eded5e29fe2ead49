/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_avx512vnni - products of rows of unsigned bytes and panels of packed signed weights
 *
 *   sums[r][n] = panel.start[n] + row_add[r] + sum over k of a[r][k] * w[n][k]
 *
 * VPDPBUSD wants an unsigned and a signed operand: int8 codes become x + 128, uint8 weights
 * w - 128. With x, xz, wz so moved, and all sums modulo 2^32:
 *
 *   sum of (x - xz) (w - wz) = sum of x w  - xz sum of w + depth xz wz  - wz sum of x
 *                                           `-- start[n], packed --'   `- row_add -'
 *
 * Packed weights: int32 start[cols rounded up to 64], then for each panel of 64 columns (the last
 * one of as many vectors of 16 as it has) [steps][vectors][16 columns][4 bytes of depth], zero
 * beyond the weights.
 */
#ifndef KERNELS_GEMM_GEMM_AVX512VNNI_H
#define KERNELS_GEMM_GEMM_AVX512VNNI_H

#include <string.h>

#include "kernels/gemm/packed_panel_avx512.h"

/* Rows of a block are a multiple of every tile's height, and stay in the first cache. */
#define BLOCK_STEP 12
#define BLOCK_ROWS 48
#define BLOCK_BYTES 16384

/* The operands as they are in the file. */
struct gemm_weights {
	const void *w; /* [cols][depth] */
	uint32_t cols;
	size_t depth;
	bool is_signed;
	int32_t input_zero, weights_zero;
};

ALWAYS_INLINE uint64_t gemm_stride(uint64_t depth)
{
	return (depth + 3) & ~(uint64_t)3;
}

ALWAYS_INLINE uint64_t gemm_start_bytes(uint32_t cols)
{
	return ((uint64_t)cols + PANEL_COLS - 1) / PANEL_COLS * PANEL_COLS * sizeof(int32_t);
}

static inline uint64_t gemm_packed_bytes(uint32_t cols, uint64_t depth)
{
	uint64_t vectors = ((uint64_t)cols + 15) / 16;
	return gemm_start_bytes(cols) + vectors * 16 * gemm_stride(depth);
}

static inline uint32_t gemm_block_rows(uint64_t depth)
{
	uint64_t rows = BLOCK_BYTES / (gemm_stride(depth) * BLOCK_STEP) * BLOCK_STEP;
	return rows < BLOCK_STEP ? BLOCK_STEP : rows > BLOCK_ROWS ? BLOCK_ROWS : (uint32_t)rows;
}

/* What is added to each row of a block, and the block, of which an output of @rows fills so many. */
static inline uint64_t gemm_scratch_bytes(uint64_t rows, uint64_t depth)
{
	uint32_t block = gemm_block_rows(depth);
	return BLOCK_ROWS * sizeof(int32_t) + (rows < block ? rows : block) * gemm_stride(depth);
}

static inline const int8_t *gemm_panel(
	const void *packed, uint32_t cols, size_t depth, uint32_t first_col)
{
	return (const int8_t *)packed + gemm_start_bytes(cols) +
		first_col * (size_t)gemm_stride(depth);
}

static inline int8_t gemm_weight(const struct gemm_weights *w, uint32_t n, size_t k)
{
	if (n >= w->cols || k >= w->depth) {
		return 0;
	}
	uint8_t code = ((const uint8_t *)w->w)[n * w->depth + k];
	return (int8_t)(w->is_signed ? code : code ^ 0x80);
}

static inline int32_t gemm_start(const struct gemm_weights *w, uint32_t n)
{
	int32_t input_zero = w->input_zero + (w->is_signed ? 128 : 0);
	int32_t weights_zero = w->is_signed ? 0 : w->weights_zero - 128;
	uint32_t sum = 0;
	for (size_t k = 0; k < w->depth; k++) {
		sum += (uint32_t)gemm_weight(w, n, k);
	}
	return (int32_t)((uint32_t)input_zero *
		((uint32_t)w->depth * (uint32_t)weights_zero - sum));
}

/* One panel of @vectors from column @first on; returns what lies behind it. */
static inline int8_t *gemm_pack_panel(
	const struct gemm_weights *w, uint32_t first, uint32_t vectors, int8_t *to)
{
	for (size_t k = 0; k < w->depth; k += 4) {
		for (uint32_t n = first; n < first + 16 * vectors; n++) {
			for (size_t i = 0; i < 4; i++) {
				*to++ = gemm_weight(w, n, k + i);
			}
		}
	}
	return to;
}

static inline void gemm_pack(const struct gemm_weights *w, void *packed)
{
	int32_t *start = packed;
	int8_t *to = (int8_t *)packed + gemm_start_bytes(w->cols);
	memset(packed, 0, (size_t)gemm_start_bytes(w->cols));
	for (uint32_t n = 0; n < w->cols; n++) {
		start[n] = gemm_start(w, n);
	}
	for (uint32_t n = 0; n < w->cols; n += PANEL_COLS) {
		uint32_t vectors = (panel_least(w->cols - n, PANEL_COLS) + 15) / 16;
		to = gemm_pack_panel(w, n, vectors, to);
	}
}

/* Rows in scratch, in their own turn made unsigned, and what their sums ask for. */
struct gemm_block {
	uint8_t *rows;
	int32_t *add;
	size_t stride;
	uint32_t n;
};

static inline struct gemm_block gemm_block(void *scratch, uint64_t depth)
{
	struct gemm_block b = {.stride = (size_t)gemm_stride(depth)};
	b.add = scratch;
	b.rows = (uint8_t *)(b.add + BLOCK_ROWS);
	return b;
}

static inline int32_t gemm_row_sum(const uint8_t *row, size_t bytes)
{
	__m512i sum = _mm512_setzero_si512();
	for (size_t at = 0; at < bytes; at += 64) {
		__mmask64 m = panel_bytes(bytes - at < 64 ? (uint32_t)(bytes - at) : 64);
		__m512i v = _mm512_maskz_loadu_epi8(m, row + at);
		sum = _mm512_dpbusd_epi32(sum, v, _mm512_set1_epi8(1));
	}
	return _mm512_reduce_add_epi32(sum);
}

/* @by: 128 less the weights' zero point. The bytes behind a row's depth are zero. */
static inline void gemm_sum_rows(struct gemm_block *b, int32_t by)
{
	for (uint32_t r = 0; r < b->n; r++) {
		b->add[r] = by ? ek_mul32(by, gemm_row_sum(b->rows + r * b->stride, b->stride)) : 0;
	}
}

ALWAYS_INLINE __m512i gemm_broadcast(const uint8_t *from)
{
	int32_t v;
	memcpy(&v, from, sizeof(v));
	return _mm512_set1_epi32(v);
}

/*
 * @mr rows of @nv vectors, both constants: all sums stay in registers. Rows by threes from one
 * pointer each, which the addressing modes reach without a register per row.
 */
ALWAYS_INLINE void gemm_tile(const int mr, const int nv, const struct gemm_block *b, uint32_t first,
	const int8_t *w, const __m512i *start, __m512i sums[][PANEL_VECTORS])
{
	__m512i acc[12][PANEL_VECTORS];
	const uint8_t *group[4] = {NULL};
	const size_t stride = b->stride;
	for (int g = 0; g < (mr + 2) / 3; g++) {
		group[g] = b->rows + (first + 3 * (uint32_t)g) * stride;
	}
#pragma GCC unroll 12
	for (int r = 0; r < mr; r++) {
		__m512i add = _mm512_set1_epi32(b->add[first + (uint32_t)r]);
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			acc[r][j] = _mm512_add_epi32(start[j], add);
		}
	}
	for (size_t k = 0; k < stride; k += 4, w += 64 * nv) {
		__m512i panel[PANEL_VECTORS];
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			panel[j] = _mm512_load_si512(w + 64 * j);
		}
#pragma GCC unroll 12
		for (int r = 0; r < mr; r++) {
			__m512i a = gemm_broadcast(group[r / 3] + (size_t)(r % 3) * stride);
#pragma GCC unroll 4
			for (int j = 0; j < nv; j++) {
				acc[r][j] = _mm512_dpbusd_epi32(acc[r][j], a, panel[j]);
			}
		}
#pragma GCC unroll 4
		for (int g = 0; g < (mr + 2) / 3; g++) {
			group[g] += 4;
		}
	}
#pragma GCC unroll 12
	for (int r = 0; r < mr; r++) {
#pragma GCC unroll 4
		for (int j = 0; j < nv; j++) {
			sums[r][j] = acc[r][j];
		}
	}
}

/* As many rows as @left has room for; returns how many. */
#define GEMM_DEFINE(nv, most)                                                                      \
	static uint32_t gemm_tile_##nv(const struct gemm_block *b, uint32_t first,                 \
		const int8_t *w, const __m512i *start, __m512i sums[][PANEL_VECTORS])              \
	{                                                                                          \
		uint32_t left = b->n - first;                                                      \
		if (left >= most) {                                                                \
			gemm_tile(most, nv, b, first, w, start, sums);                             \
			return most;                                                               \
		}                                                                                  \
		if (left >= 4) {                                                                   \
			gemm_tile(4, nv, b, first, w, start, sums);                                \
			return 4;                                                                  \
		}                                                                                  \
		if (left >= 2) {                                                                   \
			gemm_tile(2, nv, b, first, w, start, sums);                                \
			return 2;                                                                  \
		}                                                                                  \
		gemm_tile(1, nv, b, first, w, start, sums);                                        \
		return 1;                                                                          \
	}

GEMM_DEFINE(1, 12)
GEMM_DEFINE(2, 12)
GEMM_DEFINE(3, 6)
GEMM_DEFINE(4, 6)

static inline uint32_t gemm_run(uint32_t vectors, const struct gemm_block *b, uint32_t first,
	const int8_t *w, const __m512i *start, __m512i sums[][PANEL_VECTORS])
{
	switch (vectors) {
	case 1:
		return gemm_tile_1(b, first, w, start, sums);
	case 2:
		return gemm_tile_2(b, first, w, start, sums);
	case 3:
		return gemm_tile_3(b, first, w, start, sums);
	default:
		return gemm_tile_4(b, first, w, start, sums);
	}
}

#endif
