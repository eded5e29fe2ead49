/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels of 64 channels and more are read where they are, a panel of 64 channels at a time; padding
 * is a row and a column of zero points. Of fewer channels ("flat") a vector has the bytes of a row,
 * whatever pixel they belong to: the channels repeat after so many sets of 64. The rows that an
 * output row reads are then copied to scratch, unsigned, with their padding; a row comes once, into
 * the slot of the one that is needed no more. With a stride of s a slot has s phases, each with
 * every s-th pixel, so that neighbouring outputs always read neighbouring pixels.
 */
#include "kernels/depthwise/depthwise_tile_avx512.h"
#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/simd/halves_avx512.h"

uint64_t ek_depthwise_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	if (!depthwise_is_walked(shape)) {
		return ek_depthwise_s8[0].scratch_bytes(shape);
	}
	const struct depthwise_plan p = depthwise_plan_of(shape);
	return 2 * (uint64_t)p.tall + (p.slots + 1) * (uint64_t)p.slot +
		(4 * p.groups + 1) * sizeof(const uint8_t *);
}

static __m512i sign_of(const struct depthwise_work *w)
{
	return _mm512_set1_epi8((char)(w->output.is_signed ? 0x80 : 0));
}

static void copy(uint8_t *to, const uint8_t *from, size_t n, __m512i sign)
{
	for (; n >= 64; n -= 64, to += 64, from += 64) {
		_mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), sign));
	}
	__mmask64 m = float_requant_bytes(n);
	_mm512_mask_storeu_epi8(to, m, _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, from), sign));
}

/* @n pixels of the row at @from into a slot: pixel 0 is number @at of the slot, of any stride. */
static void copy_pixels(
	const struct depthwise_work *w, const uint8_t *from, uint32_t n, uint32_t at, uint8_t *slot)
{
	const uint32_t stride = w->args->shape.window.x.stride;
	const size_t step = w->args->shape.in_c;
	const __m512i sign = sign_of(w);
	const __mmask64 m = float_requant_bytes(w->channels);
	uint32_t phase = at % stride;
	uint8_t *to = slot + at / stride * w->plan.pixel;
	for (uint32_t i = 0; i < n && stride == 1; i++, from += step, to += w->plan.pixel) {
		__m512i v = _mm512_maskz_loadu_epi8(m, from);
		_mm512_mask_storeu_epi8(to, m, _mm512_xor_si512(v, sign));
	}
	if (stride == 1) {
		return;
	}
	for (uint32_t i = 0; i < n; i++, from += step) {
		__m512i v = _mm512_maskz_loadu_epi8(m, from);
		_mm512_mask_storeu_epi8(to + phase * w->plan.phase, m, _mm512_xor_si512(v, sign));
		phase = phase + 1 < stride ? phase + 1 : 0;
		to += phase ? 0 : w->plan.pixel;
	}
}

/* The same for a stride of 2 and 8, 16 or 32 channels: 128 bytes at a time. */
static void copy_halves(
	const struct depthwise_work *w, const uint8_t *from, uint32_t n, uint32_t at, uint8_t *slot)
{
	const __m512i sign = sign_of(w);
	const size_t pixel = w->plan.pixel, bytes = n * pixel;
	const __m512i even = halves_even(pixel);
	const __m512i odd = _mm512_add_epi64(even, _mm512_set1_epi64((long long)pixel / 8));
	uint8_t *to[2] = {slot + at % 2 * w->plan.phase + at / 2 * pixel,
		slot + (at + 1) % 2 * w->plan.phase + (at + 1) / 2 * pixel};
	size_t k = 0;
	for (; k + 128 <= bytes; k += 128) {
		__m512i a = _mm512_xor_si512(_mm512_loadu_si512(from + k), sign);
		__m512i b = _mm512_xor_si512(_mm512_loadu_si512(from + k + 64), sign);
		_mm512_storeu_si512(to[0] + k / 2, _mm512_permutex2var_epi64(a, even, b));
		_mm512_storeu_si512(to[1] + k / 2, _mm512_permutex2var_epi64(a, odd, b));
	}
	if (k < bytes) {
		__mmask64 low = float_requant_bytes(bytes - k);
		__mmask64 high = bytes - k > 64 ? float_requant_bytes(bytes - k - 64) : 0;
		__m512i a = _mm512_maskz_loadu_epi8(low, from + k);
		__m512i b = _mm512_maskz_loadu_epi8(high, from + k + 64);
		size_t pixels = (bytes - k) / pixel, odds = pixels / 2;
		__m512i x = _mm512_permutex2var_epi64(a, even, b);
		__m512i y = _mm512_permutex2var_epi64(a, odd, b);
		_mm512_mask_storeu_epi8(to[0] + k / 2, float_requant_bytes((pixels - odds) * pixel),
			_mm512_xor_si512(x, sign));
		_mm512_mask_storeu_epi8(to[1] + k / 2, float_requant_bytes(odds * pixel),
			_mm512_xor_si512(y, sign));
	}
}

