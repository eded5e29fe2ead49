/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matmul_ymm - products by panels of columns, for vectors of 128 and 256 bits
 *
 * Includes come after a line (float_requant_avx2.h, float_requant_sse41.h) and a source (source_pairs.h,
 * source_fours.h). YMM(name) is name with the instruction set behind it; TILE_ROWS is how many rows of
 * sums of a panel the registers hold. One row reads weights once: four panels at a time, since two
 * sums alone would wait for each other.
 *
 * Packed weights: int32 start[cols rounded up to VEC_COLS], int32 of each panel: what the sum of a row's
 * codes is multiplied by; then, 64-byte aligned, for each panel [steps][columns] of four bytes, in order,
 * zero beyond.
 */
#ifndef KERNELS_GEMM_MATMUL_YMM_H
#define KERNELS_GEMM_MATMUL_YMM_H

#include "kernels/gemm/gemm_tile_ymm.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/requant/float_requant_channel.h"

#define BLOCK_BYTES 24576
#define BLOCK_ROWS 96
#define FEW_PANELS 4 /* that one row is multiplied with at a time */

static inline uint32_t matmul_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline size_t panels_of(const struct ek_matmul_shape *s)
{
	return ((size_t)s->cols + VEC_COLS - 1) / VEC_COLS;
}

static inline size_t steps_of(const struct ek_matmul_shape *s)
{
	return ((size_t)s->depth + SOURCE_CODES - 1) / SOURCE_CODES;
}

static inline size_t panel_bytes(const struct ek_matmul_shape *s)
{
	return steps_of(s) * 2 * VEC_BYTES;
}

static inline size_t starts_bytes(const struct ek_matmul_shape *s)
{
	return (panels_of(s) * (VEC_COLS + 1) * sizeof(int32_t) + 63) / 64 * 64;
}

static inline uint32_t block_of(const struct ek_matmul_shape *s)
{
	size_t rows = BLOCK_BYTES / (4 * steps_of(s)) / TILE_ROWS * TILE_ROWS;
	rows = rows < TILE_ROWS ? TILE_ROWS : rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
	return (uint32_t)(rows < s->rows ? rows : s->rows);
}

uint64_t YMM(ek_matmul_packed_bytes)(const struct ek_matmul_shape *shape)
{
	return starts_bytes(shape) + (uint64_t)panels_of(shape) * panel_bytes(shape);
}

static size_t add_bytes(const struct ek_matmul_shape *s)
{
	return SOURCE_SUMS ? (block_of(s) * sizeof(int32_t) + 63) / 64 * 64 : 0;
}

/* What each row adds to its sums, a block of rows. */
uint64_t YMM(ek_matmul_scratch_bytes)(const struct ek_matmul_shape *shape)
{
	return add_bytes(shape) + block_of(shape) * 4 * (uint64_t)steps_of(shape);
}

static int32_t weight(const struct ek_matmul_q *a, bool is_signed, size_t n, size_t k)
{
	size_t at = n * a->shape.depth + k;
	return is_signed ? ((const int8_t *)a->w)[at]
			 : ((const uint8_t *)a->w)[at] - a->weights_zero;
}

/* Sums of the weights of channels [first, end); false where one does not fit in 8 bits. */
static bool add_weights(
	const struct ek_matmul_q *a, bool is_signed, size_t first, size_t end, uint32_t *sums)
{
	bool fits = true;
	for (size_t n = first; n < end; n++) {
		sums[n - first] = 0;
		for (size_t k = 0; k < a->shape.depth; k++) {
			int32_t w = weight(a, is_signed, n, k);
			fits = fits && w == (int8_t)w;
			sums[n - first] += (uint32_t)w;
		}
	}
	return fits;
}

static void pack_panel(const struct ek_matmul_q *a, bool is_signed, size_t first, void *packed)
{
	const struct ek_matmul_shape *s = &a->shape;
	const struct source source = {is_signed, a->input_zero};
	const size_t n = matmul_least(VEC_COLS, s->cols - (uint32_t)first),
		     panel = first / VEC_COLS;
	int32_t *start = (int32_t *)packed + first;
	uint8_t *weights = (uint8_t *)packed + starts_bytes(s) + panel * panel_bytes(s);
	source_weight *to = (source_weight *)(void *)weights;
	uint32_t sums[VEC_COLS];
	const bool fits = add_weights(a, is_signed, first, first + n, sums);
	const int32_t back = a->weights_zero - source_weights_zero(fits, a->weights_zero);
	((int32_t *)packed)[panels_of(s) * VEC_COLS + panel] = -back;
	for (size_t at = 0; at < n; at++) {
		start[at] = source_start(&source, a->bias32 ? a->bias32[first + at] : 0, sums[at]);
		for (size_t k = 0; k < s->depth; k++) {
			int32_t w = weight(a, is_signed, first + at, k) + back;
			to[(k / SOURCE_CODES * VEC_COLS + at) * SOURCE_CODES + k % SOURCE_CODES] =
				(source_weight)w;
		}
	}
}

