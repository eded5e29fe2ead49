/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product_avxvnni - products of rows of unsigned bytes and panels of 16 packed signed columns
 *
 * As product_avx512vnni.h, in vectors of 8 columns:
 *
 *   sums[r][n] = panel.start[n] + row_add[r] + sum over k of a[r][k] * w[n][k]
 *
 * Packed weights: int32 start[cols rounded up to 16], then for each panel of 16 columns
 * [depth by fours][16 columns][4], zero beyond.
 */
#ifndef KERNELS_X86_PRODUCT_AVXVNNI_H
#define KERNELS_X86_PRODUCT_AVXVNNI_H

#include "kernels/x86/panel_avx2.h"
#include "kernels/x86/product_ymm.h"

#define BLOCK_STEP 6
#define BLOCK_ROWS 48
#define BLOCK_BYTES 16384

typedef int8_t product_element; /* of packed weights */

ALWAYS_INLINE uint64_t product_stride(uint64_t depth)
{
	return (depth + 3) & ~(uint64_t)3;
}

ALWAYS_INLINE uint64_t product_cols(uint32_t cols)
{
	return ((uint64_t)cols + PANEL_COLS - 1) / PANEL_COLS * PANEL_COLS;
}

static inline uint64_t product_packed_bytes(uint32_t cols, uint64_t depth)
{
	return product_cols(cols) * (sizeof(int32_t) + product_stride(depth));
}

static inline uint32_t product_block_rows(uint64_t depth)
{
	uint64_t rows = BLOCK_BYTES / (product_stride(depth) * BLOCK_STEP) * BLOCK_STEP;
	return rows < BLOCK_STEP ? BLOCK_STEP : rows > BLOCK_ROWS ? BLOCK_ROWS : (uint32_t)rows;
}

/* What is added to each row of a block, and the block, of which an output of @rows fills so many. */
static inline uint64_t product_scratch_bytes(uint64_t rows, uint64_t depth)
{
	uint32_t block = product_block_rows(depth);
	return block * sizeof(int32_t) + (rows < block ? rows : block) * product_stride(depth);
}

static inline const int8_t *product_panel(
	const void *packed, uint32_t cols, size_t depth, uint32_t first_col)
{
	return (const int8_t *)packed + product_cols(cols) * sizeof(int32_t) +
		first_col * (size_t)product_stride(depth);
}

static inline const int32_t *product_start(const void *packed)
{
	return packed;
}

static inline int8_t product_weight(const struct product_weights *w, uint32_t n, size_t k)
{
	if (n >= w->cols || k >= w->depth) {
		return 0;
	}
	uint8_t code = ((const uint8_t *)w->w)[n * w->depth + k];
	return (int8_t)(w->zeros.is_signed ? code : code ^ 0x80);
}

static inline int32_t product_start_of(const struct product_weights *w, uint32_t n)
{
	int32_t input_zero = w->zeros.input + (w->zeros.is_signed ? 128 : 0);
	int32_t weights_zero = w->zeros.is_signed ? 0 : w->zeros.weights - 128;
	uint32_t sum = 0;
	for (size_t k = 0; k < w->depth; k++) {
		sum += (uint32_t)product_weight(w, n, k);
	}
	return (int32_t)((uint32_t)input_zero *
		((uint32_t)w->depth * (uint32_t)weights_zero - sum));
}

static inline void product_pack(const struct product_weights *w, void *packed)
{
	int32_t *start = packed;
	uint32_t cols = (uint32_t)product_cols(w->cols);
	int8_t *to = (int8_t *)(start + cols);
	for (uint32_t n = 0; n < cols; n++) {
		start[n] = n < w->cols ? product_start_of(w, n) : 0;
	}
	for (uint32_t first = 0; first < cols; first += PANEL_COLS) {
		for (size_t k = 0; k < w->depth; k += 4) {
			for (uint32_t at = 0; at < 4 * PANEL_COLS; at++) {
				*to++ = product_weight(w, first + at / 4, k + at % 4);
			}
		}
	}
}

struct product_block {
	uint8_t *rows;
	int32_t *add;
	size_t stride;
	uint32_t n;
};

