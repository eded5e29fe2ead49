/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pixels are copied to scratch by blocks that stay near the core, made unsigned on the way: rows of
 * the picture with their padding, which is the zero point and adds nothing, or what a filter of one
 * tap sees, pixel by pixel. Then each panel of weights goes over the block. The first layers of
 * most networks have a way of their own (conv_gather_avx512.h).
 *
 * VPDPBUSD wants an unsigned and a signed operand: int8 codes become x + 128, uint8 weights w - wz.
 * That takes 9 bits; of real weights only the largest few don't fit 8. What they are too large by
 * goes into extra fours (conv_tile_avx512.h). A panel that would need too many of these has w - 128
 * for its weights, and 128 - wz times the sum of what a pixel sees is added to its sums.
 *
 * Packed: a struct line_panel for each 64 channels, then their weights as conv_tile_avx512.h has
 * them, the last ones of as many vectors as they fill, with room for all extra fours (uint8).
 */
#include "kernels/x86/conv.h"
#include "kernels/x86/conv_gather_avx512.h"

#define BLOCK_BYTES 24576
#define BLOCK_STEP 48 /* pixels: a multiple of every tile's */
#define BLOCK_PIXELS 768
#define MOST_READ_BEYOND 16 /* pixels */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t reach_of(const struct ek_window_axis *a)
{
	return (a->taps - 1) * a->dilation + 1;
}

static bool one_tap_inside(const struct ek_window_axis *a)
{
	return a->taps == 1 && a->pad == 0 && (uint64_t)(a->out - 1) * a->stride < a->in;
}

/* How a shape is gone through; all sizes in bytes but those of pixels and rows. */
struct plan {
	bool by_pixel; /* one tap: a block is pixels; else rows */
	bool gathered; /* of rows: what pixels read is gathered, one output row at a time */
	uint32_t segments_y, segments_x;
	size_t segment, fours;
	uint32_t extras; /* room for so many extra fours */
	size_t row; /* of a block of rows */
	uint32_t block; /* pixels or output rows */
	uint32_t pixels; /* of a block, at most */
	size_t data; /* of a block */
	size_t gather_row, gather; /* behind it */
};

static void plan_pixels(struct plan *p, const struct ek_conv_shape *s)
{
	uint64_t pixels = (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
	size_t stride = 4 * p->fours, rows = BLOCK_BYTES / (stride * BLOCK_STEP) * BLOCK_STEP;
	rows = rows < BLOCK_STEP ? BLOCK_STEP : rows > BLOCK_PIXELS ? BLOCK_PIXELS : rows;
	p->block = p->pixels = (uint32_t)(rows < pixels ? rows : pixels);
	p->data = (p->block + (s->out_c % 64 ? MOST_READ_BEYOND : 1)) * stride;
}

static void plan_rows(struct plan *p, const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	size_t reach = reach_of(y), rows = BLOCK_BYTES / p->row;
	size_t block = rows > reach ? (rows - reach) / y->stride + 1 : 1;
	p->block = (uint32_t)(block < y->out ? block : y->out);
	p->pixels = p->block * x->out;
	p->data = ((size_t)(p->block - 1) * y->stride + reach) * p->row +
		(size_t)MOST_READ_BEYOND * x->stride * s->in_c;
	if (p->gathered) {
		p->data = (p->data + GATHER_READS + 63) / 64 * 64;
		p->gather_row = (x->out + GATHER_PIXELS - 1) / GATHER_PIXELS * 64;
		p->gather = GATHER_FOURS * p->gather_row + (size_t)MOST_READ_BEYOND * 4;
	}
}

static bool is_gathered(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return s->in_c == 3 && s->groups == 1 && y->taps == 3 && x->taps == 3 && y->dilation == 1 &&
		x->dilation == 1 && x->stride <= 2;
}

static struct plan plan_of(const struct ek_conv_shape *s, bool is_signed)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	bool joined = x->dilation == 1 || x->taps == 1;
	struct plan p = {
		.by_pixel = one_tap_inside(y) && one_tap_inside(x),
		.segments_y = y->taps,
		.segments_x = joined ? 1 : x->taps,
		.extras = is_signed ? 0 : LINE_EXTRAS,
		.segment = joined ? (size_t)x->taps * s->in_c : s->in_c,
		.row = ((size_t)(x->out - 1) * x->stride + reach_of(x)) * s->in_c,
	};
	if (is_gathered(s)) {
		p.gathered = true;
		p.segments_y = GATHER_FOURS;
		p.segment = 4;
	}
	p.fours = (p.segment + 3) / 4;
	if (p.by_pixel) {
		plan_pixels(&p, s);
	} else {
		plan_rows(&p, s);
	}
	return p;
}

