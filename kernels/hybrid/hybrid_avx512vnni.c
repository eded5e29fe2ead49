/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed weights: int32 sums of the weights of each column, filled up to vectors of 16; then for each
 * panel of up to four vectors of columns, and for each four bytes of a segment (the last ones filled
 * up with zeros), [vector][16 columns][4 bytes].
 *
 * VPDPBUSD wants unsigned codes: they become x + 128 on their way into scratch, so that
 *
 *   sum of (x - zero) w = sum of (x + 128) w - (zero + 128) sum of w
 */
#include <stdbool.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/gemm/dots_avx512.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/matvec.h"
#include "kernels/gemm/segments_avx512.h"
#include "kernels/hybrid/hybrid.h"

#define ROW(name) name##__avx512vnni

#include "kernels/hybrid/hybrid_rows_x86.h"

#define GROUP 4
#define BLOCK_ROWS 48

static uint64_t sums_bytes(uint32_t cols)
{
	return ((uint64_t)cols + 15) / 16 * 16 * sizeof(int32_t);
}

static uint64_t packed_bytes(uint32_t cols, const struct segments *s)
{
	return sums_bytes(cols) + segments_bytes(cols, s);
}

/* @w: [cols][n][length]. */
static void pack(const int8_t *w, uint32_t cols, const struct segments *s, void *packed)
{
	int32_t *sums = packed;
	size_t depth = (size_t)s->n * s->length;
	memset(sums, 0, (size_t)sums_bytes(cols));
	for (size_t i = 0; i < cols * depth; i++) {
		sums[i / depth] += w[i];
	}
	segments_pack(w, cols, s, (int8_t *)packed + sums_bytes(cols));
}

/* Rows of unsigned codes, and where the results are. */
struct job {
	const uint8_t *const *at; /* of the first row's segments */
	struct segments segments;
	size_t step; /* bytes from one row to the next */
	const struct ek_hybrid_row
		*row; /* the first one's, and of how many it is from row to row */
	size_t row_step;
	const struct h8_output *output;
	const void *packed;
	uint32_t cols;
	float *to; /* column 0 of the first row */
};

VECTOR_INLINE __m512i broadcast(const uint8_t *from)
{
	int32_t four;
	memcpy(&four, from, sizeof(four));
	return _mm512_set1_epi32(four);
}

VECTOR_INLINE void tile_finish(const struct job *r, const struct segments_columns *c, size_t row,
	const int vectors, const __m512i *v)
{
	struct ek_hybrid_row from = r->row[row * r->row_step];
	const __m512i offset = _mm512_set1_epi32(from.zero + 128);
	for (int j = 0; j < vectors; j++) {
		uint32_t at = 16 * (uint32_t)j;
		if (at >= c->n) {
			break;
		}
		__m512i sums = _mm512_loadu_si512((const int32_t *)r->packed + c->first + at);
		__m512i dot = _mm512_sub_epi32(v[j], _mm512_mullo_epi32(sums, offset));
		h8_finish(r->output, _mm512_cvtepi32_ps(dot), from.scale, c->first + at,
			segments_least(c->n - at, 16), r->to + row * r->cols);
	}
}

/* @n rows from @row on. */
VECTOR_INLINE void tile(const struct job *r, const struct segments_columns *c, size_t row,
	const int n, const int vectors)
{
	const int8_t *w = c->weights;
	const size_t step = r->step;
	__m512i v[TILE_ROWS][PANEL_VECTORS];
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < vectors; j++) {
			v[i][j] = _mm512_setzero_si512();
		}
	}
	for (uint32_t k = 0; k < r->segments.n; k++) {
		const uint8_t *at[3] = {r->at[k] + row * step};
		at[1] = at[0] + (n > 4 ? 4 : 0) * step;
		at[2] = at[0] + (n > 8 ? 8 : 0) * step;
		for (uint32_t i = 0; i < r->segments.room; i += 4, w += vectors * 64) {
			__m512i b[PANEL_VECTORS];
			for (int j = 0; j < vectors; j++) {
				b[j] = _mm512_load_si512(w + 64 * j);
			}
#pragma GCC unroll 12
			for (int m = 0; m < n; m++) {
				__m512i x = broadcast(at[m / 4] + (size_t)(m % 4) * step + i);
				for (int j = 0; j < vectors; j++) {
					v[m][j] = _mm512_dpbusd_epi32(v[m][j], x, b[j]);
				}
			}
		}
	}
	for (int i = 0; i < n; i++) {
		tile_finish(r, c, row + (size_t)i, vectors, v[i]);
	}
}

