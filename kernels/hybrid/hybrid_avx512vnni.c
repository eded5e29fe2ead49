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

#include "kernels/conv/conv_x86.h"
#include "kernels/conv/padded_rows_x86.h"
#include "kernels/gemm/dots_avx512.h"
#include "kernels/gemm/matmul_x86.h"
#include "kernels/gemm/matvec_x86.h"
#include "kernels/hybrid/hybrid_x86.h"

#define ROW(name) name##__avx512vnni

#include "kernels/hybrid/hybrid_rows_x86.h"

#define PANEL_VECTORS 4
#define PANEL_COLS 64
#define TILE_ROWS 12
#define BLOCK_ROWS 48

/* How a row of codes is cut: @n segments of @length bytes, @room with what fills up fours. */
struct segments {
	uint32_t n, length, room;
};

static struct segments segments_of(uint32_t n, uint32_t length)
{
	return (struct segments){n, length, (length + 3) & ~3u};
}

static size_t row_room(const struct segments *s)
{
	return (size_t)s->n * s->room;
}

VECTOR_INLINE uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint64_t sums_bytes(uint32_t cols)
{
	return ((uint64_t)cols + 15) / 16 * 16 * sizeof(int32_t);
}

static uint64_t packed_bytes(uint32_t cols, const struct segments *s)
{
	return sums_bytes(cols) + ((uint64_t)cols + 15) / 16 * 16 * row_room(s);
}

VECTOR_INLINE uint32_t panel_vectors(uint32_t cols, uint32_t first)
{
	return least((cols - first + 15) / 16, PANEL_VECTORS);
}

/* @w: [cols][n][length]. */
static void pack(const int8_t *w, uint32_t cols, const struct segments *s, void *packed)
{
	int32_t *sums = packed;
	int8_t *to = (int8_t *)packed + sums_bytes(cols);
	size_t depth = (size_t)s->n * s->length;
	memset(sums, 0, (size_t)sums_bytes(cols));
	for (uint32_t first = 0; first < cols; first += PANEL_COLS) {
		uint32_t width = panel_vectors(cols, first) * 16;
		for (size_t k = 0; k < row_room(s); k += 4) {
			for (uint32_t i = 0; i < width * 4; i++) {
				uint32_t n = first + i / 4, at = (uint32_t)(k % s->room) + i % 4;
				size_t from = n * depth + k / s->room * s->length + at;
				*to = n < cols && at < s->length ? w[from] : 0;
				sums[n] += *to++;
			}
		}
	}
}

/* Rows of unsigned codes. */
struct rows {
	const uint8_t *const *at; /* of the first row's segments */
	struct segments segments;
	size_t step; /* bytes from one row to the next */
	const struct ek_hybrid_row
		*row; /* the first one's, and of how many it is from row to row */
	size_t row_step;
};

/* Some columns of a product. */
struct columns {
	const struct h8_output *output;
	const int32_t *sums;
	const int8_t *weights; /* of the panel */
	uint32_t first, n;
	float *to; /* column 0 of the first row */
	size_t step;
};

VECTOR_INLINE __m512i broadcast(const uint8_t *from)
{
	int32_t four;
	memcpy(&four, from, sizeof(four));
	return _mm512_set1_epi32(four);
}

VECTOR_INLINE void tile_finish(const struct rows *r, const struct columns *c, size_t row,
	const int vectors, const __m512i *v)
{
	struct ek_hybrid_row from = r->row[row * r->row_step];
	const __m512i offset = _mm512_set1_epi32(from.zero + 128);
	for (int j = 0; j < vectors; j++) {
		uint32_t at = 16 * (uint32_t)j;
		if (at >= c->n) {
			break;
		}
		__m512i sums = _mm512_loadu_si512(c->sums + c->first + at);
		__m512i dot = _mm512_sub_epi32(v[j], _mm512_mullo_epi32(sums, offset));
		h8_finish(c->output, _mm512_cvtepi32_ps(dot), from.scale, c->first + at,
			least(c->n - at, 16), c->to + row * c->step);
	}
}