static size_t add_bytes(const struct plan *p)
{
	return ((size_t)p->pixels + MOST_READ_BEYOND + 15) / 16 * 64;
}

uint64_t ek_conv_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	const struct plan p = plan_of(shape, true);
	return shape->groups > 1 ? ek_conv_depth(shape) : add_bytes(&p) + p.data + p.gather + 128;
}

static uint32_t panels_of(const struct ek_conv_shape *s)
{
	return (uint32_t)(((uint64_t)s->out_c + LINE_LANES - 1) / LINE_LANES);
}

static enum conv_kind kind_of(const struct ek_conv_shape *s, uint32_t first)
{
	uint32_t n = least(s->out_c - first, LINE_LANES);
	return s->out_c == 24 ? CONV_24 : s->out_c == 8 ? CONV_8 : (enum conv_kind)((n + 15) / 16);
}

/* Channel of a lane of the panel; beyond the panel where it has none. */
static uint32_t channel_of(enum conv_kind kind, uint32_t lane)
{
	switch (kind) {
	case CONV_64:
		return lane % 16 / 4 * 16 + lane / 16 * 4 + lane % 4;
	case CONV_24:
		return lane < 48 ? lane % 24 : LINE_LANES;
	case CONV_8:
		return lane < 16 ? lane % 8 : LINE_LANES;
	default:
		return lane;
	}
}

static size_t fours_of(const struct plan *p)
{
	return (size_t)p->segments_y * p->segments_x * p->fours;
}

/* Bytes of the weights of one vector. */
static size_t vector_bytes(const struct plan *p)
{
	return (fours_of(p) + p->extras) * 64;
}

static uint64_t packed_bytes(const struct ek_conv_shape *shape, bool is_signed)
{
	const struct plan p = plan_of(shape, is_signed);
	uint32_t panels = panels_of(shape), last = (panels - 1) * LINE_LANES;
	uint64_t vectors = 4 * (uint64_t)(panels - 1) + conv_vectors(kind_of(shape, last));
	return shape->groups > 1
		? 0
		: panels * sizeof(struct line_panel) + vectors * (uint64_t)vector_bytes(&p);
}

uint64_t ek_conv_s8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	return packed_bytes(shape, true);
}

uint64_t ek_conv_u8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	return packed_bytes(shape, false);
}

struct packing {
	const struct ek_conv_q *args;
	struct plan plan;
	size_t depth;
	bool is_signed;
	enum conv_kind kind;
	uint32_t first, n; /* channels of the panel */
	int32_t zero; /* of its weights: what is taken from them */
};

static const uint8_t *codes_at(const struct packing *p, uint32_t channel)
{
	return (const uint8_t *)p->args->weights + (p->first + channel) * p->depth;
}

/* What is added up of one channel's weights. */
struct weight_sums {
	uint32_t sum;
	uint64_t size; /* of their magnitudes */
};

static struct weight_sums sums_of_weights(const struct packing *p, uint32_t channel)
{
	const uint8_t *codes = codes_at(p, channel);
	const int32_t zero = p->is_signed ? 0 : p->args->weights_zero;
	const int32_t flip = p->is_signed ? 0x80 : 0; /* int8 as unsigned codes of zero point 128 */
	struct weight_sums s = {0, 0};
	for (size_t from = 0; from < p->depth;) {
		size_t end = p->depth - from < 65536 ? p->depth : from + 65536;
		uint32_t sum = 0, size = 0;
		for (; from < end; from++) {
			int32_t w = (codes[from] ^ flip) - flip - zero;
			sum += (uint32_t)w;
			size += (uint32_t)(w < 0 ? -w : w);
		}
		s.sum += sum;
		s.size += size;
	}
	return s;
}

