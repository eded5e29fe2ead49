/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPDPBUSD wants an unsigned and a signed operand: int8 codes become x + 128, uint8 weights w - wz.
 * That takes 9 bits; of real weights only the largest few don't fit 8. What they are too large by
 * goes into extra fours (conv_tile_avx512.h). A panel that would need too many of these has w - 128
 * for its weights, and 128 - wz times the sum of what a pixel sees is added to its sums.
 */
#include "kernels/conv/conv_plan_avx512.h"
#include "kernels/conv/conv_variants.h"

/* Channel of a lane of the panel; beyond the panel where it has none. */
static uint32_t channel_of(enum conv_kind kind, uint32_t lane)
{
	switch (kind) {
	case CONV_64:
		return lane % 16 / 4 * 16 + lane / 16 * 4 + lane % 4;
	case CONV_24:
		return lane < 48 ? lane % 24 : FLOAT_REQUANT_LANES;
	case CONV_8:
		return lane < 16 ? lane % 8 : FLOAT_REQUANT_LANES;
	default:
		return lane;
	}
}

static uint64_t packed_bytes(const struct ek_conv_shape *shape, bool is_signed)
{
	if (!conv_is_walked(shape, MOST_BYTES)) {
		return 0;
	}
	const struct conv_plan p = conv_plan_of(shape, is_signed);
	uint32_t panels = conv_panels_of(shape), last = (panels - 1) * FLOAT_REQUANT_LANES;
	uint64_t vectors = 4 * (uint64_t)(panels - 1) + conv_vectors(conv_kind_of(shape, last));
	return panels * sizeof(struct float_requant_panel) +
		vectors * (uint64_t)conv_vector_bytes(&p);
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
	struct conv_plan plan;
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

static struct float_requant_channel channel_line(const struct packing *p, uint32_t channel)
{
	const struct ek_conv_q *a = p->args;
	const struct weight_sums sums = sums_of_weights(p, channel);
	int32_t bias = a->bias32 ? a->bias32[p->first + channel] : 0;
	uint32_t input_zero = (uint32_t)(a->input_zero + (p->is_signed ? 128 : 0));
	return (struct float_requant_channel){
		.scale = a->scale[p->first + channel],
		.ties_up = a->ties_up,
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
	__mmask64 m = float_requant_bytes(left);
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
	for (size_t four = 0; four < conv_fours_of(&p->plan) && p->plan.gathered; four++) {
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
static bool list_extra(struct float_requant_panel *panel, uint32_t four, uint32_t times)
{
	uint32_t at = 0;
	while (at < panel->extras && panel->extra[at] < four) {
		at++;
	}
	for (uint32_t i = at; i < panel->extras && panel->extra[i] == four && times; i++) {
		times--;
	}
	if (times > FLOAT_REQUANT_EXTRAS - panel->extras) {
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
static bool list_channel(
	const struct packing *p, uint32_t channel, struct float_requant_panel *panel)
{
	const uint8_t *codes = codes_at(p, channel);
	const int32_t least_code = p->zero + INT8_MIN, most_code = p->zero + INT8_MAX;
	const __m512i lo = _mm512_set1_epi8((char)(least_code > 0 ? least_code : 0));
	const __m512i hi = _mm512_set1_epi8((char)(most_code < 255 ? most_code : 255));
	for (size_t k = 0; k < p->depth; k += 64) {
		__mmask64 m = float_requant_bytes(p->depth - k);
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
static bool find_extras(const struct packing *p, struct float_requant_panel *panel)
{
	bool fits = true;
	for (uint32_t channel = 0; channel < p->n && fits && !p->is_signed; channel++) {
		fits = list_channel(p, channel, panel);
	}
	return fits;
}

/* The weights of the panel, all zero before. */
static void pack_weights(
	const struct packing *p, const struct float_requant_panel *panel, int8_t *to)
{
	uint32_t channels[FLOAT_REQUANT_LANES];
	size_t four_bytes = 64 * (size_t)conv_vectors(p->kind);
	for (uint32_t lane = 0; lane < FLOAT_REQUANT_LANES; lane++) {
		channels[lane] = channel_of(p->kind, lane);
	}
	pack_fours(p, channels, to);
	to += conv_fours_of(&p->plan) * four_bytes;
	for (uint32_t i = 0; i < panel->extras; i++, to += four_bytes) {
		bool again = i > 0 && panel->extra[i] == panel->extra[i - 1];
		pack_four(p, channels, panel->extra[i], again ? 2 : 1, to);
	}
}

static void pack_panel(struct packing *p, struct float_requant_panel *panel, int8_t *weights)
{
	const struct ek_conv_q *a = p->args;
	const struct float_requant_output output =
		float_requant_output(a->output_zero, a->lo, a->hi, p->is_signed);
	struct float_requant_channel channels[FLOAT_REQUANT_LANES],
		lanes[FLOAT_REQUANT_LANES] = {0};
	for (uint32_t n = 0; n < p->n; n++) {
		channels[n] = channel_line(p, n);
	}
	for (uint32_t lane = 0; lane < FLOAT_REQUANT_LANES; lane++) {
		uint32_t n = channel_of(p->kind, lane);
		lanes[lane] = n < p->n ? channels[n] : lanes[lane];
	}
	float_requant_panel_make__avx512(panel, lanes, &output);
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
	struct float_requant_panel *panels = packed;
	uint32_t n_panels = conv_panels_of(&a->shape);
	int8_t *weights = (int8_t *)(panels + n_panels);
	struct packing p = {
		.args = a,
		.plan = conv_plan_of(&a->shape, is_signed),
		.depth = (size_t)ek_conv_depth(&a->shape),
		.is_signed = is_signed,
	};
	memset(packed, 0, (size_t)packed_bytes(&a->shape, is_signed));
	for (uint32_t i = 0; i < n_panels; i++) {
		p.first = i * FLOAT_REQUANT_LANES;
		p.n = conv_least(a->shape.out_c - p.first, FLOAT_REQUANT_LANES);
		p.kind = conv_kind_of(&a->shape, p.first);
		pack_panel(&p, &panels[i], weights);
		weights += conv_vector_bytes(&p.plan) * (size_t)conv_vectors(p.kind);
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
