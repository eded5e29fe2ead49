/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int16 activations by int8 weights: a lane of a row by a vector of columns, whose weights are widened
 * once for the rows of a tile. Rows are the picture or the operand itself where that can be, or a
 * block of patches that stays in the first level's cache while all panels are multiplied with it.
 *
 * Packed weights, for each panel of 16 columns: the sums of the magnitudes of a column's weights, [16],
 * and the weights, [depth][16], the depth rounded up to 8 by zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/gemm/packed_panel_s16_arm.h"

#if defined(__aarch64__)
#define TILE_ROWS 4
#else
#define TILE_ROWS 2
#endif
#define STEP 8 /* of the depth */
#define BLOCK_BYTES 16384
#define CHUNK 256 /* of the depth: sums of 2^8 products of 2^22 stay within 32 bits */

static size_t room_of(uint64_t depth)
{
	return (size_t)((depth + STEP - 1) / STEP * STEP);
}

static size_t panel_bytes(uint64_t depth)
{
	return S16_COLS * (sizeof(uint32_t) + room_of(depth));
}

static uint64_t packed_bytes(uint32_t cols, uint64_t depth)
{
	return gemm_panels(cols) * panel_bytes(depth);
}

/* Where the panel of column @n begins. */
static size_t panel_at(uint64_t depth, uint32_t n)
{
	return n / S16_COLS * panel_bytes(depth);
}

/* @w: [cols][depth]. */
static void pack(const int8_t *w, uint32_t cols, size_t depth, void *packed)
{
	memset(packed, 0, (size_t)packed_bytes(cols, depth));
	for (uint32_t n = 0; n < cols; n++, w += depth) {
		uint8_t *panel = (uint8_t *)packed + panel_at(depth, n);
		uint32_t *size = (uint32_t *)panel + n % S16_COLS;
		int8_t *to = (int8_t *)((uint32_t *)panel + S16_COLS) + n % S16_COLS;
		for (size_t k = 0; k < depth; k++) {
			*size += (uint32_t)abs(w[k]);
			to[k * S16_COLS] = w[k];
		}
	}
}

static void make_panel(struct s16_panel *p, const struct s16_output *o, const void *packed,
	uint64_t depth, uint32_t first, uint32_t n)
{
	const uint8_t *panel = (const uint8_t *)packed + panel_at(depth, first);
	s16_panel_init(p, o, (const uint32_t *)panel, first, n);
	p->weights = (const int8_t *)panel + S16_COLS * sizeof(uint32_t);
}

/* Rows as tiles read them: @step elements, whole steps of the depth, and one behind the other. */
struct rows {
	const int16_t *at;
	size_t step;
	uint32_t n;
};

/* What lane @lane of each row's activations adds, @halves vectors of eight columns. */
#if defined(__aarch64__)
typedef int16x8_t lanes;
#define LANES 8
#define lanes_load vld1q_s16
#define MLAL_LANE vmlal_laneq_s16
#else
typedef int16x4_t lanes;
#define LANES 4
#define lanes_load vld1_s16
#define MLAL_LANE vmlal_lane_s16
#endif
#define ADD_LANE(lane)                                                                             \
	if (lane < LANES) {                                                                        \
		int16x8_t b[2];                                                                    \
		if (halves == 2) {                                                                 \
			const int8x16_t both = vld1q_s8(w + lane * S16_COLS);                      \
			b[0] = vmovl_s8(vget_low_s8(both));                                        \
			b[1] = vmovl_s8(vget_high_s8(both));                                       \
		} else {                                                                           \
			b[0] = b[1] = vmovl_s8(vld1_s8(w + lane * S16_COLS));                      \
		}                                                                                  \
		_Pragma("GCC unroll 4") for (int m = 0; m < mr; m++)                               \
		{                                                                                  \
			_Pragma("GCC unroll 2") for (int h = 0; h < halves; h++)                   \
			{                                                                          \
				acc[m][2 * h] = MLAL_LANE(                                         \
					acc[m][2 * h], vget_low_s16(b[h]), x[m], lane % LANES);    \
				acc[m][2 * h + 1] = MLAL_LANE(acc[m][2 * h + 1],                   \
					vget_high_s16(b[h]), x[m], lane % LANES);                  \
			}                                                                          \
		}                                                                                  \
	}