static struct line_channel channel_line(const struct packing *p, uint32_t channel)
{
	const struct ek_conv_q *a = p->args;
	const struct weight_sums sums = sums_of_weights(p, channel);
	int32_t bias = a->bias32 ? a->bias32[p->first + channel] : 0;
	uint32_t input_zero = (uint32_t)(a->input_zero + (p->is_signed ? 128 : 0));
	return (struct line_channel){
		.scale = a->scale[p->first + channel],
		.start = (int32_t)((uint32_t)bias - input_zero * sums.sum),
		.bias = bias,
		.reach = sums.size * 255,
	};
}

/* Where byte @i of four @four is in a channel's weights; the depth where it is none. */
static size_t weight_at(const struct packing *p, size_t four, size_t i)
{
	if (p->plan.gathered) {
		return gather_weight(four, i);
	}
	size_t segment = four / p->plan.fours, k = four % p->plan.fours * 4 + i;
	return k < p->plan.segment ? segment * p->plan.segment + k : p->depth;
}

/* The four of weight @at. */
static size_t four_of(const struct packing *p, size_t at)
{
	if (p->plan.gathered) {
		return at % 9 == 8 ? 6 : at / 9 * 2 + at % 9 / 4;
	}
	return at / p->plan.segment * p->plan.fours + at % p->plan.segment / 4;
}

/* What is left of a weight when @part parts of 8 bits are taken away. */
static int32_t left_of(const struct packing *p, uint8_t code, uint32_t part)
{
	int32_t w = p->is_signed ? (int8_t)code : code - p->zero;
	for (uint32_t i = 0; i < part; i++) {
		w -= ek_clamp32(w, INT8_MIN, INT8_MAX);
	}
	return w;
}

/* One four of all lanes: part @part of its weights. */
static void pack_four(
	const struct packing *p, const uint32_t *channels, size_t four, uint32_t part, int8_t *to)
{
	uint32_t lanes = 16 * (uint32_t)conv_vectors(p->kind);
	for (size_t i = 0; i < 4; i++) {
		size_t at = weight_at(p, four, i);
		for (uint32_t lane = 0; lane < lanes && at < p->depth; lane++) {
			if (channels[lane] < p->n) {
				int32_t w = left_of(p, codes_at(p, channels[lane])[at], part);
				to[4 * lane + i] = (int8_t)ek_clamp32(w, INT8_MIN, INT8_MAX);
			}
		}
	}
}

/* 16 rows of 16 dwords become 16 columns. */
static void transpose(__m512i v[16])
{
	__m512i u[16];
	for (int i = 0; i < 16; i += 4) {
		__m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]);
		__m512i b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
		__m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]);
		__m512i d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
		u[i] = _mm512_unpacklo_epi64(a, c);
		u[i + 1] = _mm512_unpackhi_epi64(a, c);
		u[i + 2] = _mm512_unpacklo_epi64(b, d);
		u[i + 3] = _mm512_unpackhi_epi64(b, d);
	}
	for (int i = 0; i < 4; i++) {
		__m512i a = _mm512_shuffle_i32x4(u[i], u[i + 4], 0x88);
		__m512i b = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0x88);
		__m512i c = _mm512_shuffle_i32x4(u[i], u[i + 4], 0xDD);
		__m512i d = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0xDD);
		v[i] = _mm512_shuffle_i32x4(a, b, 0x88);
		v[i + 4] = _mm512_shuffle_i32x4(c, d, 0x88);
		v[i + 8] = _mm512_shuffle_i32x4(a, b, 0xDD);
		v[i + 12] = _mm512_shuffle_i32x4(c, d, 0xDD);
	}
}

/* Up to 16 fours of one vector's channels, from byte @k of a segment on. */
static void pack_block(
	const struct packing *p, const uint32_t *channels, size_t segment, size_t k, int8_t *to)
{
	const __m512i sign = _mm512_set1_epi8((char)(p->is_signed ? 0 : 0x80));
	const __m512i zero = _mm512_set1_epi8((char)(p->is_signed ? 0 : p->zero ^ 0x80));
	size_t left = p->plan.segment - k, fours = (left + 3) / 4;
	size_t step = 64 * (size_t)conv_vectors(p->kind);
	__mmask64 m = line_bytes(left);
	__m512i v[16];
	for (int i = 0; i < 16; i++) {
		bool has = channels[i] < p->n;
		const uint8_t *from =
			codes_at(p, has ? channels[i] : 0) + segment * p->plan.segment + k;
		__m512i x = _mm512_maskz_loadu_epi8(has ? m : 0, from);
		x = _mm512_subs_epi8(_mm512_xor_si512(x, sign), zero);
		v[i] = _mm512_maskz_mov_epi8(has ? m : 0, x);
	}
	transpose(v);
	for (size_t i = 0; i < fours && i < 16; i++) {
		_mm512_storeu_si512(to + i * step, v[i]);
	}
}

