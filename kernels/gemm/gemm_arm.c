/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/gemm_arm.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 16384

static int32_t weight(const struct gemm_weights *w, size_t n, size_t k)
{
	size_t at = n * w->depth + k;
	return w->is_signed ? ((const int8_t *)w->w)[at] : ((const uint8_t *)w->w)[at];
}

/* What is taken from a column's weights: the zero point where they then fit, else what makes them
 * fit, else 128. */
static int32_t offset(const struct gemm_isa *isa, const struct gemm_weights *w, size_t n)
{
	int32_t lo = INT16_MAX, hi = INT16_MIN, zero = w->weights_zero;
	for (size_t k = 0; k < w->depth; k++) {
		int32_t code = weight(w, n, k);
		lo = code < lo ? code : lo;
		hi = code > hi ? code : hi;
	}
	if (w->is_signed || (lo - zero >= isa->lowest && hi - zero <= INT8_MAX)) {
		return zero;
	}
	return hi - INT8_MAX >= lo - isa->lowest ? 128 : hi - INT8_MAX;
}

/* Where code @k of column @n of a panel is. */
static size_t place(const struct gemm_isa *isa, size_t depth, size_t n, size_t k)
{
	size_t part = n / isa->cols * isa->cols * depth;
	return part + (k / isa->group * isa->cols + n % isa->cols) * isa->group + k % isa->group;
}

static void pack_column(const struct gemm_isa *isa, const struct gemm_weights *w, size_t n,
	struct gemm_head *head, int8_t *to)
{
	int32_t from = offset(isa, w, n);
	uint32_t sum = 0;
	uint64_t size = 0;
	size_t col = n % GEMM_COLS, depth = (size_t)gemm_stride(w->depth);
	for (size_t k = 0; k < w->depth; k++) {
		int32_t code = weight(w, n, k);
		to[place(isa, depth, col, k)] = (int8_t)(code - from);
		sum += (uint32_t)(code - from);
		size += (uint64_t)abs(code - w->weights_zero);
		head->lowest |= code - from == INT8_MIN;
	}
	head->sum[col] = (int32_t)sum;
	head->size[col] = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	head->rest[col] = from - w->weights_zero;
	head->rests |= from != w->weights_zero;
}

void gemm_pack(const struct gemm_isa *isa, const struct gemm_weights *w, void *packed)
{
	memset(packed, 0, (size_t)gemm_packed_bytes(w->cols, w->depth));
	for (uint32_t n = 0; n < w->cols; n++) {
		struct gemm_head *head = (struct gemm_head *)gemm_head(packed, w->depth, n);
		pack_column(isa, w, n, head, (int8_t *)(head + 1));
	}
}

uint32_t gemm_block_rows(const struct gemm_isa *isa, uint64_t rows, uint64_t depth)
{
	uint64_t tiles = BLOCK_BYTES / (gemm_stride(depth) * isa->rows);
	uint64_t limit = GEMM_BLOCK_ROWS / isa->rows;
	tiles = tiles < 1 ? 1 : tiles > limit ? limit : tiles;
	return (uint32_t)(rows < tiles * isa->rows ? rows : tiles * isa->rows);
}

void gemm_bring(const struct gemm_isa *isa, const uint8_t *from, size_t depth, uint8_t flip,
	uint32_t n, int8_t *rows, int32_t *sums)
{
	size_t stride = (size_t)gemm_stride(depth);
	if (isa->pair == 1 && depth == stride && !sums) { /* as one row */
		const uint8_t *const all[2] = {from, NULL};
		isa->bring(rows, all, n * depth, flip, NULL);
		return;
	}
	for (uint32_t r = 0; r < n; r += isa->pair) {
		/* The last row of all is taken twice where rows come in pairs. */
		const uint8_t *const some[2] = {
			from + r * depth, from + (r + 1 < n ? r + 1 : r) * depth};
		isa->bring(rows + r * stride, some, depth, flip, sums ? sums + r : NULL);
	}
}

uint64_t gemm_block_bytes(const struct gemm_isa *isa, uint64_t rows, uint64_t depth)
{
	uint32_t most = gemm_block_rows(isa, rows, depth);
	uint64_t pairs = ((uint64_t)most + 1) / 2 * 2;
	return gemm_sums(most) * sizeof(int32_t) + pairs * gemm_stride(depth);
}
