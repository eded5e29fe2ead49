/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product_sse41 - products of rows of widened codes and panels of 8 packed columns
 *
 * PMADDUBSW saturates sums of two products of 8 bits, so that codes are widened to 16: both less
 * their zero points, -255 .. 255. PMADDWD sums pairs of products exactly, and the rest wraps.
 *
 * Packed weights: for each panel of 16 columns [depth by twos][8 columns][2], int16, zero beyond.
 */
#ifndef KERNELS_X86_PRODUCT_SSE41_H
#define KERNELS_X86_PRODUCT_SSE41_H

#include "kernels/x86/panel_sse41.h"
#include "kernels/x86/product_ymm.h"

#define BLOCK_STEP 4
#define BLOCK_ROWS 24
#define BLOCK_BYTES 16384

typedef int16_t product_element; /* of rows and packed weights */

/* Elements of a widened row. */
ALWAYS_INLINE uint64_t product_stride(uint64_t depth)
{
	return (depth + 7) & ~(uint64_t)7;
}

/* Those of them that are multiplied. */
ALWAYS_INLINE uint64_t product_depth(uint64_t depth)
{
	return (depth + 1) & ~(uint64_t)1;
}

static inline uint64_t product_packed_bytes(uint32_t cols, uint64_t depth)
{
	uint64_t panels = ((uint64_t)cols + PANEL_COLS - 1) / PANEL_COLS;
	return panels * PANEL_COLS * product_depth(depth) * sizeof(int16_t);
}

static inline uint32_t product_block_rows(uint64_t depth)
{
	uint64_t rows = BLOCK_BYTES / (product_stride(depth) * BLOCK_STEP) * BLOCK_STEP;
	return rows < BLOCK_STEP ? BLOCK_STEP : rows > BLOCK_ROWS ? BLOCK_ROWS : (uint32_t)rows;
}

/* A block, of which an output of @rows fills so many. */
static inline uint64_t product_scratch_bytes(uint64_t rows, uint64_t depth)
{
	uint32_t block = product_block_rows(depth);
	return (rows < block ? rows : block) * product_stride(depth) * sizeof(int16_t);
}

static inline const int16_t *product_panel(
	const void *packed, uint32_t cols, size_t depth, uint32_t first_col)
{
	(void)cols;
	return (const int16_t *)packed + first_col * (size_t)product_depth(depth);
}

/* Codes are less their zero points already. */
static inline const int32_t *product_start(const void *packed)
{
	(void)packed;
	return NULL;
}

static inline void product_pack(const struct product_weights *w, void *packed)
{
	int16_t *to = packed;
	size_t depth = (size_t)product_depth(w->depth);
	uint32_t cols = (w->cols + PANEL_COLS - 1) / PANEL_COLS * PANEL_COLS;
	for (size_t at = 0; at < cols * depth; at++) {
		size_t in_panel = at % (PANEL_COLS * depth);
		size_t n = at / (PANEL_COLS * depth) * PANEL_COLS + in_panel / 2 % PANEL_COLS;
		size_t k = in_panel / (2 * PANEL_COLS) * 2 + in_panel % 2;
		bool inside = n < w->cols && k < w->depth;
		size_t from = inside ? n * w->depth + k : 0;
		int code = w->zeros.is_signed ? ((const int8_t *)w->w)[from]
					      : ((const uint8_t *)w->w)[from] - w->zeros.weights;
		to[at] = (int16_t)(inside ? code : 0);
	}
}

struct product_block {
	int16_t *rows;
	size_t stride, depth;
	uint32_t n;
};

/* Row @r is these @depth codes, widened. */
static inline void product_fill(const struct product_block *b, uint32_t r, const uint8_t *codes,
	size_t depth, const struct product_zeros *zeros)
{
	const bool is_signed = zeros->is_signed;
	const int32_t zero = zeros->input;
	int16_t *to = b->rows + r * b->stride;
	const __m128i z = _mm_set1_epi16((int16_t)zero);
	for (size_t k = 0; k < depth; k += 8) {
		__m128i x = panel_widen(is_signed, panel_load(codes + k, depth - k), z);
		_mm_storeu_si128((__m128i *)(to + k), x);
	}
}

static inline struct product_block product_block(void *scratch, uint64_t depth)
{
	return (struct product_block){
		scratch, (size_t)product_stride(depth), (size_t)product_depth(depth), 0};
}

ALWAYS_INLINE __m128i product_broadcast(const int16_t *from)
{
	int32_t v;
	memcpy(&v, from, sizeof(v));
	return _mm_set1_epi32(v);
}

/* @mr rows of 8 columns, a constant: all sums stay in registers. */
ALWAYS_INLINE void product_tile(const int mr, const struct product_block *b, uint32_t first,
	const int16_t *w, const __m128i *start, __m128i sums[][PANEL_VECTORS])
{
	__m128i acc[BLOCK_STEP][PANEL_VECTORS];
	const size_t stride = b->stride;
	const int16_t *row = b->rows + first * stride, *later = row + 3 * stride;
#pragma GCC unroll 4
	for (int r = 0; r < mr; r++) {
		acc[r][0] = start[0];
		acc[r][1] = start[1];
	}
	for (size_t k = 0; k < b->depth; k += 2, row += 2, later += 2, w += 2 * PANEL_COLS) {
		__m128i w0 = _mm_loadu_si128((const __m128i *)w);
		__m128i w1 = _mm_loadu_si128((const __m128i *)w + 1);
#pragma GCC unroll 4
		for (int r = 0; r < mr; r++) {
			__m128i a = product_broadcast(r < 3 ? row + (size_t)r * stride : later);
			acc[r][0] = _mm_add_epi32(acc[r][0], _mm_madd_epi16(a, w0));
			acc[r][1] = _mm_add_epi32(acc[r][1], _mm_madd_epi16(a, w1));
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < mr; r++) {
		sums[r][0] = acc[r][0];
		sums[r][1] = acc[r][1];
	}
}

/* As many rows as there are, up to four; returns how many. */
static uint32_t product_run(const struct product_block *b, uint32_t first, const int16_t *w,
	const __m128i *start, __m128i sums[][PANEL_VECTORS])
{
	uint32_t left = b->n - first;
	if (left >= 4) {
		product_tile(4, b, first, w, start, sums);
		return 4;
	}
	if (left >= 2) {
		product_tile(2, b, first, w, start, sums);
		return 2;
	}
	product_tile(1, b, first, w, start, sums);
	return 1;
}

#endif
