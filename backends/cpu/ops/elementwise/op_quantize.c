/* SPDX-License-Identifier: Apache-2.0 */
/* QUANTIZE: floats to codes, and codes of one scale to another's. Source: tflite
 * kernels/quantize.cc (Prepare, Eval), reference/quantize.h, requantize.h. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tiles.h"
#include "kernels/requant/requant.h"

struct quantize_state {
	struct lookup_table table; /* from 8 bits; first, as lookup_table_run_rows() wants it */
	struct ek_requant_params params; /* from 16 and 32 bits */
	ek_requant_fn *requant;
	ek_quantize_fn *quantize; /* from float */
	uint32_t in_bytes, out_bytes;
	uint32_t channels; /* scales that take turns, 1 per tensor */
	uint64_t inner; /* elements of one channel in a row */
	bool is_s4;
	const struct ek_quantize_params *per_channel; /* [channels] */
};

static int quantize_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	switch (in->type) {
	case DTYPE_FLOAT32:
		return op_accept_type(out, ACCEPT_QUANTISED | ACCEPT(INT4), err);
	case DTYPE_INT8:
	case DTYPE_UINT8:
		return op_accept_type(out, ACCEPT_QUANTISED, err);
	case DTYPE_INT16:
		return op_accept_type(out, ACCEPT(INT8) | ACCEPT(INT16) | ACCEPT(INT32), err);
	case DTYPE_INT32:
		return op_accept_type(out, ACCEPT(INT8) | ACCEPT(INT16), err);
	default:
		return op_accept_type(in, ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32), err);
	}
}

static const struct ek_quantize *pick_quantize(const struct op_setup *setup)
{
	uint64_t mask = setup->cpu_features;
	switch (op_tensor_out(setup, 0)->type) {
	case DTYPE_UINT8:
		return OP_PICK(ek_quantize_u8, mask);
	case DTYPE_INT16:
		return OP_PICK(ek_quantize_s16, mask);
	default:
		return OP_PICK(ek_quantize_s8, mask);
	}
}

static int prepare_float(struct op_setup *setup, struct quantize_state *state, struct error *err)
{
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct shape *shape = op_shape_out(setup, 0);
	uint32_t channels = out->quant.n_scales > 1 ? out->quant.n_scales : 1;
	struct ek_quantize_params *p = op_alloc(setup, (uint64_t)channels * sizeof(*p));
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t c = 0; c < channels; c++) {
		p[c].step = quant_params_scale(out, c);
		p[c].zero = (int32_t)quant_zero(&out->quant, c);
		p[c].even = setup->graph->beyond_reference && out->type != DTYPE_INT4;
		quant_params_type_range(out->type, &p[c].lo, &p[c].hi);
	}
	const struct ek_quantize *kernel = pick_quantize(setup);
	state->quantize = kernel->run;
	setup->detail = kernel->variant.name;
	state->per_channel = p;
	state->channels = channels;
	state->inner = channels > 1 ? op_gemm(shape, out->quant.dimension + 1, shape->rank)
				    : op_elements(shape);
	state->is_s4 = out->type == DTYPE_INT4;
	if (state->is_s4) {
		setup->scratch_bytes = op_elements(shape); /* codes before they are packed */
	}
	return 0;
}

static const struct ek_requant *pick_requant(const struct op_setup *setup)
{
	uint64_t mask = setup->cpu_features;
	bool from32 = op_tensor_in(setup, 0)->type == DTYPE_INT32;
	switch (op_tensor_out(setup, 0)->type) {
	case DTYPE_INT8:
		return from32 ? OP_PICK(ek_requant_s32s8, mask) : OP_PICK(ek_requant_s16s8, mask);
	case DTYPE_INT16:
		return from32 ? OP_PICK(ek_requant_s32s16, mask) : OP_PICK(ek_requant_s16s16, mask);
	default:
		return OP_PICK(ek_requant_s16s32, mask);
	}
}

static int quantize_prepare(struct op_setup *setup, struct error *err)
{
	struct quantize_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	state->in_bytes = (uint32_t)op_accept_element_bytes(in);
	state->out_bytes = (uint32_t)op_accept_element_bytes(out);
	if (in->type == DTYPE_FLOAT32) {
		return prepare_float(setup, state, err);
	}
	struct ek_requant_params *p = &state->params;
	p->src_zero = (int32_t)quant_zero(&in->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	p->scale = quant_params_split(
		(double)quant_params_scale(in, 0) / (double)quant_params_scale(out, 0));
	quant_params_type_range(out->type, &p->lo, &p->hi);
	if (state->in_bytes == 1) {
		lookup_table_init(setup, state->out_bytes, &state->table);
		lookup_table_fill_requant(setup, p, &state->table);
		return 0;
	}
	const struct ek_requant *kernel = pick_requant(setup);
	state->requant = kernel->run;
	setup->detail = kernel->variant.name;
	return 0;
}

/* @dst: codes of out_bytes each, or int8 that are packed afterwards. */
static int run_float(const struct op_call *call, char *dst, struct error *err)
{
	const struct quantize_state *s = call->state;
	const float *src = op_in(call, 0)->data;
	uint64_t total = op_elements(&op_out(call, 0)->shape);
	size_t code_bytes = s->out_bytes ? s->out_bytes : 1;
	struct tiles t = {.total = total, .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			n = tiles_run(at, end, s->inner);
			s->quantize(dst + at * code_bytes, src + at, n,
				&s->per_channel[at / s->inner % s->channels]);
		}
	}
	if (t.result < 0) {
		return tiles_end(&t, err);
	}
	if (s->is_s4) {
		ek_pack_s4(op_out(call, 0)->data, (const int8_t *)dst, total);
	}
	return 0;
}

static int quantize_run(const struct op_call *call, struct error *err)
{
	const struct quantize_state *s = call->state;
	const struct value *out = op_out(call, 0);
	if (s->quantize) {
		return run_float(call, s->is_s4 ? call->scratch : out->data, err);
	}
	if (!s->requant) {
		return lookup_table_run(&s->table, call, err);
	}
	struct tiles t = {.total = op_elements(&out->shape), .control = call->control};
	while (tiles_next(&t)) {
		s->requant((char *)out->data + t.at * s->out_bytes,
			(const char *)op_in(call, 0)->data + t.at * s->in_bytes, t.count,
			&s->params);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_quantize = {
	.op = OP_QUANTIZE,
	.accept = quantize_accept,
	.state_bytes = sizeof(struct quantize_state),
	.prepare = quantize_prepare,
	.run = quantize_run,
	.row_shape = lookup_table_row_shape,
	.run_rows = lookup_table_run_rows,
	.in_place = 1,
};
