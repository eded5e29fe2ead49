/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uint8 weights less their zero point take 9 bits: panels in which one needs them all have a second
 * part of the weights, which is added to the first; where it is 255, twice. A panel's sums says how
 * often.
 */
#include "kernels/depthwise/depthwise_plan_avx512.h"
#include "kernels/depthwise/depthwise_variants.h"

static uint64_t packed_bytes(const struct ek_conv_shape *s, uint32_t parts)
{
	if (!depthwise_is_walked(s)) {
		return 0;
	}
	const struct depthwise_plan p = depthwise_plan_of(s);
	return p.panels * (sizeof(struct float_requant_panel) + parts * (uint64_t)p.part);
}

uint64_t ek_depthwise_s8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	return packed_bytes(shape, 1);
}

uint64_t ek_depthwise_u8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape)
{
	return packed_bytes(shape, 2);
}

struct packing {
	const struct ek_conv_q *args;
	struct depthwise_plan plan;
	bool is_signed;
	uint32_t panel;
};

/* Channel of byte @at of the panel; beyond the last one where it has none. */
static uint32_t channel_of(const struct packing *p, uint32_t at)
{
	uint32_t byte = p->panel * DEPTHWISE_BYTES + at;
	return p->plan.flat ? byte % p->args->shape.in_c : byte;
}

static uint32_t byte_of(uint32_t vector, uint32_t lane)
{
	return lane / 4 * 16 + vector * 4 + lane % 4;
}

/* Less its zero point; 0 beyond the channels and taps. */
static int32_t weight(const struct packing *p, uint32_t ky, uint32_t kx, uint32_t channel)
{
	const struct ek_conv_q *a = p->args;
	const struct ek_window *w = &a->shape.window;
	if (ky >= w->y.taps || channel >= a->shape.out_c) {
		return 0;
	}
	size_t at = ((size_t)ky * w->x.taps + kx) * a->shape.out_c + channel;
	return p->is_signed ? ((const int8_t *)a->weights)[at]
			    : ((const uint8_t *)a->weights)[at] - a->weights_zero;
}

static struct float_requant_channel channel_line(const struct packing *p, uint32_t channel)
{
	const struct ek_conv_q *a = p->args;
	const struct ek_window *w = &a->shape.window;
	struct float_requant_channel c = {.scale = {0, 0}};
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
	for (uint32_t at = 0; at < DEPTHWISE_BYTES; at++) {
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
	for (uint32_t at = 0; at < DEPTHWISE_BYTES; at++) {
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
			for (uint32_t j = 0; j < FLOAT_REQUANT_VECTORS; j++, to += p->plan.vector) {
				pack_vector(p, parts, (int32_t)g * 4, kx, j, to);
				if (p->plan.pairs) {
					pack_vector(p, parts, (int32_t)g * 4 - 1, kx, j,
						to + DEPTHWISE_BYTES);
				}
			}
		}
	}
}

static void pack_panel(const struct packing *p, struct float_requant_panel *panel)
{
	const struct ek_conv_q *a = p->args;
	const struct float_requant_output output =
		float_requant_output(a->output_zero, a->lo, a->hi, p->is_signed);
	struct float_requant_channel lanes[FLOAT_REQUANT_LANES];
	for (uint32_t lane = 0; lane < FLOAT_REQUANT_LANES; lane++) {
		lanes[lane] = channel_line(p, channel_of(p, byte_of(lane / 16, lane % 16)));
	}
	float_requant_panel_make__avx512(panel, lanes, &output);
}

static void pack(const struct ek_conv_q *a, bool is_signed, void *packed)
{
	struct packing p = {
		.args = a, .plan = depthwise_plan_of(&a->shape), .is_signed = is_signed};
	struct float_requant_panel *panels = packed;
	int8_t *weights = (int8_t *)(panels + p.plan.panels);
	memset(packed, 0, (size_t)packed_bytes(&a->shape, is_signed ? 1 : 2));
	for (p.panel = 0; p.panel < p.plan.panels; p.panel++) {
		struct float_requant_panel *panel = &panels[p.panel];
		pack_panel(&p, panel);
		panel->sums = parts_of_panel(&p) - 1;
		pack_weights(&p, panel->sums + 1, weights);
		weights += p.plan.part * (is_signed ? 1 : 2);
	}
}

void ek_depthwise_s8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, true, packed);
}

void ek_depthwise_u8_pack__avx512vnni(const struct ek_conv_q *args, void *packed)
{
	pack(args, false, packed);
}