/* Input row @y of a batch entry into its slot; what is around the picture is there. */
static void copy_row(const struct depthwise_work *w, uint32_t batch, uint32_t y, uint8_t *slot)
{
	const struct ek_conv_shape *s = &w->args->shape;
	const struct ek_window_axis *ax = &s->window.x;
	uint64_t width = (uint64_t)(ax->out - 1) * ax->stride + depthwise_reach(ax);
	uint64_t seen = width > ax->pad ? width - ax->pad : 0;
	uint32_t n = seen < ax->in ? (uint32_t)seen : ax->in;
	const uint8_t *from = (const uint8_t *)w->args->input +
		((size_t)batch * s->window.y.in + y) * ax->in * s->in_c + w->first;
	bool halves = s->in_c == 8 || s->in_c == 16 || s->in_c == 32;
	if (w->plan.flat && ax->stride == 1) {
		copy(slot + ax->pad * w->plan.pixel, from, n * w->plan.pixel, sign_of(w));
	} else if (w->plan.flat && ax->stride == 2 && halves) {
		copy_halves(w, from, n, ax->pad, slot);
	} else {
		copy_pixels(w, from, n, ax->pad, slot);
	}
}

/* Slots of the rows that @pixel and those behind it read, and with @two the row below; rows before @have are
 * there already. Returns the first one that isn't. */
static int64_t bring_rows(
	const struct depthwise_work *w, struct ek_pixel pixel, bool two, int64_t have)
{
	const struct ek_window_axis *ay = &w->args->shape.window.y;
	int64_t from = (int64_t)pixel.y * ay->stride - ay->pad;
	int64_t end = from + w->plan.slots - (w->plan.pairs && !two);
	int64_t first = from > 0 ? from : 0, until = end < ay->in ? end : ay->in;
	int64_t next = have > first ? have : first;
	const uint32_t slots = w->plan.slots;
	uint32_t at = (uint32_t)next % slots;
	for (; next < until; next++, at = at + 1 < slots ? at + 1 : 0) {
		copy_row(w, pixel.batch, (uint32_t)next, w->slots + at * w->plan.slot);
	}
	at = (uint32_t)(from + ay->pad) % slots + slots - ay->pad % slots; /* of row from */
	for (uint32_t k = 0; k < w->plan.groups * 4 + w->plan.pairs; k++, at += ay->dilation) {
		int64_t y = from + (int64_t)k * ay->dilation;
		bool inside = k < ay->taps + w->plan.pairs && y >= 0 && y < ay->in;
		at = at < slots ? at : at < 2 * slots ? at - slots : at % slots;
		w->rows[k] = (inside ? w->slots + at * w->plan.slot : w->outside) +
			pixel.x * w->plan.pixel;
	}
	return next;
}

static void set_panel(struct depthwise_work *w, uint32_t first)
{
	const struct float_requant_panel *panels = w->args->weights;
	const int8_t *weights = (const int8_t *)(panels + w->plan.panels);
	w->first = first;
	w->channels = depthwise_least(w->args->shape.out_c - first, DEPTHWISE_BYTES);
	w->panel = panels + first / DEPTHWISE_BYTES;
	w->weights = weights + first / DEPTHWISE_BYTES * w->weights_step;
}