ALWAYS_INLINE void add_lanes(const int mr, const int halves, const int8_t *w,
	const lanes x[TILE_ROWS], int32x4_t acc[TILE_ROWS][4]){ADD_LANE(0) ADD_LANE(1) ADD_LANE(2)
		ADD_LANE(3) ADD_LANE(4) ADD_LANE(5) ADD_LANE(6) ADD_LANE(7)}

/* Sums of @mr rows from @at on by @halves times eight columns of weights, @depth steps: [mr][16]. */
ALWAYS_INLINE void tile(const int mr, const int halves, const int16_t *at, size_t step,
	const int8_t *w, size_t depth, const int32_t *start, int32_t *sums)
{
	int32x4_t acc[TILE_ROWS][4];
#pragma GCC unroll 4
	for (int m = 0; m < mr; m++) {
#pragma GCC unroll 4
		for (int j = 0; j < 2 * halves; j++) {
			acc[m][j] = vld1q_s32(start + 4 * j);
		}
	}
	for (size_t k = 0; k < depth; k += LANES, w += LANES * S16_COLS) {
		lanes x[TILE_ROWS];
#pragma GCC unroll 4
		for (int m = 0; m < mr; m++) {
			x[m] = lanes_load(at + (size_t)m * step + k);
		}
		add_lanes(mr, halves, w, x, acc);
	}
#pragma GCC unroll 4
	for (int m = 0; m < mr; m++) {
#pragma GCC unroll 4
		for (int j = 0; j < 2 * halves; j++) {
			vst1q_s32(sums + m * S16_COLS + 4 * j, acc[m][j]);
		}
	}
}

/* The same of sums that may leave 32 bits, chunk by chunk. */
ALWAYS_INLINE void tile_any(const int mr, const int halves, const int16_t *at, size_t step,
	const struct s16_panel *p, size_t depth, int64_t *sums)
{
	int32_t some[TILE_ROWS * S16_COLS];
	memset(sums, 0, TILE_ROWS * S16_COLS * sizeof(*sums));
	for (size_t k = 0; k < depth; k += CHUNK) {
		const size_t left = depth - k;
		tile(mr, halves, at + k, step, p->weights + k * S16_COLS,
			left < CHUNK ? left : CHUNK, p->start, some);
		for (int i = 0; i < mr * S16_COLS; i++) {
			sums[i] += i % S16_COLS < 8 * halves ? some[i] : 0;
		}
	}
}

/* @mr rows by one panel. */
ALWAYS_INLINE void put_tile(const int mr, const int halves, const int16_t *at, const struct rows *r,
	const struct s16_panel *p, int16_t *to, size_t step)
{
	if (p->kind == S16_ANY) {
		int64_t sums[TILE_ROWS * S16_COLS];
		tile_any(mr, halves, at, r->step, p, r->step, sums);
		s16_panel_put_any(p, sums, mr, to, step);
	} else {
		int32_t sums[TILE_ROWS * S16_COLS];
		tile(mr, halves, at, r->step, p->weights, r->step, p->start, sums);
		s16_panel_put(p, sums, mr, to, step);
	}
}

/* All rows by one panel. */
ALWAYS_INLINE void panel_rows(
	const int halves, const struct rows *r, const struct s16_panel *p, int16_t *to, size_t step)
{
	const int16_t *at = r->at;
	uint32_t left = r->n;
	for (; left >= TILE_ROWS; left -= TILE_ROWS) {
		put_tile(TILE_ROWS, halves, at, r, p, to, step);
		at += TILE_ROWS * r->step;
		to += TILE_ROWS * step;
	}
	for (; left > 0; left--, at += r->step, to += step) {
		put_tile(1, halves, at, r, p, to, step);
	}
}