static void pack(const struct ek_matmul_q *a, bool is_signed, void *packed)
{
	memset(packed, 0, (size_t)YMM(ek_matmul_packed_bytes)(&a->shape));
	for (size_t n = 0; n < a->shape.cols; n += VEC_COLS) {
		pack_panel(a, is_signed, n, packed);
	}
}

void YMM(ek_matmul_s8_pack)(const struct ek_matmul_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_matmul_u8_pack)(const struct ek_matmul_q *args, void *packed)
{
	pack(args, false, packed);
}

/* A call, and the block of rows that it is at. */
struct work {
	const struct ek_matmul_q *args;
	struct tile_way way;
	struct vec_limits limits;
	struct source source;
	const int32_t *start, *sums; /* packed */
	const uint8_t *weights;
	int32_t *add; /* what is added to each row's sums, by a panel's factor of 1 */
	uint32_t first_row, rows;
	const uint8_t *block;
};

/* One panel's columns. */
struct columns {
	uint32_t first, n;
	struct tile_panel panel;
	int32_t sums;
	const double *scale;
	double some[VEC_COLS]; /* where the last panel has less */
	struct float_requant_panel steps; /* where fixed */
};

static void columns_init(struct columns *c, const struct work *w, uint32_t first, uint32_t end)
{
	const struct ek_matmul_q *a = w->args;
	const uint32_t in_panel = matmul_least(a->shape.cols - first, VEC_COLS);
	c->first = first;
	c->n = matmul_least(end - first, VEC_COLS);
	c->panel.start = w->start + first;
	c->panel.weights = w->weights + first / VEC_COLS * panel_bytes(&a->shape);
	c->sums = w->sums[first / VEC_COLS];
	for (uint32_t i = 0; i < VEC_COLS && a->fixed; i++) {
		float_requant_set_steps(&c->steps, (int)i, 0,
			i < in_panel ? a->fixed[first + i] : (struct ek_scale){0, 0}, false);
	}
	c->scale = a->fixed ? NULL : a->scale + first;
	if (!a->fixed && in_panel < VEC_COLS) {
		memset(c->some, 0, sizeof(c->some));
		memcpy(c->some, a->scale + first, in_panel * sizeof(*c->some));
		c->scale = c->some;
	}
}

/* One row of a panel's columns. */
static void put(const struct work *w, const struct columns *c, size_t row, const vec sums[2])
{
	const struct ek_matmul_q *a = w->args;
	const size_t at = row * a->shape.cols + c->first;
	vec v[2];
	for (int j = 0; j < 2; j++) {
		vec y = a->fixed ? float_requant_steps(&c->steps, j, sums[j])
				 : vec_rescale(sums[j], c->scale + j * VEC_LANES);
		y = vec_add(y, w->limits.zero);
		v[j] = vec_least(vec_most(y, w->limits.least), w->limits.most);
	}
	if (!a->output_s16) {
		uint8_t *to = (uint8_t *)a->output + at;
		vec_to_lanes(v);
		v[0] = vec_add(v[0], w->limits.offset);
		v[1] = vec_add(v[1], w->limits.offset);
		vec_put_2(&w->limits, v, v, c->n, to, to);
		return;
	}
	int32_t y[VEC_COLS];
	vec_store(y, v[0]);
	vec_store(y + VEC_LANES, v[1]);
	for (uint32_t i = 0; i < c->n; i++) {
		((int16_t *)a->output)[at + i] = (int16_t)y[i];
	}
}

/* @mr rows of the block from @first on. */
ALWAYS_INLINE void rows_of(
	const int mr, const struct work *w, const struct columns *c, uint32_t first)
{
	vec sums[2 * TILE_ROWS];
	int32_t add[TILE_ROWS];
	for (int r = 0; r < mr && c->sums; r++) {
		add[r] = ek_mul32(c->sums, w->add[first + (uint32_t)r]);
	}
	tile_sums(mr, 2, &w->way, &c->panel, w->block + first * w->way.pixel, c->sums ? add : NULL,
		sums);
	for (int r = 0; r < mr; r++) {
		put(w, c, (size_t)w->first_row + first + (uint32_t)r, sums + 2 * r);
	}
}