/* The input rows that a pixel's row reads, or it and the one below. */
static void point_rows(const struct depthwise_work *w, struct ek_pixel p, bool two)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *ay = &window->y;
	const size_t row_bytes = (size_t)window->x.in * w->args->shape.in_c;
	const uint8_t *picture =
		(const uint8_t *)w->args->input + (size_t)p.batch * ay->in * row_bytes;
	const uint32_t n = w->plan.groups * 4 + w->plan.pairs, seen = ay->taps + two;
	int64_t y = (int64_t)p.y * ay->stride - ay->pad;
	for (uint32_t k = 0; k < seen; k++, y += ay->dilation) {
		w->rows[k] = (uint64_t)y < ay->in ? picture + (uint64_t)y * row_bytes : w->outside;
	}
	for (uint32_t k = seen; k < n; k++) { /* meets weights of zero */
		w->rows[k] = w->rows[0];
	}
}

/* Output rows from @p on whose taps are all inside, of a thin picture. */
static uint32_t tall_rows(const struct ek_window *window, struct ek_pixel p)
{
	const struct ek_window_axis *y = &window->y;
	int64_t first = (int64_t)p.y * y->stride - y->pad,
		last = (int64_t)y->in - depthwise_reach(y);
	if (first < 0 || first > last) {
		return 0;
	}
	return depthwise_least((uint32_t)((last - first) / y->stride) + 1, y->out - p.y);
}

/* Where a tile has come to: an output row, or two, or a tall run. */
struct panel_row {
	struct ek_pixel p;
	uint32_t row, end; /* output pixels */
	uint32_t n; /* of one row */
	bool two, tall;
};

static void panel_row_set(const struct depthwise_work *w, struct panel_row *r)
{
	const struct ek_window *window = &w->args->shape.window;
	const uint32_t width = window->x.out, left = r->end - r->row;
	const uint32_t tall = w->plan.thin ? tall_rows(window, r->p) : 0;
	r->two = w->plan.pairs && !tall && r->p.x == 0 && left >= 2 * width &&
		r->p.y + 1 < window->y.out;
	r->n = depthwise_least(left, tall ? tall : width - r->p.x);
	r->tall = tall > 0;
}

static void panel_row_next(const struct depthwise_work *w, struct panel_row *r)
{
	r->row += r->two ? 2 * r->n : r->n;
	r->p.y += r->two ? 2 : r->tall ? r->n : 1;
	r->p.x = 0;
	if (r->p.y >= w->args->shape.window.y.out) {
		r->p.y = 0;
		r->p.batch++;
	}
	panel_row_set(w, r);
}

static struct panel_row panel_row_first(const struct depthwise_work *w, const struct ek_tile *t)
{
	struct panel_row r = {.p = ek_window_pixel(&w->args->shape.window, t->first_row),
		.row = t->first_row,
		.end = t->first_row + t->n_rows};
	panel_row_set(w, &r);
	return r;
}

static void run_panel_row(
	const struct depthwise_work *w, const struct panel_row *r, depthwise_rows_fn *fn)
{
	const struct ek_conv_shape *s = &w->args->shape;
	uint8_t *to = (uint8_t *)w->args->output + r->row * (size_t)s->out_c + w->first;
	const struct line_of_pixels l = {
		.rows = w->rows,
		.upper = to,
		.lower = r->two ? to + (size_t)s->window.x.out * s->out_c : NULL,
		.x = r->p.x,
		.n = r->n,
		.tall = r->tall,
	};
	fn(w, &l);
}

/* Of small pictures a panel after another, whose rows then stay near the core, and where there is one panel only;
 * else all panels of a row. */
static void run_panels(struct depthwise_work *w, const struct ek_tile *t)
{
	const struct ek_window *window = &w->args->shape.window;
	const uint32_t end = t->first_col + t->n_cols;
	const uint64_t bytes = (uint64_t)window->y.in * window->x.in * w->args->shape.in_c;
	const bool one_by_one = bytes <= DEPTHWISE_NEAR || t->n_cols <= DEPTHWISE_BYTES;
	const struct panel_row first = panel_row_first(w, t);
	for (uint32_t c = t->first_col; c < end && one_by_one; c += DEPTHWISE_BYTES) {
		set_panel(w, c);
		depthwise_rows_fn *fn = depthwise_rows(w);
		for (struct panel_row r = first; r.row < r.end; panel_row_next(w, &r)) {
			point_rows(w, r.p, r.two);
			run_panel_row(w, &r, fn);
		}
	}
	for (struct panel_row r = first; r.row < r.end && !one_by_one; panel_row_next(w, &r)) {
		point_rows(w, r.p, r.two);
		for (uint32_t c = t->first_col; c < end; c += DEPTHWISE_BYTES) {
			set_panel(w, c);
			run_panel_row(w, &r, depthwise_rows(w));
		}
	}
}