/* @n rows from @row on. */
VECTOR_INLINE void tile(
	const struct rows *r, const struct columns *c, size_t row, const int n, const int vectors)
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

#define DEFINE_PANEL(vectors, most)                                                                \
	static void panel_##vectors(const struct rows *r, const struct columns *c, size_t n)       \
	{                                                                                          \
		size_t row = 0;                                                                    \
		for (; row + most <= n; row += most) {                                             \
			tile(r, c, row, most, vectors);                                            \
		}                                                                                  \
		for (; row + 4 <= n; row += 4) {                                                   \
			tile(r, c, row, 4, vectors);                                               \
		}                                                                                  \
		for (; row + 2 <= n; row += 2) {                                                   \
			tile(r, c, row, 2, vectors);                                               \
		}                                                                                  \
		if (row < n) {                                                                     \
			tile(r, c, row, 1, vectors);                                               \
		}                                                                                  \
	}

DEFINE_PANEL(1, 12)
DEFINE_PANEL(2, 12)
DEFINE_PANEL(3, 8)
DEFINE_PANEL(4, 6)

/* Where a product's weights and results are. */
struct product {
	const struct h8_output *output;
	const void *packed;
	uint32_t cols;
	float *to; /* column 0 of the first row */
};

/* @n rows by the columns from @first on, up to @end. */
static void gemm_rows(
	const struct product *p, const struct rows *r, size_t n, uint32_t first, uint32_t end)
{
	for (uint32_t at = first; at < end; at += PANEL_COLS) {
		const struct columns c = {.output = p->output,
			.sums = p->packed,
			.weights = (const int8_t *)p->packed + sums_bytes(p->cols) +
				at * row_room(&r->segments),
			.first = at,
			.n = least(end - at, PANEL_COLS),
			.to = p->to,
			.step = p->cols};
		switch (panel_vectors(p->cols, at)) {
		case 1:
			panel_1(r, &c, n);
			break;
		case 2:
			panel_2(r, &c, n);
			break;
		case 3:
			panel_3(r, &c, n);
			break;
		default:
			panel_4(r, &c, n);
		}
	}
}

static uint64_t dense_scratch(uint64_t rows, uint32_t depth)
{
	struct segments s = segments_of(1, depth);
	return lines_round((rows < BLOCK_ROWS ? rows : BLOCK_ROWS) * row_room(&s));
}

/* Dense rows of codes @a, made unsigned block by block in @scratch; all with one ek_hybrid_row
 * (@row_step 0), or each with its own. */
static void gemm_dense(const struct product *p, const int8_t *a, uint32_t depth, size_t n,
	const struct ek_hybrid_row *row, size_t row_step, const struct ek_tile *t, uint8_t *scratch)
{
	const uint8_t *at = scratch;
	struct rows r = {.at = &at, .segments = segments_of(1, depth), .row_step = row_step};
	r.step = r.segments.room;
	struct product part = *p;
	for (size_t first = 0, rows; first < n; first += rows) {
		rows = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
		for (size_t i = 0; i < rows; i++) {
			uint8_t *to = scratch + i * r.step;
			memset(to + r.step - 4, 0, 4);
			lines_copy_bytes(to, (const uint8_t *)a + (first + i) * depth, depth);
		}
		lines_flip(scratch, rows * r.step);
		part.to = p->to + first * p->cols;
		r.row = row + first * row_step;
		gemm_rows(&part, &r, rows, t->first_col, t->first_col + t->n_cols);
	}
}

uint64_t ek_matmul_h8_packed_bytes__avx512vnni(const struct ek_matmul_h *args)
{
	struct segments s = segments_of(1, args->shape.depth);
	return args->block == args->shape.depth ? packed_bytes(args->shape.cols, &s) : 0;
}

void ek_matmul_h8_pack__avx512vnni(const struct ek_matmul_h *args, void *packed)
{
	struct segments s = segments_of(1, args->shape.depth);
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
	const struct product p = {
		&o, a->w, a->shape.cols, a->output + (size_t)t->first_row * a->shape.cols};
	gemm_dense(&p, a->a + (size_t)t->first_row * a->shape.depth, a->shape.depth, t->n_rows,
		a->row + t->first_row, 1, t, scratch);
}