/* The first parts of all fours. */
static void pack_fours(const struct packing *p, const uint32_t *channels, int8_t *to)
{
	size_t vectors = (size_t)conv_vectors(p->kind);
	size_t segments = (size_t)p->plan.segments_y * p->plan.segments_x;
	for (size_t four = 0; four < fours_of(&p->plan) && p->plan.gathered; four++) {
		pack_four(p, channels, four, 0, to + four * 64 * vectors);
	}
	for (size_t segment = 0; segment < segments && !p->plan.gathered; segment++) {
		int8_t *of_segment = to + segment * p->plan.fours * 64 * vectors;
		for (size_t k = 0; k < p->plan.segment; k += 64) {
			for (size_t j = 0; j < vectors; j++) {
				pack_block(p, channels + 16 * j, segment, k,
					of_segment + (k / 4 * vectors + j) * 64);
			}
		}
	}
}

/* Lists four @four @times times, in order; false where there is no room. */
static bool list_extra(struct line_panel *panel, uint32_t four, uint32_t times)
{
	uint32_t at = 0;
	while (at < panel->extras && panel->extra[at] < four) {
		at++;
	}
	for (uint32_t i = at; i < panel->extras && panel->extra[i] == four && times; i++) {
		times--;
	}
	if (times > LINE_EXTRAS - panel->extras) {
		return false;
	}
	memmove(panel->extra + at + times, panel->extra + at,
		(panel->extras - at) * sizeof(*panel->extra));
	for (uint32_t i = 0; i < times; i++) {
		panel->extra[at + i] = four;
	}
	panel->extras += times;
	return true;
}

/* One channel's weights of more than 8 bits. */
static bool list_channel(const struct packing *p, uint32_t channel, struct line_panel *panel)
{
	const uint8_t *codes = codes_at(p, channel);
	const int32_t least_code = p->zero + INT8_MIN, most_code = p->zero + INT8_MAX;
	const __m512i lo = _mm512_set1_epi8((char)(least_code > 0 ? least_code : 0));
	const __m512i hi = _mm512_set1_epi8((char)(most_code < 255 ? most_code : 255));
	for (size_t k = 0; k < p->depth; k += 64) {
		__mmask64 m = line_bytes(p->depth - k);
		__m512i x = _mm512_maskz_loadu_epi8(m, codes + k);
		m = _mm512_mask_cmplt_epu8_mask(m, x, lo) | _mm512_mask_cmpgt_epu8_mask(m, x, hi);
		for (; m; m &= m - 1) {
			size_t at = k + (size_t)__builtin_ctzll(m);
			uint32_t times = left_of(p, codes[at], 2) ? 2 : 1;
			if (!list_extra(panel, (uint32_t)four_of(p, at), times)) {
				return false;
			}
		}
	}
	return true;
}

/* Lists the panel's extra fours; false where there are too many. */
static bool find_extras(const struct packing *p, struct line_panel *panel)
{
	bool fits = true;
	for (uint32_t channel = 0; channel < p->n && fits && !p->is_signed; channel++) {
		fits = list_channel(p, channel, panel);
	}
	return fits;
}

/* The weights of the panel, all zero before. */
static void pack_weights(const struct packing *p, const struct line_panel *panel, int8_t *to)
{
	uint32_t channels[LINE_LANES];
	size_t four_bytes = 64 * (size_t)conv_vectors(p->kind);
	for (uint32_t lane = 0; lane < LINE_LANES; lane++) {
		channels[lane] = channel_of(p->kind, lane);
	}
	pack_fours(p, channels, to);
	to += fours_of(&p->plan) * four_bytes;
	for (uint32_t i = 0; i < panel->extras; i++, to += four_bytes) {
		bool again = i > 0 && panel->extra[i] == panel->extra[i - 1];
		pack_four(p, channels, panel->extra[i], again ? 2 : 1, to);
	}
}

