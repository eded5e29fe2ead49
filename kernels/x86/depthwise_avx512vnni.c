/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps are taken by fours: their bytes for 64 channels are interleaved, so that one VPDPBUSD sums
 * four products of each of 16 channels. Taps outside of the picture read a row of zero points.
 *
 * int8 codes become x + 128, uint8 weights w - 128, as in product_avx512vnni.h; the sum of the
 * pixels that uint8 weights ask for is made by a second product, with 128 less their zero point in
 * the place of weights.
 *
 * Packed weights: int32 start[channels rounded up to 64], then for each panel of 64 channels
 * [taps by fours][4 vectors][16 channels][4 taps], zero beyond. Lane 4 l + i of vector j is channel
 * 16 l + 4 j + i, where the interleaving puts it.
 */
#include "kernels/x86/depthwise.h"
#include "kernels/x86/panel_avx512.h"
#include "kernels/x86/taps.h"

#define GROUP 4 /* taps */

static uint64_t start_bytes(const struct ek_depthwise_shape *s)
{
	return ((uint64_t)s->out_c + PANEL_COLS - 1) / PANEL_COLS * PANEL_COLS * sizeof(int32_t);
}

uint64_t ek_depthwise_packed_bytes__avx512vnni(const struct ek_depthwise_shape *shape)
{
	/* For each channel an int32 and its taps. */
	return shape->in_c != shape->out_c ? 0
					   : start_bytes(shape) * (1 + taps_groups(shape, GROUP));
}

uint64_t ek_depthwise_scratch_bytes__avx512vnni(const struct ek_depthwise_shape *shape)
{
	return shape->in_c != shape->out_c ? 0 : taps_scratch_bytes(shape, GROUP);
}

static int8_t weight(const struct ek_depthwise_q *a, bool is_signed, uint32_t tap, uint32_t n)
{
	if (tap >= taps_of(&a->shape) || n >= a->shape.out_c) {
		return 0;
	}
	uint8_t code = ((const uint8_t *)a->weights)[(size_t)tap * a->shape.out_c + n];
	return (int8_t)(is_signed ? code : code ^ 0x80);
}

static int32_t start_of(const struct ek_depthwise_q *a, bool is_signed, uint32_t n)
{
	int32_t input_zero = a->input_zero + (is_signed ? 128 : 0);
	int32_t weights_zero = is_signed ? 0 : a->weights_zero - 128;
	uint32_t taps = taps_of(&a->shape), sum = 0;
	for (uint32_t tap = 0; tap < taps; tap++) {
		sum += (uint32_t)weight(a, is_signed, tap, n);
	}
	return (int32_t)((uint32_t)input_zero * (taps * (uint32_t)weights_zero - sum));
}