static struct segments conv_segments(const struct ek_conv_shape *s)
{
	const struct ek_window *w = &s->window;
	bool apart = w->x.dilation > 1;
	return segments_of(w->y.taps * (apart ? w->x.taps : 1), (apart ? 1 : w->x.taps) * s->in_c);
}

static bool is_dense(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 &&
		y->out == y->in && x->out == x->in;
}

/* Others have their patches gathered. */
static bool is_walked(const struct ek_conv_shape *s)
{
	return s->groups == 1 && (is_dense(s) || lines_fit(&s->window, s->in_c));
}

uint64_t ek_conv_h8_packed_bytes__avx512vnni(const struct ek_conv_h *args)
{
	struct segments s = conv_segments(&args->shape);
	return !is_walked(&args->shape) ? 0 : packed_bytes(args->shape.out_c, &s);
}

void ek_conv_h8_pack__avx512vnni(const struct ek_conv_h *args, void *packed)
{
	struct segments s = conv_segments(&args->shape);
	pack(args->weights, args->shape.out_c, &s, packed);
}

static uint64_t at_bytes(const struct segments *s)
{
	return lines_round(s->n * sizeof(uint8_t *));
}

/* Of the packed way, or of a patch: nobody knows here which it will be. */
uint64_t ek_conv_h8_scratch_bytes__avx512vnni(const struct ek_conv_shape *s)
{
	const struct ek_window *w = &s->window;
	struct segments segments = conv_segments(s);
	uint64_t patch = ek_conv_depth(s), rows = (uint64_t)w->y.out * w->x.out;
	uint64_t bytes = !is_walked(s) ? 0
		: is_dense(s)          ? dense_scratch(rows, s->in_c)
				       : at_bytes(&segments) + lines_scratch_bytes(w, s->in_c);
	return bytes > patch ? bytes : patch;
}

/* Rows of the tile that one batch entry has: up to @end. */
static void conv_lines(const struct ek_conv_h *a, const struct product *whole, uint32_t row,
	uint32_t end, const struct ek_tile *t, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	uint32_t batch = ek_window_pixel(w, row).batch, n;
	struct rows r = {.at = scratch,
		.segments = conv_segments(&a->shape),
		.step = (size_t)w->x.stride * a->shape.in_c,
		.row = a->row + batch};
	const uint8_t **at = scratch;
	size_t picture = (size_t)w->y.in * w->x.in * a->shape.in_c;
	struct lines l = {.window = w,
		.picture = (const uint8_t *)a->input + batch * picture,
		.in_pixel = a->shape.in_c,
		.pixel = a->shape.in_c,
		.pad = (uint8_t)(a->row[batch].zero + 128),
		.flip = true};
	lines_init(&l, (char *)scratch + at_bytes(&r.segments));
	struct product p = *whole;
	for (; row < end; row += n, p.to += (size_t)n * p.cols) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = least(w->x.out - pixel.x, end - row);
		for (uint32_t k = 0, parts = r.segments.n / w->y.taps; k < r.segments.n; k++) {
			size_t x = (size_t)pixel.x * w->x.stride + k % parts * w->x.dilation;
			uint32_t y = pixel.y * w->y.stride + k / parts * w->y.dilation;
			at[k] = lines_at(&l, y) + x * l.pixel;
		}
		gemm_rows(&p, &r, n, t->first_col, t->first_col + t->n_cols);
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
		n = least((batch + 1) * per_batch, end) - row;
		const struct product p = {
			&o, a->weights, a->shape.out_c, a->output + (size_t)row * a->shape.out_c};
		if (is_dense(&a->shape)) {
			gemm_dense(&p, a->input + (size_t)row * a->shape.in_c, a->shape.in_c, n,
				a->row + batch, 0, t, scratch);
		} else {
			conv_lines(a, &p, row, row + n, t, scratch);
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