static void pack_panel(struct packing *p, struct line_panel *panel, int8_t *weights)
{
	const struct ek_conv_q *a = p->args;
	const struct line_output output = line_output(a->output_zero, a->lo, a->hi, p->is_signed);
	struct line_channel channels[LINE_LANES], lanes[LINE_LANES] = {0};
	for (uint32_t n = 0; n < p->n; n++) {
		channels[n] = channel_line(p, n);
	}
	for (uint32_t lane = 0; lane < LINE_LANES; lane++) {
		uint32_t n = channel_of(p->kind, lane);
		lanes[lane] = n < p->n ? channels[n] : lanes[lane];
	}
	line_panel_make__avx512(panel, lanes, &output);
	p->zero = a->weights_zero;
	if (!find_extras(p, panel)) {
		panel->extras = 0;
		panel->sums = 128 - a->weights_zero;
		p->zero = 128;
	}
	pack_weights(p, panel, weights);
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	struct line_panel *panels = packed;
	uint32_t n_panels = panels_of(&a->shape);
	int8_t *weights = (int8_t *)(panels + n_panels);
	struct packing p = {
		.args = a,
		.plan = plan_of(&a->shape, is_signed),
		.depth = (size_t)ek_conv_depth(&a->shape),
		.is_signed = is_signed,
	};
	memset(packed, 0, (size_t)packed_bytes(&a->shape, is_signed));
	for (uint32_t i = 0; i < n_panels; i++) {
		p.first = i * LINE_LANES;
		p.n = least(a->shape.out_c - p.first, LINE_LANES);
		p.kind = kind_of(&a->shape, p.first);
		pack_panel(&p, &panels[i], weights);
		weights += vector_bytes(&p.plan) * (size_t)conv_vectors(p.kind);
	}
}

void ek_conv_s8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void ek_conv_u8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}

/* A call. */
struct work {
	const struct ek_conv_q *args;
	const struct ek_tile *tile;
	struct plan plan;
	struct conv_way way;
	__m512i sign; /* what makes codes unsigned */
	uint8_t padding; /* unsigned */
	int32_t sums; /* what some panels ask for, or 0 */
	int32_t *add;
	uint8_t *data;
	bool plain; /* gathered: no LINE_STEPS or sums */
	struct gather gather;
};

