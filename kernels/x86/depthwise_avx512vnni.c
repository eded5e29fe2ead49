/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels of 64 channels and more are read where they are, a panel of 64 channels at a time; padding
 * is a row and a column of zero points. Of fewer channels ("flat") a vector has the bytes of a row,
 * whatever pixel they belong to: the channels repeat after so many sets of 64. The rows that an
 * output row reads are then copied to scratch, unsigned, with their padding; a row comes once, into
 * the slot of the one that is needed no more. With a stride of s a slot has s phases, each with
 * every s-th pixel, so that neighbouring outputs always read neighbouring pixels.
 *
 * 64 bytes of four rows are interleaved, so that one VPDPBUSD sums four taps of a column of 16
 * channels.
 *
 * int8 codes become x + 128. uint8 weights less their zero point take 9 bits: panels in which one
 * needs them all have a second part of the weights, which is added to the first; where it is 255,
 * twice. A panel's sums says how often.
 *
 * Packed: a struct line_panel for each panel or set, then for each of them
 * [parts][columns of taps][rows by fours][4 vectors][16 channels][4 taps]; where two output rows are
 * made at once, in the place of a vector the one for the upper row and the one for the lower. Lane
 * 4 l + i of vector j is byte 16 l + 4 j + i.
 */
#include "kernels/x86/depthwise.h"
#include "kernels/x86/line_avx512.h"

#define MOST_SETS 5
#define BYTES 64 /* of a panel or set */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t reach_of(const struct ek_window_axis *a)
{
	return (a->taps - 1) * a->dilation + 1;
}

/* How a shape is gone through. */
struct plan {
	bool flat; /* bytes of all channels in a row; else 64 of one pixel */
	bool pairs; /* two output rows at once: 3x3, stride 1 down and, if not flat, across */
	uint32_t panels; /* or sets */
	uint32_t groups; /* of four rows of taps */
	size_t pixel; /* bytes of one in a slot */
	size_t phase, slot; /* bytes */
	uint32_t slots; /* one more is padding */
	size_t vector; /* bytes from one vector of weights to the next */
	size_t part; /* bytes of a part of the weights of a panel */
};

/* After how many times 64 bytes the channels of pixels side by side repeat. */
static uint32_t sets_of(uint32_t channels)
{
	uint32_t sets = channels;
	for (uint32_t n = BYTES; n > 1 && sets % 2 == 0; n /= 2) {
		sets /= 2;
	}
	return sets;
}

static struct plan plan_of(const struct ek_depthwise_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	size_t width = (size_t)(x->out - 1) * x->stride + reach_of(x);
	struct plan p = {
		.flat = s->in_c < BYTES && sets_of(s->in_c) <= MOST_SETS,
		.groups = (y->taps + 3) / 4,
	};
	p.pairs = y->taps == 3 && x->taps == 3 && y->dilation == 1 && y->stride == 1 &&
		(p.flat || (x->dilation == 1 && x->stride == 1));
	p.panels = p.flat ? sets_of(s->in_c) : (s->in_c + BYTES - 1) / BYTES;
	p.pixel = p.flat ? s->in_c : BYTES;
	p.phase = (width + x->stride - 1) / x->stride * p.pixel;
	p.slot = (p.phase * x->stride + 2 * BYTES + 63) / 64 * 64;
	p.slots = reach_of(y) + p.pairs;
	if (!p.flat) { /* a row of padding */
		p.slots = 0;
		p.slot = ((size_t)x->in * s->in_c + 63) / 64 * 64;
	}
	p.vector = p.pairs ? 2 * BYTES : BYTES;
	p.part = (size_t)x->taps * p.groups * 4 * p.vector;
	return p;
}

static uint64_t packed_bytes(const struct ek_depthwise_shape *s, uint32_t parts)
{
	const struct plan p = plan_of(s);
	return s->in_c != s->out_c
		? 0
		: p.panels * (sizeof(struct line_panel) + parts * (uint64_t)p.part);
}

uint64_t ek_depthwise_s8_packed_bytes__avx512vnni(const struct ek_depthwise_shape *shape)
{
	return packed_bytes(shape, 1);
}

uint64_t ek_depthwise_u8_packed_bytes__avx512vnni(const struct ek_depthwise_shape *shape)
{
	return packed_bytes(shape, 2);
}

uint64_t ek_depthwise_scratch_bytes__avx512vnni(const struct ek_depthwise_shape *shape)
{
	const struct plan p = plan_of(shape);
	return shape->in_c != shape->out_c
		? 0
		: (p.slots + 1) * (uint64_t)p.slot + (4 * p.groups + 1) * sizeof(const uint8_t *);
}

struct packing {
	const struct ek_depthwise_q *args;
	struct plan plan;
	bool is_signed;
	uint32_t panel;
};

/* Channel of byte @at of the panel; beyond the last one where it has none. */
static uint32_t channel_of(const struct packing *p, uint32_t at)
{
	uint32_t byte = p->panel * BYTES + at;
	return p->plan.flat ? byte % p->args->shape.in_c : byte;
}

static uint32_t byte_of(uint32_t vector, uint32_t lane)
{
	return lane / 4 * 16 + vector * 4 + lane % 4;
}