static void product(const struct rows *r, const struct s16_panel *p, int16_t *to, size_t step)
{
	if (p->n > 8) {
		panel_rows(2, r, p, to, step);
	} else {
		panel_rows(1, r, p, to, step);
	}
}

/* Rows of a block: as many as stay in the cache, whole tiles. */
static uint32_t block_rows(uint64_t rows, uint64_t depth)
{
	uint64_t most = BLOCK_BYTES / sizeof(int16_t) / room_of(depth) / TILE_ROWS * TILE_ROWS;
	most = most < TILE_ROWS ? TILE_ROWS : most;
	return (uint32_t)(rows < most ? rows : most);
}

static uint64_t block_bytes(uint64_t rows, uint64_t depth)
{
	return block_rows(rows, depth) * room_of(depth) * sizeof(int16_t);
}

uint64_t ek_matmul_s16_packed_bytes__neon(const struct ek_matmul_shape *shape)
{
	return packed_bytes(shape->cols, shape->depth);
}

void ek_matmul_s16_pack__neon(const struct ek_matmul_q *args, void *packed)
{
	pack(args->w, args->shape.cols, args->shape.depth, packed);
}

uint64_t ek_matmul_s16_scratch_bytes__neon(const struct ek_matmul_shape *shape)
{
	return block_bytes(shape->rows, shape->depth);
}

/* Rows [row, row + r->n) of a, filled up in @block where their length asks for it. */
static void bring_rows(const struct ek_matmul_q *a, uint32_t row, int16_t *block, struct rows *r)
{
	const size_t depth = a->shape.depth;
	const int16_t *from = (const int16_t *)a->a + row * depth;
	if (r->step == depth) {
		r->at = from;
		return;
	}
	r->at = block;
	for (uint32_t i = 0; i < r->n; i++, from += depth, block += r->step) {
		gemm_copy((uint8_t *)block, (const uint8_t *)from, depth * sizeof(*from));
		memset(block + depth, 0, (r->step - depth) * sizeof(*block));
	}
}

void ek_matmul_s16__neon(const struct ek_matmul_q *a, const struct ek_tile *t, void *scratch)
{
	const struct s16_output o = {.bias32 = a->bias32,
		.bias64 = a->bias64,
		.factor = a->scale,
		.zero = a->output_zero,
		.lo = a->lo,
		.hi = a->hi,
		.wide = a->wide};
	const size_t depth = a->shape.depth, step = a->shape.cols;
	const uint32_t end = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	const uint32_t most = block_rows(t->n_rows, depth);
	struct rows r = {.step = room_of(depth)};
	for (uint32_t row = t->first_row; row < end; row += r.n) {
		r.n = gemm_least(most, end - row);
		bring_rows(a, row, scratch, &r);
		for (uint32_t n = t->first_col; n < end_col; n += S16_COLS) {
			struct s16_panel p;
			make_panel(&p, &o, a->w, depth, n, gemm_least(end_col - n, S16_COLS));
			product(&r, &p, (int16_t *)a->output + row * step + n, step);
		}
	}
}

uint64_t ek_conv_s16_packed_bytes__neon(const struct ek_conv_shape *shape)
{
	return shape->groups > 1 ? 0 : packed_bytes(shape->out_c, ek_conv_depth(shape));
}

void ek_conv_s16_pack__neon(const struct ek_conv_q *args, void *packed)
{
	pack(args->weights, args->shape.out_c, (size_t)ek_conv_depth(&args->shape), packed);
}

static uint64_t panels_bytes(const struct ek_conv_shape *s)
{
	return (gemm_panels(s->out_c) * sizeof(struct s16_panel) + 63) & ~(uint64_t)63;
}

