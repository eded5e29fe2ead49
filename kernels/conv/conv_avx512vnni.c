/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels are copied to scratch by blocks that stay near the core, made unsigned on the way: rows of
 * the picture with their padding, which is the zero point and adds nothing, or what a filter of one
 * tap sees, pixel by pixel. Then each panel of weights goes over the block. The first layers of
 * most networks have a way of their own (conv_gather_avx512.h).
 */
#include "kernels/conv/conv_plan_avx512.h"
#include "kernels/conv/conv_span_avx512.h"
#include "kernels/conv/conv_variants.h"

uint64_t ek_conv_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	if (!conv_is_walked(shape, MOST_BYTES)) {
		return ek_conv_s8[0].scratch_bytes(shape);
	}
	const struct conv_plan p = conv_plan_of(shape, true);
	return conv_add_bytes(&p) + p.data + p.gather + 128;
}

/* A call. */
struct work {
	const struct ek_conv_q *args;
	const struct ek_tile *tile;
	struct conv_plan plan;
	struct conv_way way;
	__m512i sign; /* what makes codes unsigned */
	uint8_t padding; /* unsigned */
	int32_t sums; /* what some panels ask for, or 0 */
	int32_t *add;
	uint8_t *data;
	bool plain; /* gathered: no FLOAT_REQUANT_STEPS or sums */
	struct gather gather;
};

static void copy(uint8_t *to, const uint8_t *from, size_t n, __m512i sign)
{
	for (; n >= 64; n -= 64, to += 64, from += 64) {
		_mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), sign));
	}
	if (n) {
		__mmask64 m = float_requant_bytes(n);
		__m512i v = _mm512_maskz_loadu_epi8(m, from);
		_mm512_mask_storeu_epi8(to, m, _mm512_xor_si512(v, sign));
	}
}

static void fill(uint8_t *to, size_t n, uint8_t value)
{
	const __m512i v = _mm512_set1_epi8((char)value);
	for (; n >= 64; n -= 64, to += 64) {
		_mm512_storeu_si512(to, v);
	}
	_mm512_mask_storeu_epi8(to, float_requant_bytes(n), v);
}

/* Input row @y of a batch entry with the padding that the output needs; up to 63 bytes more. */
static void copy_row(const struct work *w, uint32_t batch, int64_t y, uint8_t *to)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window_axis *ay = &s->window.y, *ax = &s->window.x;
	size_t channels = s->in_c, left = (size_t)ax->pad * channels;
	left = left < w->plan.row ? left : w->plan.row;
	size_t inside = w->plan.row - left;
	inside = inside < ax->in * channels ? inside : ax->in * channels;
	if (y < 0 || y >= ay->in) {
		fill(to, w->plan.row, w->padding);
		return;
	}
	const uint8_t *row = (const uint8_t *)w->args->input +
		((size_t)batch * ay->in + (size_t)y) * ax->in * channels;
	if (w->plan.row <= 64) {
		const __m512i padding = _mm512_set1_epi8((char)w->padding);
		__mmask64 m = left < 64 ? float_requant_bytes(inside) << left : 0;
		__m512i codes = _mm512_maskz_loadu_epi8(m, row - left);
		codes = _mm512_xor_si512(codes, w->sign);
		_mm512_storeu_si512(to, _mm512_mask_mov_epi8(padding, m, codes));
		return;
	}
	fill(to, left, w->padding);
	copy(to + left, row, inside, w->sign);
	fill(to + left + inside, w->plan.row - left - inside, w->padding);
}

static int32_t sum_of(const struct work *w, const uint8_t *at)
{
	__m512i sum = _mm512_setzero_si512();
	const struct conv_plan *p = &w->plan;
	for (uint32_t y = 0; y < p->segments_y; y++, at += w->way.row_step) {
		for (uint32_t x = 0; x < p->segments_x; x++) {
			for (size_t k = 0; k < p->segment; k += 64) {
				__mmask64 m = float_requant_bytes(p->segment - k);
				__m512i v =
					_mm512_maskz_loadu_epi8(m, at + x * w->way.col_step + k);
				sum = _mm512_dpbusd_epi32(sum, v, _mm512_set1_epi8(1));
			}
		}
	}
	return _mm512_reduce_add_epi32(sum);
}

static void sum_pixels(const struct work *w, const uint8_t *in, uint32_t n, int32_t *add)
{
	for (uint32_t i = 0; i < n; i++, in += w->way.pixel) {
		add[i] = ek_mul32(w->sums, sum_of(w, in));
	}
}

/* The spans of a block: @rows of @n pixels each, @row_bytes from one to the next. */
struct spans {
	const uint8_t *in;
	size_t row_bytes;
	uint32_t first, rows, n; /* first: output pixel */
};

