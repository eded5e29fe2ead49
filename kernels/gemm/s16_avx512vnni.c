/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int16 activations and int8 weights, two products of each lane at a time (VPDPWSSD).
 *
 * Packed: a header that says whether the sums of every column stay within 32 bits whatever the
 * activations are, which holds where the magnitudes of its weights sum up to less than 2^16; if not,
 * the weights follow as they are, for entry 0. Else for each panel of up to four vectors of columns,
 * and for each two elements of a segment (the last ones filled up with zeros), [vector][16
 * columns][2 bytes].
 */
#include <stdlib.h>

#include "kernels/conv/conv_variants.h"
#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/gemm/matmul_variants.h"
#include "kernels/gemm/s16_finish_avx512.h"
#include "kernels/gemm/segments_avx512.h"

#define GROUP 2
#define HEADER_BYTES 64

struct header {
	int32_t is_plain;
};

static bool stays_narrow(const int8_t *w, uint32_t cols, size_t depth)
{
	for (uint32_t n = 0; n < cols; n++, w += depth) {
		uint64_t sum = 0;
		for (size_t k = 0; k < depth; k++) {
			sum += (uint64_t)abs(w[k]);
		}
		if (sum >= 1u << 16) {
			return false;
		}
	}
	return true;
}

/* @w: [cols][n][length]. */
static void pack(const int8_t *w, uint32_t cols, const struct segments *s, void *packed)
{
	struct header *header = packed;
	int8_t *to = (int8_t *)packed + HEADER_BYTES;
	size_t depth = (size_t)s->n * s->length;
	header->is_plain = !stays_narrow(w, cols, depth);
	if (header->is_plain) {
		memcpy(to, w, cols * depth);
	} else {
		segments_pack(w, cols, s, to);
	}
}

/* What becomes of sums: either of the two. */
struct output {
	const struct ek_conv_q *conv;
	const struct ek_matmul_q *matmul;
};

/* 16 columns from @n on of one row. */
S16_INLINE void finish_conv(
	const struct ek_conv_q *a, __m512i v, uint32_t n, __mmask16 lanes, int16_t *to)
{
	const struct s16_scales scales = s16_scales_of(a->scale + n, lanes);
	struct s16_sums s = s16_bias(s16_widen(v), a->bias64, a->bias32, n, lanes);
	__m512i y = a->wide ? s16_mbqm64(s, &scales) : s16_mbqm(s16_narrow(s), &scales);
	s16_store(to, lanes, y, a->output_zero, a->lo, a->hi);
}

S16_INLINE void finish_matmul(
	const struct ek_matmul_q *a, __m512i v, uint32_t n, __mmask16 lanes, int16_t *to)
{
	struct s16_sums s = s16_bias(s16_widen(v), a->bias64, a->bias32, n, lanes);
	s = a->wide ? s : s16_widen(s16_narrow(s));
	s16_store(to, lanes, s16_rescale(s, a->scale + n, lanes), a->output_zero, a->lo, a->hi);
}

/* Where rows are, and what becomes of them. */
struct job {
	const int16_t *const *at; /* of the first row's segments */
	struct segments segments;
	size_t step; /* elements from one row to the next */
	bool ends; /* a last odd element has nothing behind it that may be read */
	struct output output;
	int16_t *to; /* column 0 of the first row */
	size_t to_step;
};

S16_INLINE __m512i broadcast(const int16_t *from, bool one)
{
	if (one) {
		return _mm512_set1_epi32((uint16_t)*from);
	}
	int32_t two;
	memcpy(&two, from, sizeof(two));
	return _mm512_set1_epi32(two);
}

/* Both elements of @n rows at @at, by the weights @w. */
S16_INLINE void tile_step(const int16_t *const at[3], size_t step, bool one, const int8_t *w,
	const int n, const int vectors, __m512i v[TILE_ROWS][PANEL_VECTORS])
{
	__m512i b[PANEL_VECTORS];
	for (int j = 0; j < vectors; j++) {
		b[j] = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(w + 32 * j)));
	}