/* Less its zero point; 0 beyond the channels and taps. */
static int32_t weight(const struct packing *p, uint32_t ky, uint32_t kx, uint32_t channel)
{
	const struct ek_depthwise_q *a = p->args;
	const struct ek_window *w = &a->shape.window;
	if (ky >= w->y.taps || channel >= a->shape.out_c) {
		return 0;
	}
	size_t at = ((size_t)ky * w->x.taps + kx) * a->shape.out_c + channel;
	return p->is_signed ? ((const int8_t *)a->weights)[at]
			    : ((const uint8_t *)a->weights)[at] - a->weights_zero;
}

static struct line_channel channel_line(const struct packing *p, uint32_t channel)
{
	const struct ek_depthwise_q *a = p->args;
	const struct ek_window *w = &a->shape.window;
	struct line_channel c = {.scale = {0, 0}};
	if (channel >= a->shape.out_c) {
		return c;
	}
	uint32_t sum = 0;
	for (uint32_t tap = 0; tap < w->y.taps * w->x.taps; tap++) {
		int32_t v = weight(p, tap / w->x.taps, tap % w->x.taps, channel);
		sum += (uint32_t)v;
		c.reach += 255 * (uint64_t)(v < 0 ? -v : v);
	}
	uint32_t input_zero = (uint32_t)(a->input_zero + (p->is_signed ? 128 : 0));
	c.scale = a->scale[channel];
	c.bias = a->bias32 ? a->bias32[channel] : 0;
	c.start = (int32_t)((uint32_t)c.bias - input_zero * sum);
	return c;
}

/* In how many parts a weight is added: 2 if it takes 9 bits, 3 if both of them can't hold it. */
static int32_t parts_of(int32_t weight)
{
	return weight == 255 ? 3 : weight < INT8_MIN || weight > INT8_MAX ? 2 : 1;
}

/* The first part; the second one is the rest, or with three parts half of it. */
static int8_t first_part(int32_t weight, int32_t parts)
{
	int32_t first = ek_clamp32(weight, INT8_MIN, INT8_MAX), odd = (weight - first) & 1;
	return (int8_t)(parts < 3 || !odd ? first : first < 0 ? first + 1 : first - 1);
}

static int32_t parts_of_panel(const struct packing *p)
{
	const struct ek_window *w = &p->args->shape.window;
	int32_t parts = 1;
	for (uint32_t at = 0; at < BYTES; at++) {
		for (uint32_t tap = 0; tap < w->y.taps * w->x.taps; tap++) {
			int32_t v = weight(p, tap / w->x.taps, tap % w->x.taps, channel_of(p, at));
			parts = parts_of(v) > parts ? parts_of(v) : parts;
		}
	}
	return parts;
}

/* One vector of a column's taps from row @ky on; rows above the first one (pairs) are 0. */
static void pack_vector(
	const struct packing *p, int32_t parts, int32_t ky, uint32_t kx, uint32_t j, int8_t *to)
{
	for (uint32_t at = 0; at < BYTES; at++) {
		int32_t row = ky + (int32_t)(at % 4);
		uint32_t channel = channel_of(p, byte_of(j, at / 4));
		int32_t v = row < 0 ? 0 : weight(p, (uint32_t)row, kx, channel);
		to[at] = first_part(v, parts);
		if (parts > 1) {
			to[p->plan.part + at] = (int8_t)((v - to[at]) / (parts - 1));
		}
	}
}

static void pack_weights(const struct packing *p, int32_t parts, int8_t *to)
{
	for (uint32_t kx = 0; kx < p->args->shape.window.x.taps; kx++) {
		for (uint32_t g = 0; g < p->plan.groups; g++) {
			for (uint32_t j = 0; j < LINE_VECTORS; j++, to += p->plan.vector) {
				pack_vector(p, parts, (int32_t)g * 4, kx, j, to);
				if (p->plan.pairs) {
					pack_vector(p, parts, -1, kx, j, to + BYTES);
				}
			}
		}
	}
}

static void pack_panel(const struct packing *p, struct line_panel *panel)
{
	const struct ek_depthwise_q *a = p->args;
	const struct line_output output = line_output(a->output_zero, a->lo, a->hi, p->is_signed);
	struct line_channel lanes[LINE_LANES];
	for (uint32_t lane = 0; lane < LINE_LANES; lane++) {
		lanes[lane] = channel_line(p, channel_of(p, byte_of(lane / 16, lane % 16)));
	}
	line_panel_make__avx512(panel, lanes, &output);
}

static void pack(const struct ek_depthwise_q *a, bool is_signed, void *packed)
{
	struct packing p = {.args = a, .plan = plan_of(&a->shape), .is_signed = is_signed};
	struct line_panel *panels = packed;
	int8_t *weights = (int8_t *)(panels + p.plan.panels);
	memset(packed, 0, (size_t)packed_bytes(&a->shape, is_signed ? 1 : 2));
	for (p.panel = 0; p.panel < p.plan.panels; p.panel++) {
		struct line_panel *panel = &panels[p.panel];
		pack_panel(&p, panel);
		panel->sums = parts_of_panel(&p) - 1;
		pack_weights(&p, panel->sums + 1, weights);
		weights += p.plan.part * (is_signed ? 1 : 2);
	}
}

void ek_depthwise_s8_pack__avx512vnni(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, true, packed);
}