static void set_extras(const struct work *w, struct conv_span *span)
{
	const struct float_requant_panel *panel = span->panel;
	for (uint32_t i = 0; i < panel->extras; i++) {
		size_t segment = panel->extra[i] / w->plan.fours;
		size_t y = segment / w->plan.segments_x, x = segment % w->plan.segments_x;
		span->extra[i] = y * w->way.row_step + x * w->way.col_step +
			panel->extra[i] % w->plan.fours * 4;
	}
}

static void run_spans(const struct work *w, const struct spans *spans)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct float_requant_panel *panels = w->args->weights;
	const int8_t *weights = (const int8_t *)(panels + conv_panels_of(s));
	uint32_t end = w->tile->first_col + w->tile->n_cols;
	for (uint32_t r = 0; r < spans->rows && w->sums; r++) {
		sum_pixels(w, spans->in + r * spans->row_bytes, spans->n, w->add + r * spans->n);
	}
	for (uint32_t n = w->tile->first_col; n < end; n += FLOAT_REQUANT_LANES) {
		const struct float_requant_panel *panel = &panels[n / FLOAT_REQUANT_LANES];
		const enum conv_kind kind = conv_kind_of(s, n);
		uint8_t *out = (uint8_t *)w->args->output + spans->first * (size_t)s->out_c + n;
		struct conv_span span = {
			.channels = conv_least(s->out_c - n, FLOAT_REQUANT_LANES),
			.panel = panel,
			.weights = weights + n / 16 * conv_vector_bytes(&w->plan),
		};
		set_extras(w, &span);
		for (uint32_t r = 0; r < spans->rows; r++) {
			span.in = spans->in + r * spans->row_bytes;
			span.out = out + (size_t)r * spans->n * s->out_c;
			span.add = panel->sums ? w->add + (size_t)r * spans->n : NULL;
			span.n = spans->n;
			conv_span_run(kind, &w->way, &span);
		}
	}
}

/* @n pixels of one tap from @first on, side by side. */
static void copy_pixels(const struct work *w, uint32_t first, uint32_t n)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window *window = &s->window;
	const size_t depth = s->in_c, step = window->x.stride * depth;
	uint8_t *to = w->data;
	for (uint32_t end = first + n, left; first < end; first += left) {
		struct ek_pixel p = ek_window_pixel(window, first);
		size_t y = (size_t)p.batch * window->y.in + (size_t)p.y * window->y.stride;
		const uint8_t *from =
			(const uint8_t *)w->args->input + y * window->x.in * depth + p.x * step;
		left = conv_least(end - first, window->x.out - p.x);
		for (uint32_t i = 0; i < left; i++, from += step, to += w->way.pixel) {
			copy(to, from, depth, w->sign);
		}
	}
}

/* @n pixels of one tap from @first on. */
static void block_of_pixels(const struct work *w, uint32_t first, uint32_t n)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window *window = &s->window;
	const uint8_t *input = w->args->input;
	size_t depth = s->in_c;
	bool dense = window->x.stride == 1 && window->y.stride == 1 &&
		window->x.in == window->x.out && window->y.in == window->y.out &&
		depth == w->way.pixel;
	bool exact = conv_kind_of(s, (conv_panels_of(s) - 1) * FLOAT_REQUANT_LANES) == CONV_64;
	struct spans spans = {w->data, 0, first, 1, n};
	if (dense && exact && !w->way.output.is_signed) {
		spans.in = input + first * depth;
	} else if (dense) {
		copy(w->data, input + first * depth, n * depth, w->sign);
	} else {
		copy_pixels(w, first, n);
	}
	run_spans(w, &spans);
}

/* @n pixels of one row, gathered. */
static void run_gathered(
	const struct work *w, const struct gather_rows *in, uint32_t first, uint32_t n)
{
	const struct ek_conv_q *a = w->args;
	const struct float_requant_panel *panel = a->weights;
	uint8_t *gathered = w->data + w->plan.data;
	struct conv_span span = {
		.in = gathered,
		.out = (uint8_t *)a->output + first * (size_t)a->shape.out_c,
		.n = n,
		.channels = a->shape.out_c,
		.panel = panel,
		.weights = (const int8_t *)(panel + 1),
	};
	if (w->plain && a->shape.out_c == 8) {
		gather_8(&w->gather, in, &w->way, &span);
		return;
	}
	gather_row(&w->gather, in, n, gathered, w->plan.gather_row);
	if (w->plain && a->shape.out_c == 16) {
		gather_tiles_CONV_16(&w->way, &span);
	} else if (w->plain && a->shape.out_c == 32) {
		gather_tiles_CONV_32(&w->way, &span);
	} else {
		const struct spans spans = {gathered, 0, first, 1, n};
		run_spans(w, &spans);
	}
}

