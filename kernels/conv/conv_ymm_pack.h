/* SPDX-License-Identifier: Apache-2.0 */
/* conv_ymm_pack - weights and lines of a convolution, for conv_ymm.h */
#ifndef KERNELS_CONV_CONV_YMM_PACK_H
#define KERNELS_CONV_CONV_YMM_PACK_H

#include "kernels/conv/conv_ymm_plan.h"
#include "kernels/requant/float_requant_make_x86.h"

uint64_t YMM(ek_conv_packed_bytes)(const struct ek_conv_shape *shape)
{
	if (!conv_is_walked(shape, MOST_BYTES)) {
		return 0;
	}
	const struct conv_plan p = conv_plan_of(shape);
	uint32_t panels = conv_panels_of(shape), last = (panels - 1) * VEC_COLS;
	uint64_t vectors = 2 * (uint64_t)(panels - 1) + conv_vectors_at(shape, last);
	return panels * sizeof(struct float_requant_panel) +
		vectors * (uint64_t)conv_vector_bytes(&p);
}

/* One panel of weights. */
struct packing {
	const struct ek_conv_q *args;
	struct conv_plan plan;
	struct source source;
	uint32_t first, n, vectors; /* channels */
	int32_t zero; /* what is taken from weights */
};

static int32_t weight(const struct packing *p, uint32_t channel, size_t at)
{
	size_t from = (p->first + channel) * (size_t)ek_conv_depth(&p->args->shape) + at;
	return p->source.is_signed
		? ((const int8_t *)p->args->weights)[from]
		: ((const uint8_t *)p->args->weights)[from] - p->args->weights_zero;
}

/* True where all weights less their zero point fit in 8 bits; adds up each channel's. */
static bool add_weights(const struct packing *p, struct float_requant_channel channels[VEC_COLS])
{
	const struct ek_conv_q *a = p->args;
	size_t depth = (size_t)ek_conv_depth(&a->shape);
	bool fits = true;
	for (uint32_t n = 0; n < p->n; n++) {
		uint32_t sum = 0;
		uint64_t size = 0;
		for (size_t k = 0; k < depth; k++) {
			int32_t w = weight(p, n, k);
			fits = fits && w == (int8_t)w;
			sum += (uint32_t)w;
			size += (uint32_t)(w < 0 ? -w : w);
		}
		int32_t bias = a->bias32 ? a->bias32[p->first + n] : 0;
		channels[n] = (struct float_requant_channel){
			.scale = a->scale[p->first + n],
			.ties_up = a->ties_up,
			.start = source_start(&p->source, bias, sum),
			.bias = bias,
			.reach = size * 255,
		};
	}
	return fits;
}

/* All weights of the lane that has channel @channel. */
static void pack_lane(const struct packing *p, uint32_t channel, source_weight *to)
{
	const size_t step = (size_t)p->vectors * VEC_LANES * SOURCE_CODES;
	const int32_t back = p->args->weights_zero - p->zero;
	const size_t segments = (size_t)p->plan.rows * p->plan.cols, segment = p->plan.segment;
	for (size_t i = 0; i < segments; i++, to += p->plan.steps * step) {
		for (size_t k = 0; k < segment; k++) {
			int32_t w = weight(p, channel, i * segment + k) + back;
			to[k / SOURCE_CODES * step + k % SOURCE_CODES] = (source_weight)w;
		}
	}
}

static void pack_panel(struct packing *p, struct float_requant_panel *panel, source_weight *to)
{
	const struct ek_conv_q *a = p->args;
	const struct float_requant_output output = {
		a->output_zero, a->lo, a->hi, p->source.is_signed};
	struct float_requant_channel channels[VEC_COLS] = {0};
	p->zero = source_weights_zero(add_weights(p, channels), a->weights_zero);
	float_requant_panel_make(panel, (int)p->vectors, channels, &output);
	panel->sums = p->zero - a->weights_zero;
	for (uint32_t lane = 0; lane < p->vectors * VEC_LANES; lane++) {
		uint32_t channel = VEC_CHANNEL(p->vectors, lane / VEC_LANES, lane % VEC_LANES);
		if (channel < p->n) {
			pack_lane(p, channel, to + (size_t)lane * SOURCE_CODES);
		}
	}
}

static __attribute__((noinline)) void pack_panels(
	const struct ek_conv_q *a, bool is_signed, void *packed)
{
	struct float_requant_panel *panels = packed;
	struct packing p = {
		.args = a,
		.plan = conv_plan_of(&a->shape),
		.source = {is_signed, a->input_zero},
	};
	memset(packed, 0, (size_t)YMM(ek_conv_packed_bytes)(&a->shape));
	for (uint32_t n = 0; n < a->shape.out_c; n += VEC_COLS) {
		p.first = n;
		p.n = conv_least(a->shape.out_c - n, VEC_COLS);
		p.vectors = conv_vectors_at(&a->shape, n);
		const uint8_t *to = conv_weights(&a->shape, &p.plan, packed, n);
		pack_panel(&p, &panels[n / VEC_COLS], (source_weight *)(uintptr_t)to);
	}
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	unsigned floats = float_requant_begin();
	pack_panels(a, is_signed, packed);
	float_requant_end(floats);
}

void YMM(ek_conv_s8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void YMM(ek_conv_u8_pack)(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}

#endif