static void pack(const struct ek_depthwise_q *a, bool is_signed, void *packed)
{
	int32_t *start = packed;
	int8_t *to = (int8_t *)packed + start_bytes(&a->shape);
	uint32_t taps = taps_groups(&a->shape, GROUP) * 4;
	memset(packed, 0, (size_t)start_bytes(&a->shape));
	for (uint32_t n = 0; n < a->shape.out_c; n++) {
		start[n] = start_of(a, is_signed, n);
	}
	for (uint32_t first = 0; first < a->shape.out_c; first += PANEL_COLS) {
		for (uint32_t tap = 0; tap < taps; tap += 4) {
			for (uint32_t at = 0; at < PANEL_COLS * 4; at++) {
				uint32_t vector = at / 64, lane = at / 4 % 16;
				uint32_t n = first + lane / 4 * 16 + vector * 4 + lane % 4;
				*to++ = weight(a, is_signed, tap + at % 4, n);
			}
		}
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

/* One panel of a call. */
struct work {
	const struct ek_depthwise_q *args;
	struct panel panel; /* transposed */
	/* uint8: times the sum of the pixels, of four taps and of the last ones; 0 .. 128 is the
	 * sum of two signed bytes. */
	__m512i factors[2], last_factors[2];
	struct panel_output output;
	const int8_t *weights;
	uint32_t first; /* channel */
	__mmask64 bytes;
};

ALWAYS_INLINE void interleave(
	const struct work *w, bool is_signed, const uint8_t **at, __m512i v[4])
{
	const __m512i sign = _mm512_set1_epi8((char)(is_signed ? 0x80 : 0));
	__m512i x[4];
	for (uint32_t i = 0; i < 4; i++) {
		x[i] = _mm512_maskz_loadu_epi8(w->bytes, at[i]);
		x[i] = is_signed ? _mm512_xor_si512(x[i], sign) : x[i];
	}
	__m512i low01 = _mm512_unpacklo_epi8(x[0], x[1]), high01 = _mm512_unpackhi_epi8(x[0], x[1]);
	__m512i low23 = _mm512_unpacklo_epi8(x[2], x[3]), high23 = _mm512_unpackhi_epi8(x[2], x[3]);
	v[0] = _mm512_unpacklo_epi16(low01, low23);
	v[1] = _mm512_unpackhi_epi16(low01, low23);
	v[2] = _mm512_unpacklo_epi16(high01, high23);
	v[3] = _mm512_unpackhi_epi16(high01, high23);
}

ALWAYS_INLINE void add_products(const __m512i v[4], const __m512i by[4], __m512i sums[4])
{
	for (int j = 0; j < PANEL_VECTORS; j++) {
		sums[j] = _mm512_dpbusd_epi32(sums[j], v[j], by[j]);
	}
}

ALWAYS_INLINE void add_pixels(const __m512i v[4], __m512i by, __m512i sums[4])
{
	for (int j = 0; j < PANEL_VECTORS; j++) {
		sums[j] = _mm512_dpbusd_epi32(sums[j], v[j], by);
	}
}

/* @n: taps by fours; @parts: how many factors of the sum of pixels. */
ALWAYS_INLINE void pixel_codes(const struct work *w, const struct taps *taps, bool fused,
	uint32_t n, uint32_t parts, uint8_t *to)
{
	__m512i sums[PANEL_VECTORS], v[PANEL_VECTORS];
	const int8_t *weights = w->weights;
	for (int j = 0; j < PANEL_VECTORS; j++) {
		sums[j] = w->panel.start[j];
	}
#pragma GCC unroll 3
	for (uint32_t i = 0; i < n; i++, weights += PANEL_COLS * 4) {
		interleave(w, parts == 0, taps->at + GROUP * i, v);
		add_products(v, (const __m512i *)weights, sums);
		for (uint32_t k = 0; k < parts; k++) {
			add_pixels(v, i + 1 < n ? w->factors[k] : w->last_factors[k], sums);
		}
	}
	panel_requant(&w->panel, &w->output, fused, PANEL_VECTORS, sums);
	_mm512_mask_storeu_epi8(to, w->bytes, panel_pack(&w->output, sums));
}

/* No @parts: int8. */
#define PIXELS_DEFINE(name, fused, n, parts)                                                       \
	static void name(const void *work, struct taps *taps, uint32_t count, uint8_t *to)         \
	{                                                                                          \
		const struct work *w = work;                                                       \
		size_t step = taps->shape->out_c;                                                  \
		for (uint32_t i = 0; i < count; i++, to += step) {                                 \
			pixel_codes(w, taps, fused, n, parts, to);                                 \
			taps_move(taps, n *GROUP);                                                 \
		}                                                                                  \
	}

PIXELS_DEFINE(pixels_s8_3x3, true, 3, 0)
PIXELS_DEFINE(pixels_s8_fused, true, taps->n / GROUP, 0)
PIXELS_DEFINE(pixels_s8_total, false, taps->n / GROUP, 0)
PIXELS_DEFINE(pixels_u8_3x3, true, 3, 1)
PIXELS_DEFINE(pixels_u8_fused, true, taps->n / GROUP, 2)
PIXELS_DEFINE(pixels_u8_total, false, taps->n / GROUP, 2)

static taps_fn *pick_pixels(const struct work *w, const struct taps *taps)
{
	bool is_3x3 = taps->n == 12, one_part = w->args->weights_zero > 0;
	if (w->output.is_signed) {
		return !w->panel.fused ? pixels_s8_total : is_3x3 ? pixels_s8_3x3 : pixels_s8_fused;
	}
	return !w->panel.fused       ? pixels_u8_total
		: is_3x3 && one_part ? pixels_u8_3x3
				     : pixels_u8_fused;
}

/* The factors of the sum of pixels: 128 - the weights' zero point, in bytes. */
static void make_factors(struct work *w)
{
	int32_t by = 128 - w->args->weights_zero;
	int32_t parts[2] = {by > 127 ? 127 : by, by > 127 ? 1 : 0};
	uint32_t taps = taps_of(&w->args->shape), left = taps - (taps - 1) / GROUP * GROUP;
	uint32_t all = 0x01010101, some = left >= 4 ? all : all & ((1u << 8 * left) - 1);
	for (int i = 0; i < 2; i++) {
		w->factors[i] = _mm512_set1_epi32((int)(all * (uint8_t)parts[i]));
		w->last_factors[i] = _mm512_set1_epi32((int)(some * (uint8_t)parts[i]));
	}
}

static void panel_make(struct work *w, uint32_t n)
{
	const struct ek_depthwise_q *a = w->args;
	struct panel *p = &w->panel;
	uint64_t products = (uint64_t)taps_of(&a->shape) * 255 * (w->output.is_signed ? 128 : 255);
	const int32_t *start = a->weights;
	panel_init(p, start + w->first, a->bias32 ? a->bias32 + w->first : NULL,
		a->scale + w->first, n, products);
	panel_transpose(p->start);
	panel_transpose(p->even);
	panel_transpose(p->add);
	panel_transpose(p->negative);
	panel_transpose(p->shift);
	for (int j = 0; j < PANEL_VECTORS; j++) {
		p->odd[j] = _mm512_srli_epi64(p->even[j], 32);
	}
}

static void run(
	const struct ek_depthwise_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct taps taps = taps_init(&a->shape, GROUP, a->input_zero, scratch);
	struct work w = {.args = a, .output = {a->output_zero, a->lo, a->hi, is_signed}};
	uint32_t end = t->first_col + t->n_cols;
	make_factors(&w);
	for (uint32_t n = t->first_col; n < end; n += PANEL_COLS) {
		w.first = n;
		w.bytes = panel_bytes(panel_least(end - n, PANEL_COLS));
		w.weights =
			(const int8_t *)a->weights + start_bytes(&a->shape) + (size_t)n * taps.n;
		panel_make(&w, panel_least(a->shape.out_c - n, PANEL_COLS));
		taps_each(&taps, a, n, t, pick_pixels(&w, &taps), &w);
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
