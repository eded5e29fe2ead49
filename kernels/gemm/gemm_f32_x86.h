/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_x86 - rows of floats times packed weights, for every instruction set with a vector_*.h
 *
 * Weights are packed in panels of PANEL_VECTORS vectors of columns, the last panel as many vectors as
 * are left: for each k the panel's columns side by side, zero behind the last column. A row is read
 * in segments, which lie anywhere but equally far apart from row to row.
 *
 * Each sum is one chain of fused multiply-adds that begins with the bias and goes through k upwards,
 * so all instruction sets give the same bits here.
 */
#ifndef KERNELS_GEMM_GEMM_F32_X86_H
#define KERNELS_GEMM_GEMM_F32_X86_H

#include <string.h>

/* Sums of a tile, the panel's vectors of one row and a broadcast element fit the registers. */
#if VECTOR_REGISTERS == 32
#define PANEL_VECTORS 4
#define TILE_ROWS 12
#else
#define PANEL_VECTORS 2
#define TILE_ROWS 6
#endif
#define PANEL_COLS (PANEL_VECTORS * VECTOR_LANES)

/* Where rows are. */
struct rows {
	const float *const *at; /* [segments], of the first row */
	uint32_t segments, length; /* floats of a segment */
	size_t step; /* floats from one row to the next */
};

/* What becomes of the sums of one panel. */
struct sums {
	const float *bias; /* of the panel's first column; may be NULL */
	float lo, hi;
	float *to; /* the first row's */
	size_t step; /* floats from one row to the next */
	uint32_t cols; /* that are written */
};

VECTOR_INLINE uint32_t panel_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Vectors of the panel that begins at column @first of @cols. */
VECTOR_INLINE uint32_t panel_vectors(uint32_t cols, uint32_t first)
{
	return panel_least((cols - first + VECTOR_LANES - 1) / VECTOR_LANES, PANEL_VECTORS);
}

static uint64_t panel_packed_bytes(uint64_t cols, uint64_t depth)
{
	return (cols + VECTOR_LANES - 1) / VECTOR_LANES * VECTOR_LANES * depth * sizeof(float);
}

/* @w: [cols][depth]. */
static void panel_pack(const float *w, uint32_t cols, size_t depth, float *packed)
{
	for (uint32_t first = 0; first < cols; first += PANEL_COLS) {
		uint32_t width = panel_vectors(cols, first) * VECTOR_LANES;
		uint32_t n = panel_least(cols - first, width);
		for (size_t k = 0; k < depth; k++, packed += width) {
			for (uint32_t c = 0; c < width; c++) {
				packed[c] = c < n ? w[(first + c) * depth + k] : 0;
			}
		}
	}
}

/* The panel of column @first, a multiple of PANEL_COLS. */
VECTOR_INLINE const float *panel_at(const float *packed, size_t depth, uint32_t first)
{
	return packed + first * depth;
}

/* Rows 0 to 3 behind @at by one register and its multiples, which addresses can have. */
VECTOR_INLINE const float *row_of(const float *at, size_t step, int row)
{
	return at + (size_t)row * step;
}

VECTOR_INLINE void tile_store(const struct sums *s, size_t row, const int vectors, const vector *v)
{
	const vector lo = vector_all(s->lo), hi = vector_all(s->hi);
	float *to = s->to + row * s->step;
	for (int j = 0; j < vectors; j++) {
		uint32_t first = (uint32_t)j * VECTOR_LANES;
		vector y = vector_clamp(v[j], lo, hi);
		if (first + VECTOR_LANES <= s->cols) {
			vector_store(to + first, y);
		} else if (first < s->cols) {
			vector_store_first(to + first, s->cols - first, y);
		}
	}
}

#if defined(VECTOR_HAS_LANES)
/* As many steps of @length as there are whole vectors of them: rows are read by vectors, and multiplied
 * lane by lane. Returns how many. */
VECTOR_INLINE uint32_t tile_lanes(const float *const at[3], size_t step, const float *w,
	uint32_t length, const int n, const int vectors, vector v[TILE_ROWS][PANEL_VECTORS])
{
	uint32_t i = 0;
	for (; i + VECTOR_LANES <= length; i += VECTOR_LANES) {
		vector x[TILE_ROWS];
#pragma GCC unroll 12
		for (int m = 0; m < n; m++) {
			x[m] = vector_load(row_of(at[m / 4] + i, step, m % 4));
		}
#pragma GCC unroll 4
		for (int lane = 0; lane < VECTOR_LANES; lane++) {
#pragma GCC unroll 4
			for (int j = 0; j < vectors; j++, w += VECTOR_LANES) {
				const vector b = vector_load(w);
#pragma GCC unroll 12
				for (int m = 0; m < n; m++) {
					v[m][j] = vector_fma_lane(x[m], lane, b, v[m][j]);
				}
			}
		}
	}
	return i;
}
#endif