SEGMENTS_PANEL(1, 12, 4, 2)
SEGMENTS_PANEL(2, 12, 4, 2)
SEGMENTS_PANEL(3, 8, 4, 2)
SEGMENTS_PANEL(4, 6, 4, 2)

/* @n rows of the job by the tile's columns. */
static void gemm_rows(const struct job *job, size_t n, const struct ek_tile *t)
{
	static segments_panel_fn *const panels[] = {panel_1, panel_2, panel_3, panel_4};
	const int8_t *weights = (const int8_t *)job->packed + sums_bytes(job->cols);
	segments_run(panels, job, weights, job->cols, &job->segments, n, t->first_col,
		t->first_col + t->n_cols);
}

static uint64_t dense_scratch(uint64_t rows, uint32_t depth)
{
	struct segments s = segments_of(1, depth, GROUP);
	return lines_round((rows < BLOCK_ROWS ? rows : BLOCK_ROWS) * segments_row(&s));
}

/* Dense rows of codes @a of the job, which says all but where they are: made unsigned block by block in
 * @scratch. */
static void gemm_dense(
	struct job job, const int8_t *a, size_t n, const struct ek_tile *t, uint8_t *scratch)
{
	const uint8_t *at = scratch;
	const size_t depth = job.segments.length;
	job.at = &at;
	job.step = job.segments.room;
	for (size_t rows; n > 0; n -= rows, a += rows * depth) {
		rows = n < BLOCK_ROWS ? n : BLOCK_ROWS;
		for (size_t i = 0; i < rows; i++) {
			uint8_t *to = scratch + i * job.step;
			memset(to + job.step - GROUP, 0, GROUP);
			lines_copy_bytes(to, (const uint8_t *)a + i * depth, depth);
		}
		lines_flip(scratch, rows * job.step);
		gemm_rows(&job, rows, t);
		job.to += rows * job.cols;
		job.row += rows * job.row_step;
	}
}

uint64_t ek_matmul_h8_packed_bytes__avx512vnni(const struct ek_matmul_h *args)
{
	struct segments s = segments_of(1, args->shape.depth, GROUP);
	return args->block == args->shape.depth ? packed_bytes(args->shape.cols, &s) : 0;
}

void ek_matmul_h8_pack__avx512vnni(const struct ek_matmul_h *args, void *packed)
{
	struct segments s = segments_of(1, args->shape.depth, GROUP);
	pack(args->w, args->shape.cols, &s, packed);
}

uint64_t ek_matmul_h8_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return dense_scratch(shape->rows, shape->depth);
}

void ek_matmul_h8__avx512vnni(const struct ek_matmul_h *a, const struct ek_tile *t, void *scratch)
{
	if (!a->is_packed) {
		matmul_plain(a, t);
		return;
	}
	const struct h8_output o = {a->scale, a->bias, a->lo, a->hi, true};
	const struct job job = {
		.segments = segments_of(1, a->shape.depth, GROUP),
		.row = a->row + t->first_row,
		.row_step = 1,
		.output = &o,
		.packed = a->w,
		.cols = a->shape.cols,
		.to = a->output + (size_t)t->first_row * a->shape.cols,
	};
	gemm_dense(job, a->a + (size_t)t->first_row * a->shape.depth, t->n_rows, t, scratch);
}

/* Others have their patches gathered. */
static bool is_walked(const struct ek_conv_shape *s)
{
	return s->groups == 1 && (segments_dense(s) || lines_fit(&s->window, s->in_c));
}

uint64_t ek_conv_h8_packed_bytes__avx512vnni(const struct ek_conv_h *args)
{
	struct segments s = segments_of_conv(&args->shape, GROUP);
	return !is_walked(&args->shape) ? 0 : packed_bytes(args->shape.out_c, &s);
}

void ek_conv_h8_pack__avx512vnni(const struct ek_conv_h *args, void *packed)
{
	struct segments s = segments_of_conv(&args->shape, GROUP);
	pack(args->weights, args->shape.out_c, &s, packed);
}

/* Of the packed way, or of a patch: nobody knows here which it will be. */
uint64_t ek_conv_h8_scratch_bytes__avx512vnni(const struct ek_conv_shape *s)
{
	const struct ek_window *w = &s->window;
	struct segments segments = segments_of_conv(s, GROUP);
	uint64_t patch = ek_conv_depth(s), rows = (uint64_t)w->y.out * w->x.out;
	uint64_t bytes = !is_walked(s) ? 0
		: segments_dense(s)
		? dense_scratch(rows, s->in_c)
		: segments_at_bytes(segments.n) + lines_scratch_bytes(w, s->in_c);
	return bytes > patch ? bytes : patch;
}