/* The rows of a picture that those of the output from @y on read, one after the other. */
static void run_gathered_rows(
	const struct work *w, struct ek_pixel p, uint32_t first, uint32_t rows, uint32_t n)
{
	const struct ek_window_axis *y = &w->args->shape.window.y, *x = &w->args->shape.window.x;
	const uint8_t *picture =
		(const uint8_t *)w->args->input + (size_t)p.batch * y->in * x->in * 3;
	for (uint32_t i = 0; i < rows; i++) {
		struct gather_rows in = {.at = p.x * (size_t)x->stride * 3};
		int64_t at = ((int64_t)p.y + i) * y->stride - y->pad;
		for (int k = 0; k < 3; k++, at++) {
			bool inside = at >= 0 && at < y->in;
			in.row[k] = inside ? picture + (size_t)at * x->in * 3 - w->gather.left
					   : w->data;
		}
		run_gathered(w, &in, first + i * n, n);
	}
}

/* Output rows from that of pixel @first on, or the part of it that begins there; returns how many
 * pixels. */
static uint32_t block_of_rows(const struct work *w, uint32_t first, uint32_t left)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *y = &window->y, *x = &window->x;
	struct ek_pixel p = ek_window_pixel(window, first);
	uint32_t rows = conv_least(conv_least(left / x->out, w->plan.block), y->out - p.y);
	bool part = p.x > 0 || rows == 0;
	rows = part ? 1 : rows;
	uint32_t n = part ? conv_least(left, x->out - p.x) : x->out;
	if (w->plan.gathered) {
		run_gathered_rows(w, p, first, rows, n);
		return rows * n;
	}
	int64_t from = (int64_t)p.y * y->stride - y->pad;
	uint32_t in_rows = (rows - 1) * y->stride + conv_reach(y);
	for (uint32_t i = 0; i < in_rows; i++) {
		copy_row(w, p.batch, from + i, w->data + i * w->plan.row);
	}
	const struct spans spans = {.in = w->data + p.x * w->way.pixel,
		.row_bytes = y->stride * w->plan.row,
		.first = first,
		.rows = rows,
		.n = n};
	run_spans(w, &spans);
	return rows * n;
}

/* What any panel of the tile asks for. */
static int32_t sums_of(const struct ek_conv_q *a, const struct ek_tile *t)
{
	const struct float_requant_panel *panels = a->weights;
	int32_t sums = 0;
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols && !sums;
		n += FLOAT_REQUANT_LANES) {
		sums = panels[n / FLOAT_REQUANT_LANES].sums;
	}
	return sums;
}

static struct conv_way way_of(const struct ek_conv_q *a, const struct conv_plan *p, bool is_signed)
{
	const struct ek_window_axis *y = &a->shape.window.y, *x = &a->shape.window.x;
	const bool fours = p->by_pixel || p->gathered;
	return (struct conv_way){
		.pixel = fours ? 4 * p->fours : (size_t)x->stride * a->shape.in_c,
		.rows = p->segments_y,
		.cols = p->segments_x,
		.row_step = p->gathered ? p->gather_row : y->dilation * p->row,
		.col_step = (size_t)x->dilation * a->shape.in_c,
		.fours = p->fours,
		.out_pixel = a->shape.out_c,
		.output = float_requant_output(a->output_zero, a->lo, a->hi, is_signed),
	};
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct work w; /* gather is large: not cleared for those that don't use it */
	w.args = a;
	w.tile = t;
	w.plan = conv_plan_of(&a->shape, is_signed);
	w.plain = false;
	w.way = way_of(a, &w.plan, is_signed);
	w.sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0));
	w.padding = (uint8_t)(a->input_zero + (is_signed ? 128 : 0));
	w.sums = sums_of(a, t);
	w.add = scratch;
	w.data = (uint8_t *)scratch + conv_add_bytes(&w.plan);
	if (w.plan.gathered) {
		const struct float_requant_panel *panel = a->weights;
		w.plain = panel->mode != FLOAT_REQUANT_STEPS && !panel->sums;
		w.gather = gather_init(&a->shape.window.x, w.plain && a->shape.out_c == 8);
		w.gather.padding = _mm512_set1_epi8((char)a->input_zero);
		w.gather.sign = w.sign;
		fill(w.data, w.plan.data, (uint8_t)a->input_zero);
	}
	uint32_t end = t->n_cols ? t->first_row + t->n_rows : t->first_row;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		if (w.plan.by_pixel) {
			n = conv_least(w.plan.block, end - row);
			block_of_pixels(&w, row, n);
		} else {
			n = block_of_rows(&w, row, end - row);
		}
	}
}

void ek_conv_s8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!conv_is_walked(&args->shape, MOST_BYTES)) {
		ek_conv_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void ek_conv_u8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!conv_is_walked(&args->shape, MOST_BYTES)) {
		ek_conv_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}