/* Panels and a block; with groups the patch of entry 0. */
uint64_t ek_conv_s16_scratch_bytes__neon(const struct ek_conv_shape *s)
{
	const struct ek_window *w = &s->window;
	const uint64_t pixels = (uint64_t)w->batch * w->y.out * w->x.out;
	return s->groups > 1 ? ek_conv_s16[0].scratch_bytes(s)
			     : panels_bytes(s) + block_bytes(pixels, ek_conv_depth(s));
}

/* Output rows are input rows, and may be read where they are. */
static bool is_direct(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 &&
		y->out == y->in && x->out == x->in && s->in_c % STEP == 0;
}

/* ek_conv_patch() of a pixel most of whose taps are inside, in runs of a filter's rows. */
static void gather(const struct ek_conv_q *a, struct ek_pixel pixel, uint8_t *patch)
{
	const struct ek_window *w = &a->shape.window;
	const struct ek_taps y = ek_window_taps(&w->y, pixel.y), x = ek_window_taps(&w->x, pixel.x);
	if (y.end - y.first != w->y.taps || x.end - x.first != w->x.taps || w->x.dilation > 1) {
		ek_conv_patch(&a->shape, a->input, sizeof(int16_t), 0, pixel, 0, patch);
		return;
	}
	const size_t bytes = a->shape.in_c * sizeof(int16_t), line = bytes * w->x.in;
	const size_t run = bytes * w->x.taps;
	const uint8_t *from = (const uint8_t *)a->input + pixel.batch * (w->y.in * line) +
		(size_t)y.origin * line + (size_t)x.origin * bytes;
	for (uint32_t ky = 0; ky < w->y.taps; ky++, from += w->y.dilation * line, patch += run) {
		gemm_copy(patch, from, run);
	}
}

static void bring_patches(const struct ek_conv_q *a, uint32_t row, int16_t *block, struct rows *r)
{
	const size_t depth = (size_t)ek_conv_depth(&a->shape);
	if (is_direct(&a->shape)) {
		r->at = (const int16_t *)a->input + row * depth;
		return;
	}
	r->at = block;
	for (uint32_t i = 0; i < r->n; i++, block += r->step) {
		gather(a, ek_window_pixel(&a->shape.window, row + i), (uint8_t *)block);
		memset(block + depth, 0, (r->step - depth) * sizeof(*block));
	}
}

void ek_conv_s16__neon(const struct ek_conv_q *a, const struct ek_tile *t, void *scratch)
{
	if (a->shape.groups > 1) {
		ek_conv_s16[0].run(a, t, scratch);
		return;
	}
	const struct s16_output o = {.bias32 = a->bias32,
		.bias64 = a->bias64,
		.scale = a->scale,
		.zero = a->output_zero,
		.lo = a->lo,
		.hi = a->hi,
		.wide = a->wide};
	const uint64_t depth = ek_conv_depth(&a->shape);
	const size_t step = a->shape.out_c;
	const uint32_t end = t->first_row + t->n_rows, end_col = t->first_col + t->n_cols;
	const uint32_t most = block_rows(t->n_rows, depth);
	struct s16_panel *panels = scratch, *p = panels;
	int16_t *block = (int16_t *)((char *)scratch + panels_bytes(&a->shape));
	struct rows r = {.step = room_of(depth)};
	for (uint32_t n = t->first_col; n < end_col; n += S16_COLS, p++) {
		make_panel(p, &o, a->weights, depth, n, gemm_least(end_col - n, S16_COLS));
	}
	for (uint32_t row = t->first_row; row < end; row += r.n) {
		r.n = gemm_least(most, end - row);
		bring_patches(a, row, block, &r);
		for (const struct s16_panel *at = panels; at < p; at++) {
			product(&r, at, (int16_t *)a->output + row * step + at->first, step);
		}
	}
}