/* All rows of the block, in tiles of about the same size. */
static void block_columns(const struct work *w, const struct columns *c)
{
	const uint32_t tiles = (w->rows + TILE_ROWS - 1) / TILE_ROWS;
	for (uint32_t i = 0, r = 0, n; i < tiles; i++, r += n) {
		n = w->rows / tiles + (i < w->rows % tiles);
		switch (n) {
		case 1:
			rows_of(1, w, c, r);
			break;
		case 2:
			rows_of(2, w, c, r);
			break;
		case 3:
			rows_of(3, w, c, r);
			break;
		case 4:
			rows_of(4, w, c, r);
			break;
#if TILE_ROWS > 4
		case 5:
			rows_of(5, w, c, r);
			break;
#endif
#if TILE_ROWS > 5
		case 6:
			rows_of(6, w, c, r);
			break;
#endif
		default:
			break;
		}
	}
}

/* One row by FEW_PANELS panels from column @first on. */
static void one_row(const struct work *w, uint32_t first, uint32_t end)
{
	const size_t bytes = panel_bytes(&w->args->shape);
	const uint8_t *weights = w->weights + first / VEC_COLS * bytes, *at = w->block;
	vec acc[2 * FEW_PANELS];
#pragma GCC unroll 8
	for (int i = 0; i < 2 * FEW_PANELS; i++) {
		acc[i] = vec_load(w->start + first + i * VEC_LANES);
	}
	for (size_t k = 0; k < w->way.steps; k++, at += 4, weights += 2 * VEC_BYTES) {
		const vec a = vec_broadcast(at);
#pragma GCC unroll 8
		for (int i = 0; i < 2 * FEW_PANELS; i++) {
			const uint8_t *of = weights + (size_t)(i / 2) * bytes;
			acc[i] = source_dot(acc[i], a, vec_load(of + i % 2 * VEC_BYTES));
		}
	}
	for (uint32_t i = 0; i < FEW_PANELS; i++) {
		struct columns c;
		columns_init(&c, w, first + i * VEC_COLS, end);
		const vec add = vec_all(c.sums ? ek_mul32(c.sums, w->add[0]) : 0);
		const vec sums[2] = {vec_add(acc[2 * i], add), vec_add(acc[2 * i + 1], add)};
		put(w, &c, w->first_row, sums);
	}
}

/* Brings rows to scratch, or leaves them where they are. */
static void make_block(struct work *w, uint8_t *scratch)
{
	const struct ek_matmul_q *a = w->args;
	const size_t depth = a->shape.depth;
	const uint8_t *from = (const uint8_t *)a->a + w->first_row * depth;
	bool stays = SOURCE_BYTES == 1 && !w->source.is_signed && depth % SOURCE_CODES == 0;
	w->block = stays ? from : scratch;
	for (uint32_t r = 0; r < w->rows; r++, from += depth) {
		uint8_t *to = scratch + r * w->way.pixel;
		if (!stays) {
			source_copy(&w->source, to, from, depth);
			memset(to + depth * SOURCE_BYTES, 0, w->way.pixel - depth * SOURCE_BYTES);
		}
		if (SOURCE_SUMS && !w->source.is_signed) {
			w->add[r] = source_sum(w->block + r * w->way.pixel, depth);
		}
	}
}

static void run(const struct ek_matmul_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	const struct ek_matmul_shape *s = &a->shape;
	struct work w = {
		.args = a,
		.way = {4 * steps_of(s), 1, 1, 0, 0, steps_of(s)},
		.limits = vec_limits(a->output_zero, a->lo, a->hi, is_signed),
		.source = {is_signed, a->input_zero},
		.start = a->w,
		.sums = (const int32_t *)a->w + panels_of(s) * VEC_COLS,
		.weights = (const uint8_t *)a->w + starts_bytes(s),
		.add = scratch,
		.first_row = t->first_row,
	};
	const uint32_t end_row = t->first_row + t->n_rows, end = t->first_col + t->n_cols;
	for (; w.first_row < end_row; w.first_row += w.rows) {
		w.rows = matmul_least(block_of(s), end_row - w.first_row);
		make_block(&w, (uint8_t *)scratch + add_bytes(s));
		for (uint32_t n = t->first_col, by; n < end; n += by) {
			by = w.rows == 1 && (end - n) / VEC_COLS >= FEW_PANELS
				? FEW_PANELS * VEC_COLS
				: VEC_COLS;
			if (by > VEC_COLS) {
				one_row(&w, n, end);
			} else {
				struct columns c;
				columns_init(&c, &w, n, end);
				block_columns(&w, &c);
			}
		}
	}
}

void YMM(ek_matmul_s8)(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, true, scratch);
}

void YMM(ek_matmul_u8)(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch)
{
	run(args, tile, false, scratch);
}

#endif