#pragma GCC unroll 12
	for (int m = 0; m < n; m++) {
		__m512i x = broadcast(at[m / 4] + (size_t)(m % 4) * step, one);
		for (int j = 0; j < vectors; j++) {
			v[m][j] = _mm512_dpwssd_epi32(v[m][j], x, b[j]);
		}
	}
}

/* @n rows from @row on. */
S16_INLINE void tile(const struct job *r, const struct segments_columns *c, size_t row, const int n,
	const int vectors)
{
	const int8_t *w = c->weights;
	const size_t step = r->step;
	__m512i v[TILE_ROWS][PANEL_VECTORS];
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < vectors; j++) {
			v[i][j] = _mm512_setzero_si512();
		}
	}
	uint32_t whole = r->ends ? r->segments.length & ~1u : r->segments.room;
	for (uint32_t k = 0; k < r->segments.n; k++) {
		const int16_t *at[3] = {r->at[k] + row * step};
		at[1] = at[0] + (n > 4 ? 4 : 0) * step;
		at[2] = at[0] + (n > 8 ? 8 : 0) * step;
		for (uint32_t i = 0; i < whole; i += 2, w += vectors * 32) {
			const int16_t *const here[3] = {at[0] + i, at[1] + i, at[2] + i};
			tile_step(here, step, false, w, n, vectors, v);
		}
		if (whole < r->segments.room) {
			const int16_t *const here[3] = {
				at[0] + whole, at[1] + whole, at[2] + whole};
			tile_step(here, step, true, w, n, vectors, v);
			w += vectors * 32;
		}
	}
	for (int i = 0; i < n; i++) {
		int16_t *to = r->to + (row + (size_t)i) * r->to_step;
		for (int j = 0; j < vectors && 16 * (uint32_t)j < c->n; j++) {
			uint32_t first = c->first + 16 * (uint32_t)j;
			__mmask16 lanes = s16_lanes(c->n - 16 * (uint32_t)j);
			if (r->output.conv) {
				finish_conv(r->output.conv, v[i][j], first, lanes, to + first);
			} else {
				finish_matmul(r->output.matmul, v[i][j], first, lanes, to + first);
			}
		}
	}
}

SEGMENTS_PANEL(1, 12, 3, 1)
SEGMENTS_PANEL(2, 8, 3, 1)
SEGMENTS_PANEL(3, 6, 3, 1)
SEGMENTS_PANEL(4, 6, 3, 1)

/* @n rows of the job by the tile's columns. */
static void gemm_rows(const struct job *job, const void *packed, size_t n, const struct ek_tile *t)
{
	static segments_panel_fn *const panels[] = {panel_1, panel_2, panel_3, panel_4};
	segments_run(panels, job, (const int8_t *)packed + HEADER_BYTES, (uint32_t)job->to_step,
		&job->segments, n, t->first_col, t->first_col + t->n_cols);
}

static uint64_t packed_bytes(uint32_t cols, const struct segments *s)
{
	return HEADER_BYTES + segments_bytes(cols, s);
}

uint64_t ek_matmul_s16_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	struct segments s = segments_of(1, shape->depth, GROUP);
	return packed_bytes(shape->cols, &s);
}

void ek_matmul_s16_pack__avx512vnni(const struct ek_matmul_q *args, void *packed)
{
	struct segments s = segments_of(1, args->shape.depth, GROUP);
	pack(args->w, args->shape.cols, &s, packed);
}

uint64_t ek_matmul_s16_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape)
{
	return ek_matmul_s16[0].scratch_bytes(shape);
}

static bool is_plain(const void *packed)
{
	return ((const struct header *)packed)->is_plain;
}

void ek_matmul_s16__avx512vnni(const struct ek_matmul_q *a, const struct ek_tile *t, void *scratch)
{
	if (is_plain(a->w)) {
		struct ek_matmul_q plain = *a;
		plain.w = (const int8_t *)a->w + HEADER_BYTES;
		ek_matmul_s16[0].run(&plain, t, scratch);
		return;
	}
	size_t depth = a->shape.depth;
	const int16_t *at = (const int16_t *)a->a + t->first_row * depth;
	const struct job job = {&at, segments_of(1, a->shape.depth, GROUP), depth, true,
		{.matmul = a}, (int16_t *)a->output + (size_t)t->first_row * a->shape.cols,
		a->shape.cols};
	gemm_rows(&job, a->w, t->n_rows, t);
}