/* The rows of the tile, flat. */
static void run_rows(const struct depthwise_work *w, const struct ek_tile *t)
{
	const struct ek_window *window = &w->args->shape.window;
	const uint32_t width = window->x.out, end = t->first_row + t->n_rows;
	depthwise_rows_fn *fn = depthwise_rows(w);
	uint8_t *output = (uint8_t *)w->args->output + w->first;
	size_t step = w->args->shape.out_c;
	int64_t have = 0;
	uint32_t batch = UINT32_MAX;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		struct ek_pixel p = ek_window_pixel(window, row);
		n = depthwise_least(end - row, width - p.x);
		bool two = w->plan.pairs && p.x == 0 && end - row >= 2 * width &&
			p.y + 1 < window->y.out;
		have = bring_rows(w, p, two, p.batch == batch ? have : 0);
		batch = p.batch;
		const struct line_of_pixels l = {
			.rows = w->rows,
			.upper = output + row * step,
			.lower = two ? output + (row + width) * step : NULL,
			.n = n,
		};
		fn(w, &l);
		n = two ? 2 * width : n;
	}
}

/* A call of tall_row(). */
struct tall {
	const struct line_of_pixels *l;
	const struct float_requant_panel *panel;
	const int8_t *weights;
	struct float_requant_limits limits;
	size_t step, bytes; /* from one vector of the same channels to the next; of the output */
};

/*
 * Vectors of the output from byte @at on, block.n of them or pairs of them, seen through so many
 * groups of four taps, which are the block's columns.
 */
ALWAYS_INLINE void tall_block(
	const struct tall *t, const struct block block, const uint32_t groups, size_t at)
{
	__m512i c[2 * 4 * FLOAT_REQUANT_VECTORS], y[4];
#pragma GCC unroll 2
	for (int p = 0; p < block.n; p++) {
#pragma GCC unroll 4
		for (uint32_t g = 0; g < groups; g++) {
			column(t->l->rows + 4 * g, 4, at + (size_t)(p * block.rows) * t->step,
				c + ((uint32_t)p * groups + g) * FLOAT_REQUANT_VECTORS);
		}
	}
	block_codes(block, (int)groups, &t->limits, t->panel, t->weights, c, y);
#pragma GCC unroll 2
	for (int p = 0; p < block.n; p++) {
#pragma GCC unroll 2
		for (int row = 0; row < block.rows; row++, at += t->step) {
			_mm512_mask_storeu_epi8(t->l->upper + at,
				float_requant_bytes(t->bytes - at), y[2 * row + p]);
		}
	}
}

/* All vectors of a set. */
ALWAYS_INLINE void tall_set(const struct tall *t, const bool pairs, const uint32_t groups,
	const bool clamped, size_t at)
{
	struct block block = {BLOCK_64, groups, pairs ? 2 : 1, 2, clamped, false, 0,
		(pairs ? 2 : 1) * DEPTHWISE_BYTES};
	const size_t many = 2 * (size_t)block.rows - 1; /* more vectors of a block */
	for (; at + many * t->step < t->bytes && groups <= 3; at += (many + 1) * t->step) {
		tall_block(t, block, groups, at);
	}
	block.rows = block.n = 1;
	for (; at < t->bytes; at += t->step) {
		tall_block(t, block, groups, at);
	}
}

/* A picture that is one slot, with weights of one part. */
ALWAYS_INLINE void tall_row(const struct depthwise_work *w, const struct line_of_pixels *l,
	const uint32_t groups, const bool clamped)
{
	struct tall t = {.l = l,
		.limits = float_requant_limits(&w->output),
		.step = (size_t)w->plan.panels * DEPTHWISE_BYTES,
		.bytes = l->n * w->plan.pixel};
	for (uint32_t set = 0; set < w->plan.panels; set++) {
		t.panel = w->panel + set;
		t.weights = w->weights + set * w->weights_step;
		const size_t at = (size_t)set * DEPTHWISE_BYTES;
		if (groups <= 2 && w->plan.pairs) {
			tall_set(&t, true, groups, clamped, at);
		} else {
			tall_set(&t, false, groups, clamped, at);
		}
	}
}