/* Rows of the tile that one batch entry has: up to @end. */
static void conv_lines(const struct ek_conv_h *a, struct job job, uint32_t row, uint32_t end,
	const struct ek_tile *t, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	uint32_t batch = ek_window_pixel(w, row).batch, n;
	size_t picture = (size_t)w->y.in * w->x.in * a->shape.in_c;
	struct lines l = {.window = w,
		.picture = (const uint8_t *)a->input + batch * picture,
		.in_pixel = a->shape.in_c,
		.pixel = a->shape.in_c,
		.pad = (uint8_t)(job.row->zero + 128),
		.flip = true};
	job.at = scratch;
	job.step = (size_t)w->x.stride * a->shape.in_c;
	lines_init(&l, (char *)scratch + segments_at_bytes(job.segments.n));
	for (; row < end; row += n, job.to += (size_t)n * job.cols) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = segments_least(w->x.out - pixel.x, end - row);
		segments_aim(&job.segments, &l, pixel, scratch);
		gemm_rows(&job, n, t);
	}
}

void ek_conv_h8__avx512vnni(const struct ek_conv_h *a, const struct ek_tile *t, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	if (!a->is_packed) {
		conv_plain(a, t, scratch);
		return;
	}
	const struct h8_output o = {a->scale, a->bias, a->lo, a->hi, false};
	uint32_t per_batch = w->y.out * w->x.out, end = t->first_row + t->n_rows, n;
	for (uint32_t row = t->first_row; row < end; row += n) {
		uint32_t batch = row / per_batch;
		n = segments_least((batch + 1) * per_batch, end) - row;
		const struct job job = {
			.segments = segments_of_conv(&a->shape, GROUP),
			.row = a->row + batch,
			.output = &o,
			.packed = a->weights,
			.cols = a->shape.out_c,
			.to = a->output + (size_t)row * a->shape.out_c,
		};
		if (segments_dense(&a->shape)) {
			gemm_dense(job, a->input + (size_t)row * a->shape.in_c, n, t, scratch);
		} else {
			conv_lines(a, job, row, row + n, t, scratch);
		}
	}
}

/* kernels/hybrid/hybrid.c's: comparisons with NaN are false. */
void ek_hybrid_range__avx512vnni(const float *values, size_t n, float ret_range[static 2])
{
	__m512 lo = _mm512_setzero_ps(), hi = lo;
	for (size_t i = 0; i < n; i += 16) {
		uint32_t left = n - i < 16 ? (uint32_t)(n - i) : 16;
		__m512 x = vector_load_first(values + i, left);
		lo = _mm512_min_ps(x, lo);
		hi = _mm512_max_ps(x, hi);
	}
	ret_range[0] = _mm512_reduce_min_ps(lo);
	ret_range[1] = _mm512_reduce_max_ps(hi);
}

void ek_hybrid_encode__avx512vnni(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes)
{
	const __m512 zero = _mm512_set1_ps((float)code->zero), inverse = vector_all(code->inverse);
	const __m512 lo = vector_all((float)code->lo), hi = vector_all(127);
	const __m512 half = vector_all(0.5f), minus = vector_all(-0.5f);
	const __m512i one = _mm512_set1_epi32(1);
	for (size_t i = 0; i < n; i += 16) {
		uint32_t left = n - i < 16 ? (uint32_t)(n - i) : 16;
		__m512 x = _mm512_mul_ps(vector_load_first(values + i, left), inverse);
		x = _mm512_add_ps(zero, x);
		x = _mm512_mask_mov_ps(zero, _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);
		x = vector_clamp(x, lo, hi);
		__m512i y = _mm512_cvttps_epi32(x);
		__m512 rest = _mm512_sub_ps(x, _mm512_cvtepi32_ps(y));
		y = _mm512_mask_add_epi32(y, _mm512_cmp_ps_mask(rest, half, _CMP_GE_OQ), y, one);
		y = _mm512_mask_sub_epi32(y, _mm512_cmp_ps_mask(rest, minus, _CMP_LE_OQ), y, one);
		_mm512_mask_cvtepi32_storeu_epi8(ret_codes + i, vector_lanes(left), y);
	}
}