static void copy(uint8_t *to, const uint8_t *from, size_t n, __m512i sign)
{
	for (; n >= 64; n -= 64, to += 64, from += 64) {
		_mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), sign));
	}
	if (n) {
		__mmask64 m = line_bytes(n);
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
	_mm512_mask_storeu_epi8(to, line_bytes(n), v);
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
		__mmask64 m = left < 64 ? line_bytes(inside) << left : 0;
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
	const struct plan *p = &w->plan;
	for (uint32_t y = 0; y < p->segments_y; y++, at += w->way.row_step) {
		for (uint32_t x = 0; x < p->segments_x; x++) {
			for (size_t k = 0; k < p->segment; k += 64) {
				__mmask64 m = line_bytes(p->segment - k);
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
	const struct line_panel *panel = span->panel;
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
	const struct line_panel *panels = w->args->weights;
	const int8_t *weights = (const int8_t *)(panels + panels_of(s));
	uint32_t end = w->tile->first_col + w->tile->n_cols;
	for (uint32_t r = 0; r < spans->rows && w->sums; r++) {
		sum_pixels(w, spans->in + r * spans->row_bytes, spans->n, w->add + r * spans->n);
	}
	for (uint32_t n = w->tile->first_col; n < end; n += LINE_LANES) {
		const struct line_panel *panel = &panels[n / LINE_LANES];
		const enum conv_kind kind = kind_of(s, n);
		uint8_t *out = (uint8_t *)w->args->output + spans->first * (size_t)s->out_c + n;
		struct conv_span span = {
			.channels = least(s->out_c - n, LINE_LANES),
			.panel = panel,
			.weights = weights + n / 16 * vector_bytes(&w->plan),
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
		left = least(end - first, window->x.out - p.x);
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
	bool exact = kind_of(s, (panels_of(s) - 1) * LINE_LANES) == CONV_64;
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

/* One row, gathered. */
static void run_gathered(const struct work *w, const uint8_t *in, uint32_t first, uint32_t n)
{
	const struct ek_conv_q *a = w->args;
	const struct line_panel *panel = a->weights;
	uint8_t *gathered = w->data + w->plan.data;
	struct conv_span span = {
		.in = in,
		.out = (uint8_t *)a->output + first * (size_t)a->shape.out_c,
		.n = n,
		.channels = a->shape.out_c,
		.panel = panel,
		.weights = (const int8_t *)(panel + 1),
	};
	if (w->plain && a->shape.out_c == 8) {
		gather_8(&w->gather, &w->way, &span);
		return;
	}
	gather_row(&w->gather, in, n, gathered, w->plan.gather_row);
	span.in = gathered;
	if (w->plain && a->shape.out_c == 16) {
		gather_tiles_CONV_16(&w->way, &span);
	} else if (w->plain && a->shape.out_c == 32) {
		gather_tiles_CONV_32(&w->way, &span);
	} else {
		const struct spans spans = {gathered, 0, first, 1, n};
		run_spans(w, &spans);
	}
}

/* Output rows from that of pixel @first on, or the part of it that begins there; returns how many
 * pixels. */
static uint32_t block_of_rows(const struct work *w, uint32_t first, uint32_t left)
{
	const struct ek_window *window = &w->args->shape.window;
	const struct ek_window_axis *y = &window->y, *x = &window->x;
	struct ek_pixel p = ek_window_pixel(window, first);
	uint32_t rows = least(least(left / x->out, w->plan.block), y->out - p.y);
	bool part = p.x > 0 || rows == 0;
	rows = part ? 1 : rows;
	uint32_t n = part ? least(left, x->out - p.x) : x->out;
	int64_t from = (int64_t)p.y * y->stride - y->pad;
	uint32_t in_rows = (rows - 1) * y->stride + reach_of(y);
	for (uint32_t i = 0; i < in_rows; i++) {
		copy_row(w, p.batch, from + i, w->data + i * w->plan.row);
	}
	for (uint32_t i = 0; i < rows && w->plan.gathered; i++) {
		size_t at = i * y->stride * w->plan.row + p.x * (size_t)x->stride * 3;
		run_gathered(w, w->data + at, first + i * n, n);
	}
	if (w->plan.gathered) {
		return rows * n;
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
	const struct line_panel *panels = a->weights;
	int32_t sums = 0;
	for (uint32_t n = t->first_col; n < t->first_col + t->n_cols && !sums; n += LINE_LANES) {
		sums = panels[n / LINE_LANES].sums;
	}
	return sums;
}

static struct conv_way way_of(const struct ek_conv_q *a, const struct plan *p, bool is_signed)
{
	const struct ek_window_axis *y = &a->shape.window.y, *x = &a->shape.window.x;
	bool fours = p->by_pixel || p->gathered;
	bool shared = !fours && x->taps == 3 && x->stride == 1 && p->segments_x == 1 &&
		a->shape.in_c % 4 == 0;
	return (struct conv_way){
		.pixel = fours ? 4 * p->fours : (size_t)x->stride * a->shape.in_c,
		.rows = p->segments_y,
		.cols = p->segments_x,
		.row_step = p->gathered ? p->gather_row : y->dilation * p->row,
		.col_step = (size_t)x->dilation * a->shape.in_c,
		.fours = p->fours,
		.shared = shared ? a->shape.in_c / 4 : 0,
		.out_pixel = a->shape.out_c,
		.output = line_output(a->output_zero, a->lo, a->hi, is_signed),
	};
}

static void run(const struct ek_conv_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct work w = {.args = a, .tile = t, .plan = plan_of(&a->shape, is_signed)};
	w.way = way_of(a, &w.plan, is_signed);
	w.sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0));
	w.padding = (uint8_t)(a->input_zero + (is_signed ? 128 : 0));
	w.sums = sums_of(a, t);
	w.add = scratch;
	w.data = (uint8_t *)scratch + add_bytes(&w.plan);
	if (w.plan.gathered) {
		const struct line_panel *panel = a->weights;
		w.plain = panel->mode != LINE_STEPS && !panel->sums;
		w.gather = gather_init(
			a->shape.window.x.stride, w.plan.row, w.plain && a->shape.out_c == 8);
	}
	uint32_t end = t->n_cols ? t->first_row + t->n_rows : t->first_row;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		if (w.plan.by_pixel) {
			n = least(w.plan.block, end - row);
			block_of_pixels(&w, row, n);
		} else {
			n = block_of_rows(&w, row, end - row);
		}
	}
}

void ek_conv_s8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void ek_conv_u8__avx512vnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.groups > 1) {
		ek_conv_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}