void ek_depthwise_u8_pack__avx512vnni(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, false, packed);
}

/* A call, and one panel or all sets of it. */
struct work {
	const struct ek_depthwise_q *args;
	struct plan plan;
	struct line_output output;
	const struct line_panel *panel;
	const int8_t *weights;
	size_t weights_step; /* from one panel or set to the next */
	uint32_t first, channels; /* of the panel */
	uint8_t *slots;
	const uint8_t *outside; /* a row of padding */
	const uint8_t **rows; /* of the current output row */
};

/* Neighbouring outputs of one row, or of two. */
struct line_of_pixels {
	const uint8_t *const *rows;
	uint8_t *upper, *lower; /* lower: NULL where there is none */
	uint32_t x, n; /* first pixel of the output row, and how many */
	bool tall; /* they lie one below the other instead, one pixel wide, all taps inside */
};

ALWAYS_INLINE void interleave(const __m512i x[4], __m512i v[4])
{
	__m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
	__m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
	v[0] = _mm512_unpacklo_epi16(low01, low23);
	v[1] = _mm512_unpackhi_epi16(low01, low23);
	v[2] = _mm512_unpacklo_epi16(high01, high23);
	v[3] = _mm512_unpackhi_epi16(high01, high23);
}

/* Of @n rows, the last one instead of a fourth. */
ALWAYS_INLINE void column(const uint8_t *const rows[4], const int n, size_t at, __m512i v[4])
{
	__m512i x[4];
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		x[i] = _mm512_loadu_si512(rows[i] + at);
	}
	x[3] = x[n - 1];
	interleave(x, v);
}

static size_t column_at(const struct work *w, uint32_t kx)
{
	const struct ek_window_axis *x = &w->args->shape.window.x;
	size_t at = (size_t)kx * x->dilation;
	return at % x->stride * w->plan.phase + at / x->stride * w->plan.pixel;
}

ALWAYS_INLINE void any_start(const struct line_panel *panel, __m512i sums[LINE_VECTORS])
{
#pragma GCC unroll 4
	for (int j = 0; j < LINE_VECTORS; j++) {
		sums[j] = line_start(panel, j);
	}
}

/* One part of four taps of a column. */
ALWAYS_INLINE void any_part(const int8_t *weights, size_t vector, const __m512i v[LINE_VECTORS],
	__m512i sums[LINE_VECTORS])
{
#pragma GCC unroll 4
	for (size_t j = 0; j < LINE_VECTORS; j++) {
		__m512i by = _mm512_loadu_si512(weights + j * vector);
		sums[j] = _mm512_dpbusd_epi32(sums[j], v[j], by);
	}
}

/* Four taps of one column. */
ALWAYS_INLINE void any_taps(const struct work *w, const struct line_panel *panel,
	const int8_t *weights, const __m512i v[LINE_VECTORS], __m512i sums[LINE_VECTORS])
{
	any_part(weights, w->plan.vector, v, sums);
	for (int32_t k = 0; k < panel->sums; k++) {
		any_part(weights + w->plan.part, w->plan.vector, v, sums);
	}
}

ALWAYS_INLINE __m512i any_codes(
	const struct work *w, const struct line_panel *panel, __m512i sums[LINE_VECTORS])
{
	const struct line_limits limits = line_limits(&w->output);
	const bool clamped = panel->mode == LINE_CLAMPED;
	__m512i y[LINE_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < LINE_VECTORS; j++) {
		const struct line line = line_load(panel, j);
		y[j] = panel->mode == LINE_STEPS ? _mm512_add_epi32(line_steps(panel, j, sums[j]),
							   _mm512_set1_epi32(w->output.zero))
						 : line_codes(&line, clamped, sums[j]);
	}
	return line_pack(&limits, y[0], y[1], y[2], y[3]);
}

/* Any filter: 64 bytes of one output row from byte @at of the slots on. */
static __m512i any_bytes(const struct work *w, const uint8_t *const *rows,
	const struct line_panel *panel, const int8_t *weights, size_t at)
{
	const struct ek_window *window = &w->args->shape.window;
	__m512i sums[LINE_VECTORS], v[LINE_VECTORS];
	any_start(panel, sums);
	for (uint32_t kx = 0; kx < window->x.taps; kx++) {
		for (uint32_t g = 0; g < w->plan.groups; g++) {
			column(rows + 4 * g, 4, column_at(w, kx) + at, v);
			any_taps(w, panel, weights, v, sums);
			weights += 4 * w->plan.vector;
		}
	}
	return any_codes(w, panel, sums);
}

static void flat_any_row(const struct work *w, const uint8_t *const *rows, uint8_t *to, uint32_t n)
{
	size_t bytes = (size_t)n * w->plan.pixel;
	uint32_t set = 0;
	for (size_t at = 0; at < bytes; at += BYTES) {
		__m512i y =
			any_bytes(w, rows, w->panel + set, w->weights + set * w->weights_step, at);
		_mm512_mask_storeu_epi8(to + at, line_bytes(bytes - at), y);
		set = set + 1 < w->plan.panels ? set + 1 : 0;
	}
}

static void flat_any(const struct work *w, const struct line_of_pixels *l)
{
	flat_any_row(w, l->rows, l->upper, l->n);
	if (l->lower) {
		flat_any_row(w, l->rows + 1, l->lower, l->n);
	}
}