static void run_tall_row(const struct depthwise_work *w, const struct line_of_pixels *l)
{
	bool any = false, clamped = false;
	for (uint32_t i = 0; i < w->plan.panels; i++) {
		any |= w->panel[i].sums || w->panel[i].mode == FLOAT_REQUANT_STEPS;
		clamped |= w->panel[i].mode == FLOAT_REQUANT_CLAMPED;
	}
	switch (any ? 0 : w->plan.groups) {
	case 1:
		clamped ? tall_row(w, l, 1, true) : tall_row(w, l, 1, false);
		break;
	case 2:
		clamped ? tall_row(w, l, 2, true) : tall_row(w, l, 2, false);
		break;
	case 3:
		clamped ? tall_row(w, l, 3, true) : tall_row(w, l, 3, false);
		break;
	case 4:
		clamped ? tall_row(w, l, 4, true) : tall_row(w, l, 4, false);
		break;
	default:
		flat_any(w, l);
	}
}

/* What @n pixels from @p on see into the slot, whose rows begin with the padding. */
static void copy_tall(const struct depthwise_work *w, struct ek_pixel p, uint32_t n)
{
	const struct ek_window_axis *y = &w->args->shape.window.y;
	const size_t pixel = w->plan.pixel, until = (size_t)y->pad + y->in;
	const size_t first = p.y, end = first + n - 1 + depthwise_reach(y);
	size_t from = first > y->pad ? first : y->pad, to = end < until ? end : until;
	const uint8_t *picture = (const uint8_t *)w->args->input + (size_t)p.batch * y->in * pixel;
	to = to > from ? to : from;
	from = from < end ? from : end;
	to = to < end ? to : end;
	memset(w->slots + first * pixel, w->padding, (from - first) * pixel);
	if (to > from) {
		copy(w->slots + from * pixel, picture + (from - y->pad) * pixel,
			(to - from) * pixel, sign_of(w));
	}
	memset(w->slots + to * pixel, w->padding, (end - to) * pixel);
}

/* Pictures that are one slot each. */
static void run_tall(const struct depthwise_work *w, const struct ek_tile *t)
{
	const struct ek_window_axis *y = &w->args->shape.window.y;
	const size_t pixel = w->plan.pixel;
	const uint32_t end = t->first_row + t->n_rows;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		struct ek_pixel p = ek_window_pixel(&w->args->shape.window, row);
		n = depthwise_least(end - row, y->out - p.y);
		copy_tall(w, p, n);
		for (uint32_t k = 0; k < w->plan.groups * 4; k++) {
			/* Others meet weights of zero. */
			uint32_t tap = k < y->taps + w->plan.pairs ? k : 0;
			w->rows[k] = w->slots + (p.y + (size_t)tap * y->dilation) * pixel;
		}
		const struct line_of_pixels l = {
			.rows = w->rows,
			.upper = (uint8_t *)w->args->output + row * pixel,
			.n = n,
		};
		run_tall_row(w, &l);
	}
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct depthwise_work w = {.args = a, .plan = depthwise_plan_of(&a->shape)};
	int padding = a->input_zero + (is_signed ? 128 : 0);
	const bool tall = w.plan.tall && t->n_cols == a->shape.out_c;
	if (tall) {
		depthwise_plan_tall(&w.plan, &a->shape);
	}
	w.output = float_requant_output(a->output_zero, a->lo, a->hi, is_signed);
	w.weights_step = w.plan.part * (is_signed ? 1 : 2);
	w.slots = scratch;
	w.outside = w.slots + w.plan.slots * w.plan.slot;
	w.rows = (const uint8_t **)(w.slots + (w.plan.slots + 1) * w.plan.slot);
	w.padding = (uint8_t)(w.plan.flat ? padding : a->input_zero);
	if (!tall) {
		memset(scratch, w.padding, (w.plan.slots + 1) * w.plan.slot);
	}
	if (tall) {
		set_panel(&w, 0);
		run_tall(&w, t);
	} else if (!w.plan.flat) {
		run_panels(&w, t);
	} else if (t->n_cols) {
		set_panel(&w, 0);
		run_rows(&w, t);
	}
}

void ek_depthwise_s8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!depthwise_is_walked(&args->shape)) {
		ek_depthwise_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void ek_depthwise_u8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (!depthwise_is_walked(&args->shape)) {
		ek_depthwise_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}