/* @n rows from @row on, by one panel. */
VECTOR_INLINE void tile(const struct rows *r, const struct sums *s, const float *w, size_t row,
	const int n, const int vectors)
{
	vector v[TILE_ROWS][PANEL_VECTORS];
	for (int j = 0; j < vectors; j++) {
		uint32_t first = (uint32_t)j * VECTOR_LANES;
		vector b = vector_all(0);
		if (s->bias && first < s->cols) {
			b = vector_load_first(s->bias + first, s->cols - first);
		}
		for (int i = 0; i < n; i++) {
			v[i][j] = b;
		}
	}
	const size_t step = r->step;
	for (uint32_t k = 0; k < r->segments; k++) {
		const float *at[3] = {r->at[k] + row * step};
		at[1] = at[0] + (n > 4 ? 4 : 0) * step;
		at[2] = at[0] + (n > 8 ? 8 : 0) * step;
		uint32_t i = 0;
#if defined(VECTOR_HAS_LANES)
		i = tile_lanes(at, step, w, r->length, n, vectors, v);
		w += i * (uint32_t)vectors * VECTOR_LANES;
#endif
		for (; i < r->length; i++, w += vectors * VECTOR_LANES) {
			vector b[PANEL_VECTORS];
			for (int j = 0; j < vectors; j++) {
				b[j] = vector_load(w + j * VECTOR_LANES);
			}
#pragma GCC unroll 12
			for (int m = 0; m < n; m++) {
				vector x = vector_all(*row_of(at[m / 4] + i, step, m % 4));
				for (int j = 0; j < vectors; j++) {
					v[m][j] = vector_fma(x, b[j], v[m][j]);
				}
			}
		}
	}
	for (int i = 0; i < n; i++) {
		tile_store(s, row + (size_t)i, vectors, v[i]);
	}
}

#define TILE_CASE(n, vectors)                                                                      \
	case n:                                                                                    \
		tile(r, s, w, row, n, vectors);                                                    \
		break;

#define TILE_CASES_6(vectors)                                                                      \
	TILE_CASE(1, vectors)                                                                      \
	TILE_CASE(2, vectors)                                                                      \
	TILE_CASE(3, vectors)                                                                      \
	TILE_CASE(4, vectors)                                                                      \
	TILE_CASE(5, vectors)                                                                      \
	TILE_CASE(6, vectors)

#define TILE_CASES_8(vectors)                                                                      \
	TILE_CASES_6(vectors)                                                                      \
	TILE_CASE(7, vectors)                                                                      \
	TILE_CASE(8, vectors)

#define TILE_CASES_12(vectors)                                                                     \
	TILE_CASES_8(vectors)                                                                      \
	TILE_CASE(9, vectors)                                                                      \
	TILE_CASE(10, vectors)                                                                     \
	TILE_CASE(11, vectors)                                                                     \
	TILE_CASE(12, vectors)

/* All @n rows by one panel of @vectors, in tiles of even sizes up to @most rows. */
#define DEFINE_PANEL(vectors, most)                                                                \
	static void panel_##vectors(                                                               \
		const struct rows *r, const struct sums *s, const float *w, size_t n)              \
	{                                                                                          \
		size_t tiles = (n + most - 1) / most;                                              \
		for (size_t row = 0, left = n, t = tiles, rows; left;                              \
			left -= rows, row += rows, t--) {                                          \
			rows = (left + t - 1) / t;                                                 \
			switch (rows) {                                                            \
				TILE_CASES_##most(vectors)                                         \
			}                                                                          \
		}                                                                                  \
	}

#if VECTOR_REGISTERS == 32
DEFINE_PANEL(1, 12)
DEFINE_PANEL(2, 12)
DEFINE_PANEL(3, 8)
DEFINE_PANEL(4, 6)
#else
DEFINE_PANEL(1, 6)
DEFINE_PANEL(2, 6)
#endif

static void panel_run(
	const struct rows *r, const struct sums *s, const float *w, size_t n, uint32_t vectors)
{
	switch (vectors) {
	case 1:
		panel_1(r, s, w, n);
		break;
	case 2:
		panel_2(r, s, w, n);
		break;
#if VECTOR_REGISTERS == 32
	case 3:
		panel_3(r, s, w, n);
		break;
	case 4:
		panel_4(r, s, w, n);
		break;
#endif
	}
}

/* Where a product's operands and results are. */
struct product {
	const float *packed, *bias;
	uint32_t cols; /* of the whole output */
	size_t depth;
	float lo, hi;
	float *output; /* the first row's first column */
};

/* @n rows by the columns from @first on, up to @end. */
static void gemm_rows(
	const struct product *p, const struct rows *r, size_t n, uint32_t first, uint32_t end)
{
	for (uint32_t c = first; c < end; c += PANEL_COLS) {
		const struct sums s = {
			.bias = p->bias ? p->bias + c : NULL,
			.lo = p->lo,
			.hi = p->hi,
			.to = p->output + c,
			.step = p->cols,
			.cols = panel_least(end - c, PANEL_COLS),
		};
		panel_run(r, &s, panel_at(p->packed, p->depth, c), n, panel_vectors(p->cols, c));
	}
}

/* Rows of dense floats, as many at once as stay in a core's cache while panels pass by. */
#define BLOCK_FLOATS 32768

static void gemm_dense(
	const struct product *p, const float *a, size_t n, uint32_t first, uint32_t end)
{
	size_t block = BLOCK_FLOATS / p->depth / TILE_ROWS * TILE_ROWS + TILE_ROWS;
	for (size_t row = 0; row < n; row += block) {
		const float *at = a + row * p->depth;
		const struct rows r = {&at, 1, (uint32_t)p->depth, p->depth};
		struct product part = *p;
		part.output += row * p->cols;
		gemm_rows(&part, &r, n - row < block ? n - row : block, first, end);
	}
}

#endif