ALWAYS_INLINE __m512i taps_3x3(
	__m512i sum, const int8_t *w, const size_t vector, __m512i a, __m512i b, __m512i c)
{
	sum = _mm512_dpbusd_epi32(sum, a, _mm512_load_si512(w));
	sum = _mm512_dpbusd_epi32(sum, b, _mm512_load_si512(w + 4 * vector));
	return _mm512_dpbusd_epi32(sum, c, _mm512_load_si512(w + 8 * vector));
}

/* Codes of one 3x3 output from its three columns; @row: 0 the upper one, 1 the lower one. */
ALWAYS_INLINE __m512i codes_3x3(const struct line_limits *limits, const struct line_panel *panel,
	const int8_t *weights, const size_t part, const size_t vector, const bool clamped,
	const __m512i *a, const __m512i *b, const __m512i *c)
{
	__m512i y[LINE_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < LINE_VECTORS; j++) {
		const struct line line = line_load(panel, j);
		const int8_t *w = weights + (size_t)j * vector;
		__m512i sum = line_start(panel, j);
		sum = taps_3x3(sum, w, vector, a[j], b[j], c[j]);
		sum = part ? taps_3x3(sum, w + part, vector, a[j], b[j], c[j]) : sum;
		y[j] = line_codes(&line, clamped, sum);
	}
	return line_pack(limits, y[0], y[1], y[2], y[3]);
}

/* The same for the upper and the lower row, which share the constants. */
ALWAYS_INLINE void both_3x3(const struct line_limits *limits, const struct line_panel *panel,
	const int8_t *weights, const size_t part, const bool clamped, const __m512i *a,
	const __m512i *b, const __m512i *c, __m512i ret[2])
{
	const size_t vector = 2 * BYTES;
	__m512i y[2][LINE_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < LINE_VECTORS; j++) {
		struct line line = line_load(panel, j);
		const int8_t *w = weights + (size_t)j * vector;
		__m512i start = line_start(panel, j);
		LINE_HOLD(start);
		LINE_HOLD(line.high);
		LINE_HOLD(line.low);
		LINE_HOLD(line.rho);
#pragma GCC unroll 2
		for (size_t row = 0; row < 2; row++, w += BYTES) {
			__m512i sum = taps_3x3(start, w, vector, a[j], b[j], c[j]);
			sum = part ? taps_3x3(sum, w + part, vector, a[j], b[j], c[j]) : sum;
			y[row][j] = line_codes(&line, clamped, sum);
		}
	}
	ret[0] = line_pack(limits, y[0][0], y[0][1], y[0][2], y[0][3]);
	ret[1] = line_pack(limits, y[1][0], y[1][1], y[1][2], y[1][3]);
}

/* A row of vectors @c, four from one column to the next, for two outputs @apart columns. */
ALWAYS_INLINE void two_taps(
	const int8_t *w, const size_t vector, const size_t apart, const __m512i *c, __m512i sum[2])
{
#pragma GCC unroll 3
	for (size_t x = 0; x < 3; x++) {
		__m512i by = _mm512_load_si512(w + 4 * x * vector);
		LINE_HOLD(by);
		sum[0] = _mm512_dpbusd_epi32(sum[0], c[4 * x], by);
		sum[1] = _mm512_dpbusd_epi32(sum[1], c[4 * (x + apart)], by);
	}
}

/* The same for two neighbours, which share each load of weights; @apart columns. */
ALWAYS_INLINE void two_3x3(const struct line_limits *limits, const struct line_panel *panel,
	const int8_t *weights, const size_t part, const size_t vector, const size_t apart,
	const bool clamped, const __m512i *c, __m512i ret[2])
{
	__m512i y[2][LINE_VECTORS];
#pragma GCC unroll 4
	for (int j = 0; j < LINE_VECTORS; j++) {
		struct line line = line_load(panel, j);
		const int8_t *w = weights + (size_t)j * vector;
		__m512i sum[2] = {line_start(panel, j), line_start(panel, j)};
		two_taps(w, vector, apart, c + j, sum);
		if (part) {
			two_taps(w + part, vector, apart, c + j, sum);
		}
		LINE_HOLD(line.high);
		LINE_HOLD(line.low);
		LINE_HOLD(line.rho);
		y[0][j] = line_codes(&line, clamped, sum[0]);
		y[1][j] = line_codes(&line, clamped, sum[1]);
	}
	ret[0] = line_pack(limits, y[0][0], y[0][1], y[0][2], y[0][3]);
	ret[1] = line_pack(limits, y[1][0], y[1][1], y[1][2], y[1][3]);
}

/* Rows of the input as a filter of 64 channels sees them. */
struct columns {
	const uint8_t *rows[4];
	size_t step;
	uint32_t width;
	__mmask64 bytes;
	__m512i padding, sign; /* unsigned; what makes codes so */
};

