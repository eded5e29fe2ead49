/* SPDX-License-Identifier: Apache-2.0 */
/* CONCATENATION and PACK of every fixed-width type; uint8 inputs of another scale are requantised
 * (PACK has none). Source: tflite kernels/concatenation.cc, reference/concatenation.h
 * (ConcatenationWithScaling), kernels/pack.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"

struct part {
	uint64_t row_bytes; /* of this input, for one index of the dimensions before the axis */
	const uint8_t *table; /* 256 entries, or NULL: copied */
};

struct concat_state {
	uint64_t rows;
	uint64_t row_bytes; /* of the result */
	ek_lut8_fn *lut8;
	struct part parts[];
};

static int concat_accept(const struct op_setup *setup, struct error *err)
{
	if (setup->node->options.axis.activation != ACTIVATION_NONE) {
		return op_accept_missing("fused activation", err);
	}
	return op_accept_same(setup, ACCEPT_FIXED, err);
}

static bool same_codes(const struct tensor *a, const struct tensor *b)
{
	return quant_params_scale(a, 0) == quant_params_scale(b, 0) &&
		quant_zero(&a->quant, 0) == quant_zero(&b->quant, 0);
}

/* round((x - zero) * scale / out scale) + out zero, with the reference's roundings to float. */
static void fill_table(const struct tensor *in, const struct tensor *out, uint8_t *table)
{
	float inverse = 1.0f / quant_params_scale(out, 0);
	float factor = quant_params_scale(in, 0) * inverse;
	float bias = (float)-quant_zero(&in->quant, 0) * factor;
	int32_t zero = (int32_t)quant_zero(&out->quant, 0);
	for (int i = 0; i < 256; i++) {
		float product = (float)i * factor;
		int32_t code = ek_add32(ek_round32((double)(product + bias)), zero);
		table[i] = (uint8_t)ek_clamp32(code, 0, 255);
	}
}

static int concat_prepare(struct op_setup *setup, struct error *err)
{
	uint32_t n = setup->node->n_inputs, axis = 0;
	struct concat_state *state =
		op_alloc(setup, sizeof(*state) + (uint64_t)n * sizeof(struct part));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct shape *shape = op_shape_out(setup, 0);
	int r = params_axis(setup->node->options.axis.axis, shape->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	size_t element = op_accept_element_bytes(out);
	state->rows = op_gemm(shape, 0, axis);
	state->row_bytes = op_gemm(shape, axis, shape->rank) * element;
	state->lut8 = ((const struct ek_lut8 *)OP_PICK(ek_lut8, setup->cpu_features))->run;
	for (uint32_t i = 0; i < n; i++) {
		const struct shape *part = op_shape_in(setup, i);
		state->parts[i].row_bytes = op_gemm(part, axis, part->rank) * element;
		if (out->type != DTYPE_UINT8 || same_codes(op_tensor_in(setup, i), out)) {
			continue;
		}
		uint8_t *table = op_alloc(setup, 256);
		if (!table) {
			return op_alloc_failed(setup, err);
		}
		fill_table(op_tensor_in(setup, i), out, table);
		state->parts[i].table = table;
	}
	return 0;
}

static int map_row(const struct op_call *call, uint32_t i, void *dst, const void *src)
{
	const struct concat_state *s = call->state;
	const struct part *part = &s->parts[i];
	struct tiles t = {.total = part->row_bytes, .control = call->control, .each = TILE_BYTES};
	if (!part->table) { /* dst == src: it may have been computed here */
		return dst == src ? 0 : tiles_copy(dst, src, part->row_bytes, call->control);
	}
	while (tiles_next(&t)) {
		s->lut8((uint8_t *)dst + t.at, (const uint8_t *)src + t.at, (size_t)t.count,
			part->table);
	}
	return t.result;
}

static int copy_part(const struct op_call *call, uint32_t i, char *dst, struct error *err)
{
	const struct concat_state *s = call->state;
	const struct part *part = &s->parts[i];
	const char *src = op_in(call, i)->data;
	struct tiles t = {.total = part->row_bytes ? s->rows : 0,
		.control = call->control,
		.each = tiles_rows(part->row_bytes)};
	while (tiles_next(&t)) {
		for (uint64_t row = t.at; t.result == 0 && row < t.at + t.count; row++) {
			t.result = map_row(
				call, i, dst + row * s->row_bytes, src + row * part->row_bytes);
		}
	}
	return tiles_end(&t, err);
}

static int concat_run(const struct op_call *call, struct error *err)
{
	const struct concat_state *s = call->state;
	char *dst = op_out(call, 0)->data;
	for (uint32_t i = 0; i < call->node->n_inputs; i++) {
		int r = copy_part(call, i, dst, err);
		if (r < 0) {
			return r;
		}
		dst += s->parts[i].row_bytes;
	}
	return 0;
}

const struct cpu_op op_concatenation = {.op = OP_CONCATENATION,
	.accept = concat_accept,
	.prepare = concat_prepare,
	.run = concat_run};
/* A dimension of one in front of each input's @axis changes no byte. */
const struct cpu_op op_pack = {
	.op = OP_PACK, .types = ACCEPT_FIXED, .prepare = concat_prepare, .run = concat_run};