/* Others are entry 0's. */
static bool is_walked(const struct ek_conv_shape *s)
{
	return s->groups == 1 &&
		(segments_dense(s) || lines_fit(&s->window, s->in_c * sizeof(int16_t)));
}

uint64_t ek_conv_s16_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	struct segments s = segments_of_conv(shape, GROUP);
	return !is_walked(shape) ? 0 : packed_bytes(shape->out_c, &s);
}

void ek_conv_s16_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	struct segments s = segments_of_conv(&args->shape, GROUP);
	pack(args->weights, args->shape.out_c, &s, packed);
}

/* Lines, or the patch of entry 0: the weights decide. */
uint64_t ek_conv_s16_scratch_bytes__avx512vnni(const struct ek_conv_shape *s)
{
	uint64_t plain = ek_conv_s16[0].scratch_bytes(s);
	struct segments segments = segments_of_conv(s, GROUP);
	uint64_t lines = !is_walked(s) || segments_dense(s) ? 0
							    : segments_at_bytes(segments.n) +
			lines_scratch_bytes(&s->window, s->in_c * sizeof(int16_t));
	return lines > plain ? lines : plain;
}

static void conv_lines(
	const struct ek_conv_q *a, const struct ek_tile *t, int16_t *to, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	struct job job = {scratch, segments_of_conv(&a->shape, GROUP),
		(size_t)w->x.stride * a->shape.in_c, false, {.conv = a}, to, a->shape.out_c};
	uint32_t end = t->first_row + t->n_rows, n;
	uint32_t batch = UINT32_MAX;
	size_t pixel_bytes = a->shape.in_c * sizeof(int16_t);
	struct lines l = {.window = w, .in_pixel = pixel_bytes, .pixel = pixel_bytes};
	for (uint32_t row = t->first_row; row < end; row += n, job.to += n * job.to_step) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = segments_least(w->x.out - pixel.x, end - row);
		if (pixel.batch != batch) {
			batch = pixel.batch;
			l.picture = (const uint8_t *)a->input +
				batch * ((size_t)w->y.in * w->x.in * pixel_bytes);
			lines_init(&l, (char *)scratch + segments_at_bytes(job.segments.n));
		}
		segments_aim(&job.segments, &l, pixel, scratch);
		gemm_rows(&job, a->weights, n, t);
	}
}

void ek_conv_s16__avx512vnni(const struct ek_conv_q *a, const struct ek_tile *t, void *scratch)
{
	bool walked = is_walked(&a->shape);
	if (!walked || is_plain(a->weights)) {
		struct ek_conv_q plain = *a;
		plain.weights = (const int8_t *)a->weights + (walked ? HEADER_BYTES : 0);
		ek_conv_s16[0].run(&plain, t, scratch);
		return;
	}
	int16_t *to = (int16_t *)a->output + (size_t)t->first_row * a->shape.out_c;
	if (!segments_dense(&a->shape)) {
		conv_lines(a, t, to, scratch);
		return;
	}
	size_t depth = a->shape.in_c;
	const int16_t *at = (const int16_t *)a->input + t->first_row * depth;
	const struct job job = {&at, segments_of(1, a->shape.in_c, GROUP), depth, true, {.conv = a},
		to, a->shape.out_c};
	gemm_rows(&job, a->weights, t->n_rows, t);
}

#define DEPTHWISE_TAPS 256
#define PIXELS 4

static bool depthwise_fits(const struct ek_conv_shape *s)
{
	return s->in_c == s->out_c &&
		(uint64_t)s->window.y.taps * s->window.x.taps <= DEPTHWISE_TAPS &&
		lines_fit(&s->window, s->in_c * sizeof(int16_t));
}

uint64_t ek_depthwise_s16_scratch_bytes__avx512vnni(const struct ek_conv_shape *s)
{
	return depthwise_fits(s) ? segments_at_bytes(s->window.y.taps) +
			lines_scratch_bytes(&s->window, s->in_c * sizeof(int16_t))
				 : 0;
}