/* Input pixel @x of @rows rows, the last one instead of a fourth. */
ALWAYS_INLINE void pixel_column(
	const struct columns *c, const bool is_signed, const int rows, int64_t x, __m512i v[4])
{
	if ((uint64_t)x >= c->width) {
		v[0] = v[1] = v[2] = v[3] = c->padding;
		return;
	}
	size_t at = (size_t)x * c->step;
	__m512i from[4];
#pragma GCC unroll 4
	for (int i = 0; i < rows; i++) {
		from[i] = _mm512_maskz_loadu_epi8(c->bytes, c->rows[i] + at);
		from[i] = is_signed ? _mm512_xor_si512(from[i], c->sign) : from[i];
	}
	from[3] = from[rows - 1];
	interleave(from, v);
}

/* The first rows that the pixels read. */
static struct columns columns_of(const struct work *w, const struct line_of_pixels *l)
{
	const struct ek_depthwise_shape *s = &w->args->shape;
	bool is_signed = w->output.is_signed;
	struct columns c = {
		.rows = {l->rows[0] + w->first, l->rows[1] + w->first, l->rows[2] + w->first,
			l->rows[l->lower ? 3 : 2] + w->first},
		.step = s->in_c,
		.width = s->window.x.in,
		.bytes = line_bytes(w->channels),
		.padding = _mm512_set1_epi8((char)(w->args->input_zero + (is_signed ? 128 : 0))),
		.sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0)),
	};
	return c;
}

/* 3x3, stride 1, a panel of one pixel: columns serve three outputs of two rows. */
ALWAYS_INLINE void panel_pairs(const struct work *w, const struct line_of_pixels *l,
	const bool is_signed, const bool clamped, const size_t part)
{
	const struct line_limits limits = line_limits(&w->output);
	const struct columns from = columns_of(w, l);
	const size_t step = w->args->shape.out_c, vector = 2 * BYTES;
	int64_t x = (int64_t)l->x - w->args->shape.window.x.pad;
	/* A missing lower row is written over by the upper one. */
	uint8_t *upper = l->upper, *lower = l->lower ? l->lower : l->upper;
	__m512i c[4 * LINE_VECTORS], y[2];
	pixel_column(&from, is_signed, 4, x, c);
	pixel_column(&from, is_signed, 4, x + 1, c + 4);
	uint32_t n = l->n;
	for (; n >= 2; n -= 2, x += 2, upper += 2 * step, lower += 2 * step) {
		pixel_column(&from, is_signed, 4, x + 2, c + 8);
		pixel_column(&from, is_signed, 4, x + 3, c + 12);
		two_3x3(&limits, w->panel, w->weights + BYTES, part, vector, 1, clamped, c, y);
		_mm512_mask_storeu_epi8(lower, from.bytes, y[0]);
		_mm512_mask_storeu_epi8(lower + step, from.bytes, y[1]);
		two_3x3(&limits, w->panel, w->weights, part, vector, 1, clamped, c, y);
		_mm512_mask_storeu_epi8(upper, from.bytes, y[0]);
		_mm512_mask_storeu_epi8(upper + step, from.bytes, y[1]);
#pragma GCC unroll 4
		for (int j = 0; j < LINE_VECTORS; j++) {
			c[j] = c[8 + j];
			c[4 + j] = c[12 + j];
		}
	}
	if (n > 0) {
		pixel_column(&from, is_signed, 4, x + 2, c + 8);
		y[1] = codes_3x3(&limits, w->panel, w->weights + BYTES, part, vector, clamped, c,
			c + 4, c + 8);
		y[0] = codes_3x3(
			&limits, w->panel, w->weights, part, vector, clamped, c, c + 4, c + 8);
		_mm512_mask_storeu_epi8(lower, from.bytes, y[1]);
		_mm512_mask_storeu_epi8(upper, from.bytes, y[0]);
	}
}

/* 3x3, any stride, a row by itself. */
ALWAYS_INLINE void panel_single(const struct work *w, const struct line_of_pixels *l,
	const bool is_signed, const bool clamped, const size_t part)
{
	const struct line_limits limits = line_limits(&w->output);
	const struct columns from = columns_of(w, l);
	const uint32_t stride = w->args->shape.window.x.stride;
	int64_t x = (int64_t)l->x * stride - w->args->shape.window.x.pad;
	const size_t step = w->args->shape.out_c;
	uint8_t *to = l->upper;
	uint32_t n = l->n;
	__m512i c[5 * LINE_VECTORS], y[2];
	pixel_column(&from, is_signed, 3, x, c);
	for (; n >= 2 && stride == 2; n -= 2, x += 4, to += 2 * step) {
		pixel_column(&from, is_signed, 3, x + 1, c + 4);
		pixel_column(&from, is_signed, 3, x + 2, c + 8);
		pixel_column(&from, is_signed, 3, x + 3, c + 12);
		pixel_column(&from, is_signed, 3, x + 4, c + 16);
		two_3x3(&limits, w->panel, w->weights, part, BYTES, 2, clamped, c, y);
		_mm512_mask_storeu_epi8(to, from.bytes, y[0]);
		_mm512_mask_storeu_epi8(to + step, from.bytes, y[1]);
#pragma GCC unroll 4
		for (int j = 0; j < LINE_VECTORS; j++) {
			c[j] = c[16 + j];
		}
	}
	for (; n > 0; n--, x += stride, to += step) {
		pixel_column(&from, is_signed, 3, x, c);
		pixel_column(&from, is_signed, 3, x + 1, c + 4);
		pixel_column(&from, is_signed, 3, x + 2, c + 8);
		y[0] = codes_3x3(
			&limits, w->panel, w->weights, part, BYTES, clamped, c, c + 4, c + 8);
		_mm512_mask_storeu_epi8(to, from.bytes, y[0]);
	}
}

