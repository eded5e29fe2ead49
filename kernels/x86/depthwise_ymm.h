/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_ymm - depthwise convolution by panels, for the panel that was included before
 *
 * 16 or 8 channels at a time: codes are widened, less their zero points, and taken by twos, so that one
 * PMADDWD sums two products of each channel of a vector.
 *
 * Packed weights: for each panel [taps by twos][2 vectors][channels][2 taps], int16, zero beyond, the
 * channels where the unpacking puts them. YMM(name) is name with the instruction set behind it.
 */
#ifndef KERNELS_X86_DEPTHWISE_YMM_H
#define KERNELS_X86_DEPTHWISE_YMM_H

#include "kernels/x86/depthwise.h"
#include "kernels/x86/taps.h"

#define GROUP 2 /* taps */

static uint64_t panels_of(const struct ek_depthwise_shape *s)
{
	return ((uint64_t)s->out_c + PANEL_COLS - 1) / PANEL_COLS;
}

uint64_t YMM(ek_depthwise_packed_bytes)(const struct ek_depthwise_shape *shape)
{
	uint64_t taps = (uint64_t)taps_groups(shape, GROUP) * GROUP;
	return shape->in_c != shape->out_c ? 0
					   : panels_of(shape) * PANEL_COLS * taps * sizeof(int16_t);
}

uint64_t YMM(ek_depthwise_scratch_bytes)(const struct ek_depthwise_shape *shape)
{
	return shape->in_c != shape->out_c ? 0 : taps_scratch_bytes(shape, GROUP);
}

static int16_t weight(const struct ek_depthwise_q *a, bool is_signed, uint32_t tap, uint32_t n)
{
	if (tap >= taps_of(&a->shape) || n >= a->shape.out_c) {
		return 0;
	}
	size_t at = (size_t)tap * a->shape.out_c + n;
	return (int16_t)(is_signed ? ((const int8_t *)a->weights)[at]
				   : ((const uint8_t *)a->weights)[at] - a->weights_zero);
}

static void pack(const struct ek_depthwise_q *a, bool is_signed, void *packed)
{
	int16_t *to = packed;
	uint32_t taps = taps_groups(&a->shape, GROUP) * GROUP;
	for (uint32_t first = 0; first < a->shape.out_c; first += PANEL_COLS) {
		for (uint32_t tap = 0; tap < taps; tap += GROUP) {
			for (uint32_t at = 0; at < PANEL_COLS * GROUP; at++) {
				uint32_t n = first +
					panel_channel(
						true, at / (2 * PANEL_LANES), at / 2 % PANEL_LANES);
				*to++ = weight(a, is_signed, tap + at % 2, n);
			}
		}
	}
}

void YMM(ek_depthwise_s8_pack)(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_depthwise_u8_pack)(const struct ek_depthwise_q *args, void *packed)
{
	pack(args, false, packed);
}

/* One panel of a call. */
struct work {
	struct panel panel;
	struct panel_output output;
	const int16_t *weights;
	int32_t input_zero;
	uint32_t n; /* channels */
};

ALWAYS_INLINE void pixel_codes(
	const struct work *w, const struct taps *taps, bool is_signed, bool whole, uint8_t *to)
{
	panel_vector sums[PANEL_VECTORS] = {w->panel.start[0], w->panel.start[1]};
	const int16_t *weights = w->weights;
	uint32_t n = whole ? PANEL_COLS : w->n;
	for (uint32_t t = 0; t < taps->n; t += GROUP, weights += GROUP * PANEL_COLS) {
		panel_two_taps(is_signed, taps->at + t, n, w->input_zero, weights, sums);
	}
	panel_requant(&w->panel, &w->output, sums);
	panel_store(&w->output, true, sums, n, to);
}

#define PIXELS_DEFINE(name, is_signed, whole)                                                      \
	static void name(const void *work, struct taps *taps, uint32_t count, uint8_t *to)         \
	{                                                                                          \
		for (uint32_t i = 0; i < count; i++, to += taps->shape->out_c) {                   \
			pixel_codes(work, taps, is_signed, whole, to);                             \
			taps_move(taps, taps->n);                                                  \
		}                                                                                  \
	}

PIXELS_DEFINE(pixels_s8, true, true)
PIXELS_DEFINE(pixels_s8_some, true, false)
PIXELS_DEFINE(pixels_u8, false, true)
PIXELS_DEFINE(pixels_u8_some, false, false)

static taps_fn *pick_pixels(const struct work *w)
{
	bool whole = w->n == PANEL_COLS;
	return w->output.is_signed ? (whole ? pixels_s8 : pixels_s8_some)
				   : (whole ? pixels_u8 : pixels_u8_some);
}

static void run(
	const struct ek_depthwise_q *a, const struct ek_tile *t, bool is_signed, void *scratch)
{
	struct taps taps = taps_init(&a->shape, GROUP, a->input_zero, scratch);
	struct work w = {.output = {a->output_zero, a->lo, a->hi, is_signed}};
	uint32_t end = t->first_col + t->n_cols;
	uint64_t products = (uint64_t)taps_of(&a->shape) * 255 * (is_signed ? 128 : 255);
	w.input_zero = a->input_zero;
	for (uint32_t n = t->first_col; n < end; n += PANEL_COLS) {
		w.n = panel_least(end - n, PANEL_COLS);
		w.weights = (const int16_t *)a->weights + (size_t)n * taps.n;
		panel_init(&w.panel, true, a->bias32 ? a->bias32 + n : NULL, a->scale + n,
			panel_least(a->shape.out_c - n, PANEL_COLS), products);
		taps_each(&taps, a, n, t, pick_pixels(&w), &w);
	}
}

void YMM(ek_depthwise_s8)(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_s8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, true, scratch);
}

void YMM(ek_depthwise_u8)(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch)
{
	if (args->shape.in_c != args->shape.out_c) {
		ek_depthwise_u8[0].run(args, tile, scratch);
		return;
	}
	run(args, tile, false, scratch);
}

#endif