static inline struct product_block product_block(void *scratch, uint64_t depth)
{
	struct product_block b = {.add = scratch, .stride = (size_t)product_stride(depth)};
	b.rows = (uint8_t *)(b.add + product_block_rows(depth));
	return b;
}

static inline int32_t product_sum(__m256i sums)
{
	__m128i x = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1));
	return _mm_cvtsi128_si32(x);
}

/* Row @r is these @depth codes, unsigned, with zeros up to the next four. */
static inline void product_fill(const struct product_block *b, uint32_t r, const uint8_t *codes,
	size_t depth, const struct product_zeros *zeros)
{
	const int flip = zeros->is_signed ? 0x80 : 0;
	const __m256i sign = _mm256_set1_epi8((char)flip);
	uint8_t *to = b->rows + r * b->stride;
	__m256i sums = _mm256_setzero_si256();
	int32_t sum = 0;
	size_t k = 0;
	for (; k + 32 <= depth; k += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(codes + k));
		v = _mm256_xor_si256(v, sign);
		_mm256_storeu_si256((__m256i *)(to + k), v);
		sums = _mm256_add_epi32(sums, _mm256_sad_epu8(v, _mm256_setzero_si256()));
	}
	for (; k < depth; k++) {
		to[k] = (uint8_t)(codes[k] ^ flip);
		sum += to[k];
	}
	for (; k < b->stride; k++) {
		to[k] = 0;
	}
	sum = ek_add32(sum, product_sum(sums));
	b->add[r] = zeros->is_signed ? 0 : ek_mul32(128 - zeros->weights, sum);
}

ALWAYS_INLINE __m256i product_broadcast(const uint8_t *from)
{
	int32_t v;
	memcpy(&v, from, sizeof(v));
	return _mm256_set1_epi32(v);
}

/* @mr rows of 16 columns, a constant: all sums stay in registers. */
ALWAYS_INLINE void product_tile(const int mr, const struct product_block *b, uint32_t first,
	const int8_t *w, const __m256i *start, __m256i sums[][PANEL_VECTORS])
{
	__m256i acc[BLOCK_STEP][PANEL_VECTORS];
	const size_t stride = b->stride;
	const uint8_t *row = b->rows + first * stride, *later = row + 3 * stride;
#pragma GCC unroll 6
	for (int r = 0; r < mr; r++) {
		__m256i add = _mm256_set1_epi32(b->add[first + (uint32_t)r]);
		acc[r][0] = _mm256_add_epi32(start[0], add);
		acc[r][1] = _mm256_add_epi32(start[1], add);
	}
	for (size_t k = 0; k < stride; k += 4, row += 4, later += 4, w += 4 * PANEL_COLS) {
		__m256i w0 = _mm256_loadu_si256((const __m256i *)w);
		__m256i w1 = _mm256_loadu_si256((const __m256i *)w + 1);
#pragma GCC unroll 6
		for (int r = 0; r < mr; r++) {
			const uint8_t *from =
				r < 3 ? row + (size_t)r * stride : later + (size_t)(r - 3) * stride;
			__m256i a = product_broadcast(from);
			__asm__("" : "+x"(a)); /* compilers would move loads and lack registers */
			acc[r][0] = _mm256_dpbusd_avx_epi32(acc[r][0], a, w0);
			acc[r][1] = _mm256_dpbusd_avx_epi32(acc[r][1], a, w1);
		}
	}
#pragma GCC unroll 6
	for (int r = 0; r < mr; r++) {
		sums[r][0] = acc[r][0];
		sums[r][1] = acc[r][1];
	}
}

/* As many rows as there are, up to six; returns how many. */
static uint32_t product_run(const struct product_block *b, uint32_t first, const int8_t *w,
	const __m256i *start, __m256i sums[][PANEL_VECTORS])
{
	uint32_t left = b->n - first;
	if (left >= 6) {
		product_tile(6, b, first, w, start, sums);
		return 6;
	}
	if (left >= 3) {
		product_tile(3, b, first, w, start, sums);
		return 3;
	}
	product_tile(1, b, first, w, start, sums);
	return 1;
}

#endif