/* Any filter, one row. */
static void panel_any_row(const struct work *w, const uint8_t *const *rows,
	const struct line_of_pixels *l, uint8_t *to)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *axis = &window->x;
	struct columns from = columns_of(w, l);
	if (l->tall) {
		from.step *= window->y.stride;
		from.width = l->n;
	}
	for (uint32_t i = 0; i < l->n; i++, to += w->args->shape.out_c) {
		int64_t x = l->tall ? i : (int64_t)(l->x + i) * axis->stride - axis->pad;
		__m512i sums[LINE_VECTORS], v[LINE_VECTORS];
		const int8_t *weights = w->weights;
		any_start(w->panel, sums);
		for (uint32_t kx = 0; kx < axis->taps; kx++, x += axis->dilation) {
			for (uint32_t g = 0; g < w->plan.groups; g++) {
				for (uint32_t k = 0; k < 4; k++) {
					from.rows[k] = rows[4 * g + k] + w->first;
				}
				pixel_column(&from, true, 4, x, v);
				any_taps(w, w->panel, weights, v, sums);
				weights += 4 * w->plan.vector;
			}
		}
		_mm512_mask_storeu_epi8(to, from.bytes, any_codes(w, w->panel, sums));
	}
}

static void panel_any(const struct work *w, const struct line_of_pixels *l)
{
	panel_any_row(w, l->rows, l, l->upper);
	if (l->lower) {
		panel_any_row(w, l->rows + 1, l, l->lower);
	}
}

/* 3x3, bytes of fewer than 64 channels; two rows if @pairs. */
ALWAYS_INLINE void flat_3x3(const struct work *w, const struct line_of_pixels *l,
	const bool clamped, const size_t part, const bool pairs)
{
	const struct line_limits limits = line_limits(&w->output);
	const bool last = pairs && l->lower;
	const uint8_t *rows[4] = {l->rows[0], l->rows[1], l->rows[2], l->rows[last ? 3 : 2]};
	const size_t bytes = l->n * w->plan.pixel, step = (size_t)w->plan.panels * BYTES;
	const size_t second = column_at(w, 1), third = column_at(w, 2);
	uint8_t *lower = last ? l->lower : l->upper;
	for (uint32_t set = 0; set < w->plan.panels; set++) {
		const struct line_panel *panel = w->panel + set;
		const int8_t *weights = w->weights + set * w->weights_step;
		for (size_t at = (size_t)set * BYTES; at < bytes; at += step) {
			__m512i a[LINE_VECTORS], b[LINE_VECTORS], c[LINE_VECTORS];
			__mmask64 m = line_bytes(bytes - at);
			column(rows, pairs ? 4 : 3, at, a);
			column(rows, pairs ? 4 : 3, at + second, b);
			column(rows, pairs ? 4 : 3, at + third, c);
			if (pairs) {
				__m512i y[2];
				both_3x3(&limits, panel, weights, part, clamped, a, b, c, y);
				_mm512_mask_storeu_epi8(lower + at, m, y[1]);
				_mm512_mask_storeu_epi8(l->upper + at, m, y[0]);
			} else {
				__m512i y = codes_3x3(
					&limits, panel, weights, part, BYTES, clamped, a, b, c);
				_mm512_mask_storeu_epi8(l->upper + at, m, y);
			}
		}
	}
}

typedef void rows_fn(const struct work *w, const struct line_of_pixels *l);

#define PAIR_PART ((size_t)3 * 4 * 2 * BYTES)
#define SINGLE_PART ((size_t)3 * 4 * BYTES)

#define ROWS_DEFINE(name, call)                                                                    \
	static void name(const struct work *w, const struct line_of_pixels *l)                     \
	{                                                                                          \
		call;                                                                              \
	}

ROWS_DEFINE(panel_pairs_s8_whole, panel_pairs(w, l, true, false, 0))
ROWS_DEFINE(panel_pairs_s8_clamped, panel_pairs(w, l, true, true, 0))
ROWS_DEFINE(panel_pairs_u8_whole, panel_pairs(w, l, false, false, 0))
ROWS_DEFINE(panel_pairs_u8_clamped, panel_pairs(w, l, false, true, 0))
ROWS_DEFINE(panel_pairs_u8_2_whole, panel_pairs(w, l, false, false, PAIR_PART))
ROWS_DEFINE(panel_pairs_u8_2_clamped, panel_pairs(w, l, false, true, PAIR_PART))
ROWS_DEFINE(panel_single_s8_whole, panel_single(w, l, true, false, 0))
ROWS_DEFINE(panel_single_s8_clamped, panel_single(w, l, true, true, 0))
ROWS_DEFINE(panel_single_u8_whole, panel_single(w, l, false, false, 0))
ROWS_DEFINE(panel_single_u8_clamped, panel_single(w, l, false, true, 0))
ROWS_DEFINE(panel_single_u8_2_whole, panel_single(w, l, false, false, SINGLE_PART))
ROWS_DEFINE(panel_single_u8_2_clamped, panel_single(w, l, false, true, SINGLE_PART))
ROWS_DEFINE(flat_pairs_clamped, flat_3x3(w, l, true, 0, true))
ROWS_DEFINE(flat_pairs_whole, flat_3x3(w, l, false, 0, true))
ROWS_DEFINE(flat_pairs_clamped_2, flat_3x3(w, l, true, PAIR_PART, true))
ROWS_DEFINE(flat_pairs_whole_2, flat_3x3(w, l, false, PAIR_PART, true))
ROWS_DEFINE(flat_single_clamped, flat_3x3(w, l, true, 0, false))
ROWS_DEFINE(flat_single_whole, flat_3x3(w, l, false, 0, false))
ROWS_DEFINE(flat_single_clamped_2, flat_3x3(w, l, true, SINGLE_PART, false))
ROWS_DEFINE(flat_single_whole_2, flat_3x3(w, l, false, SINGLE_PART, false))