/* @n outputs of one row, the first of which sees what @at points to, 16 channels from @c on. */
S16_INLINE void depthwise_outputs(const struct ek_conv_q *a, const int16_t *const *at, size_t step,
	uint32_t c, __mmask16 lanes, const int n, int16_t *to)
{
	const struct ek_window *w = &a->shape.window;
	size_t channels = a->shape.in_c;
	const int8_t *weights = (const int8_t *)a->weights + c;
	__m512i v[PIXELS];
	for (int i = 0; i < n; i++) {
		v[i] = _mm512_setzero_si512();
	}
	for (uint32_t ky = 0; ky < w->y.taps; ky++) {
		const int16_t *x = at[ky] + c;
		for (uint32_t kx = 0; kx < w->x.taps; kx++) {
			__m512i b = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, weights));
			for (int i = 0; i < n; i++) {
				__m512i p = _mm512_cvtepi16_epi32(
					_mm256_maskz_loadu_epi16(lanes, x + (size_t)i * step));
				v[i] = _mm512_add_epi32(v[i], _mm512_mullo_epi32(p, b));
			}
			weights += channels;
			x += w->x.dilation * channels;
		}
	}
	const struct s16_scales scales = s16_scales_of(a->scale + c, lanes);
	for (int i = 0; i < n; i++) {
		struct s16_sums s = s16_bias(s16_widen(v[i]), a->bias64, NULL, c, lanes);
		s16_store(to + (size_t)i * channels, lanes, s16_mbqm64(s, &scales), a->output_zero,
			a->lo, a->hi);
	}
}

static void depthwise_row(const struct ek_conv_q *a, const struct ek_tile *t,
	const int16_t *const *at, uint32_t n, int16_t *to)
{
	size_t channels = a->shape.in_c, step = a->shape.window.x.stride * channels;
	uint32_t end = t->first_col + t->n_cols;
	const int16_t *here[DEPTHWISE_TAPS];
	memcpy(here, at, a->shape.window.y.taps * sizeof(*at));
	for (uint32_t x = 0, run; x < n; x += run, to += run * channels) {
		run = n - x < PIXELS ? 1 : PIXELS;
		for (uint32_t c = t->first_col; c < end; c += 16) {
			if (run == PIXELS) {
				depthwise_outputs(
					a, here, step, c, s16_lanes(end - c), PIXELS, to + c);
			} else {
				depthwise_outputs(a, here, step, c, s16_lanes(end - c), 1, to + c);
			}
		}
		for (uint32_t ky = 0; ky < a->shape.window.y.taps; ky++) {
			here[ky] += run * step;
		}
	}
}

void ek_depthwise_s16__avx512vnni(const struct ek_conv_q *a, const struct ek_tile *t, void *scratch)
{
	const struct ek_window *w = &a->shape.window;
	if (!depthwise_fits(&a->shape)) {
		ek_depthwise_s16[0].run(a, t, scratch);
		return;
	}
	const int16_t **at = scratch;
	size_t pixel_bytes = a->shape.in_c * sizeof(int16_t);
	struct lines l = {.window = w, .in_pixel = pixel_bytes, .pixel = pixel_bytes};
	uint32_t end = t->first_row + t->n_rows, batch = UINT32_MAX, n;
	for (uint32_t row = t->first_row; row < end; row += n) {
		struct ek_pixel pixel = ek_window_pixel(w, row);
		n = segments_least(w->x.out - pixel.x, end - row);
		if (pixel.batch != batch) {
			batch = pixel.batch;
			l.picture = (const uint8_t *)a->input +
				batch * ((size_t)w->y.in * w->x.in * pixel_bytes);
			lines_init(&l, (char *)scratch + segments_at_bytes(w->y.taps));
		}
		for (uint32_t ky = 0; ky < w->y.taps; ky++) {
			const uint8_t *line =
				lines_at(&l, pixel.y * w->y.stride + ky * w->y.dilation);
			at[ky] = (const int16_t *)(line +
				(size_t)pixel.x * w->x.stride * pixel_bytes);
		}
		depthwise_row(a, t, at, n, (int16_t *)a->output + row * (size_t)a->shape.in_c);
	}
}