/* By pairs, weights, clamped. */
static rows_fn *const panel_rows[2][3][2] = {
	{{panel_single_s8_whole, panel_single_s8_clamped},
		{panel_single_u8_whole, panel_single_u8_clamped},
		{panel_single_u8_2_whole, panel_single_u8_2_clamped}},
	{{panel_pairs_s8_whole, panel_pairs_s8_clamped},
		{panel_pairs_u8_whole, panel_pairs_u8_clamped},
		{panel_pairs_u8_2_whole, panel_pairs_u8_2_clamped}},
};

/* By pairs, second part, clamped. */
static rows_fn *const flat_rows[2][2][2] = {
	{{flat_single_whole, flat_single_clamped}, {flat_single_whole_2, flat_single_clamped_2}},
	{{flat_pairs_whole, flat_pairs_clamped}, {flat_pairs_whole_2, flat_pairs_clamped_2}},
};

/* All sets of a flat one have the same function. */
static rows_fn *pick_rows(const struct work *w)
{
	const struct ek_window *window = &w->args->shape.window;
	uint32_t panels = w->plan.flat ? w->plan.panels : 1;
	bool second = false, steps = false, clamped = w->panel->mode == LINE_CLAMPED;
	for (uint32_t i = 0; i < panels; i++) {
		second |= w->panel[i].sums != 0;
		steps |= w->panel[i].mode == LINE_STEPS || w->panel[i].sums > 1;
	}
	bool any = steps || window->y.taps != 3 || window->x.taps != 3;
	if (!w->plan.flat) {
		uint32_t kind = w->output.is_signed ? 0 : second ? 2 : 1;
		any = any || window->x.dilation > 1;
		return any ? panel_any : panel_rows[w->plan.pairs][kind][clamped];
	}
	return any ? flat_any : flat_rows[w->plan.pairs][second][clamped];
}

static __m512i sign_of(const struct work *w)
{
	return _mm512_set1_epi8((char)(w->output.is_signed ? 0x80 : 0));
}

static void copy(uint8_t *to, const uint8_t *from, size_t n, __m512i sign)
{
	for (; n >= 64; n -= 64, to += 64, from += 64) {
		_mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), sign));
	}
	__mmask64 m = line_bytes(n);
	_mm512_mask_storeu_epi8(to, m, _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, from), sign));
}

/* @n pixels of the row at @from into a slot: pixel 0 is number @at of the slot, of any stride. */
static void copy_pixels(
	const struct work *w, const uint8_t *from, uint32_t n, uint32_t at, uint8_t *slot)
{
	const uint32_t stride = w->args->shape.window.x.stride;
	const size_t step = w->args->shape.in_c;
	const __m512i sign = sign_of(w);
	const __mmask64 m = line_bytes(w->channels);
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
	const struct work *w, const uint8_t *from, uint32_t n, uint32_t at, uint8_t *slot)
{
	const __m512i sign = sign_of(w);
	const size_t pixel = w->plan.pixel, bytes = n * pixel;
	const long long words = (long long)pixel / 8;
	long long index[8];
	for (long long i = 0; i < 8; i++) {
		index[i] = i / words * 2 * words + i % words;
	}
	const __m512i even = _mm512_loadu_si512(index);
	const __m512i odd = _mm512_add_epi64(even, _mm512_set1_epi64(words));
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
		__mmask64 low = line_bytes(bytes - k);
		__mmask64 high = bytes - k > 64 ? line_bytes(bytes - k - 64) : 0;
		__m512i a = _mm512_maskz_loadu_epi8(low, from + k);
		__m512i b = _mm512_maskz_loadu_epi8(high, from + k + 64);
		size_t pixels = (bytes - k) / pixel, odds = pixels / 2;
		__m512i x = _mm512_permutex2var_epi64(a, even, b);
		__m512i y = _mm512_permutex2var_epi64(a, odd, b);
		_mm512_mask_storeu_epi8(to[0] + k / 2, line_bytes((pixels - odds) * pixel),
			_mm512_xor_si512(x, sign));
		_mm512_mask_storeu_epi8(
			to[1] + k / 2, line_bytes(odds * pixel), _mm512_xor_si512(y, sign));
	}
}

/* Input row @y of a batch entry into its slot; what is around the picture is there. */
static void copy_row(const struct work *w, uint32_t batch, uint32_t y, uint8_t *slot)
{
	const struct ek_depthwise_shape *s = &w->args->shape;
	const struct ek_window_axis *ax = &s->window.x;
	uint64_t width = (uint64_t)(ax->out - 1) * ax->stride + reach_of(ax);
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

/* Slots of the rows that @pixel and those behind it read; rows before @have are there already.
 * Returns the first one that isn't. */
static int64_t bring_rows(const struct work *w, struct ek_pixel pixel, int64_t have)
{
	const struct ek_window_axis *ay = &w->args->shape.window.y;
	int64_t from = (int64_t)pixel.y * ay->stride - ay->pad, end = from + w->plan.slots;
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

static void set_panel(struct work *w, uint32_t first)
{
	const struct line_panel *panels = w->args->weights;
	const int8_t *weights = (const int8_t *)(panels + w->plan.panels);
	w->first = first;
	w->channels = least(w->args->shape.out_c - first, BYTES);
	w->panel = panels + first / BYTES;
	w->weights = weights + first / BYTES * w->weights_step;
}

/* The input rows that a pixel's row reads. */
static void point_rows(const struct work *w, struct ek_pixel p)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *ay = &window->y;
	const size_t row_bytes = (size_t)window->x.in * w->args->shape.in_c;
	const uint8_t *picture =
		(const uint8_t *)w->args->input + (size_t)p.batch * ay->in * row_bytes;
	int64_t y = (int64_t)p.y * ay->stride - ay->pad;
	for (uint32_t k = 0; k < w->plan.groups * 4 + w->plan.pairs; k++, y += ay->dilation) {
		bool inside = y >= 0 && y < ay->in;
		w->rows[k] = inside ? picture + (size_t)y * row_bytes : w->outside;
		if (k >= ay->taps + w->plan.pairs) { /* meets weights of zero */
			w->rows[k] = w->rows[0];
		}
	}
}

/* Output rows from @y on whose taps are all inside, of pictures one pixel wide. */
static uint32_t tall_rows(const struct ek_window *window, struct ek_pixel p)
{
	const struct ek_window_axis *y = &window->y, *x = &window->x;
	int64_t first = (int64_t)p.y * y->stride - y->pad, last = (int64_t)y->in - reach_of(y);
	if (x->in != 1 || x->out != 1 || x->taps != 1 || x->pad != 0 || first < 0 || first > last) {
		return 0;
	}
	return least((uint32_t)((last - first) / y->stride) + 1, y->out - p.y);
}

/* All panels of one output row, or of two, or of a tall run, after another. */
static void run_panels(struct work *w, const struct ek_tile *t)
{
	const struct ek_depthwise_shape *s = &w->args->shape;
	const uint32_t width = s->window.x.out, end = t->first_row + t->n_rows;
	uint8_t *output = w->args->output;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		struct ek_pixel p = ek_window_pixel(&s->window, row);
		bool two = w->plan.pairs && p.x == 0 && end - row >= 2 * width &&
			p.y + 1 < s->window.y.out;
		point_rows(w, p);
		uint32_t tall = tall_rows(&s->window, p);
		n = least(end - row, tall ? tall : width - p.x);
		for (uint32_t c = t->first_col; c < t->first_col + t->n_cols; c += BYTES) {
			uint8_t *to = output + row * (size_t)s->out_c + c;
			set_panel(w, c);
			const struct line_of_pixels l = {
				.rows = w->rows,
				.upper = to,
				.lower = two ? to + (size_t)width * s->out_c : NULL,
				.x = p.x,
				.n = n,
				.tall = tall > 0,
			};
			pick_rows(w)(w, &l);
		}
		n = two ? 2 * width : n;
	}
}

/* The rows of the tile, flat. */
static void run_rows(const struct work *w, const struct ek_tile *t)
{
	const struct ek_window *window = &w->args->shape.window;
	const uint32_t width = window->x.out, end = t->first_row + t->n_rows;
	rows_fn *fn = pick_rows(w);
	uint8_t *output = (uint8_t *)w->args->output + w->first;
	size_t step = w->args->shape.out_c;
	int64_t have = 0;
	uint32_t batch = UINT32_MAX;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		struct ek_pixel p = ek_window_pixel(window, row);
		n = least(end - row, width - p.x);
		bool two = w->plan.pairs && p.x == 0 && end - row >= 2 * width &&
			p.y + 1 < window->y.out;
		have = bring_rows(w, p, p.batch == batch ? have : 0);
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

static void run(
	const struct ek_depthwise_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct work w = {.args = a, .plan = plan_of(&a->shape)};
	int padding = a->input_zero + (is_signed ? 128 : 0);
	w.output = line_output(a->output_zero, a->lo, a->hi, is_signed);
	w.weights_step = w.plan.part * (is_signed ? 1 : 2);
	w.slots = scratch;
	w.outside = w.slots + w.plan.slots * w.plan.slot;
	w.rows = (const uint8_t **)(w.slots + (w.plan.slots + 1) * w.plan.slot);
	memset(scratch, w.plan.flat ? padding : a->input_zero, (w.plan.slots + 1) * w.plan.slot);
	if (!w.plan.flat) {
		run_panels(&w, t);
	} else if (t->n_cols) {
		set_panel(&w, 0);
		run_rows(&w, t);
	}
}

void ek_depthwise_s8__avx512vnni(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void ek_depthwise_u8__avx512vnni(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}
