/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/conv/conv_state.h"

#include "backends/cpu/operand/quant_params.h"

const struct ek_variant *conv_state_variant(const struct conv_state *state)
{
	return state->row_q    ? &state->row_q->variant
		: state->row_h ? &state->row_h->variant
			       : &state->row_f32->variant;
}

static void tile_q(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	state->row_q->run(&state->q, tile, scratch);
}

static void tile_f32(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	state->row_f32->run(&state->f32, tile, scratch);
}

static void tile_h(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	state->row_h->run(&state->h, tile, scratch);
}

static void pack_q(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_q args = state->q;
	args.weights = state->weights.source;
	state->row_q->pack(&args, state->weights.packed);
}

static void pack_f32(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_f32 args = state->f32;
	args.weights = state->weights.source;
	state->row_f32->pack(&args, state->weights.packed);
}

static void pack_h(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_h args = state->h;
	args.weights = state->weights.source;
	state->row_h->pack(&args, state->weights.packed);
}

/* Weights as a kernel can read them, of @packed_bytes where it packs them with @pack. */
static int weights_prepare(struct op_setup *setup, struct conv_state *state, uint64_t packed_bytes,
	op_pack_fn *pack, struct error *err)
{
	uint64_t elements = state->shape.out_c * ek_conv_depth(&state->shape);
	int r = conv_weights_prepare(setup, elements, packed_bytes, &state->weights, err);
	if (r == 0) {
		conv_weights_pack(setup, &state->weights, pack, state);
	}
	return r;
}

static int prepare_q(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *w = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	struct ek_conv_q *a = &state->q;
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
	a->wide = in->type == DTYPE_INT16 && o->quantized_bias_type != DTYPE_INT32;
	a->ties_up = in->type == DTYPE_INT8 && setup->graph->beyond_reference;
	int r = quant_params_activation_range(o->activation, out, &a->lo, &a->hi, err);
	r = r < 0 ? r : conv_prepare_scales(setup, a->shape.out_c, &a->scale, err);
	a->bias32 = op_constant(setup, 2);
	const uint64_t packed = state->row_q->packed_bytes(&a->shape);
	return r < 0 ? r : weights_prepare(setup, state, packed, pack_q, err);
}

static int prepare_f32(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	struct ek_conv_f32 *a = &state->f32;
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	const uint64_t packed = state->row_f32->packed_bytes(&a->shape);
	return r < 0 ? r : weights_prepare(setup, state, packed, pack_f32, err);
}

/* A row is a batch entry. */
static int prepare_h(
	struct op_setup *setup, struct conv_state *state, bool asymmetric, struct error *err)
{
	struct ek_conv_h *a = &state->h;
	const struct ek_window *w = &state->shape.window;
	state->hybrid = hybrid_prepare(
		setup, w->batch, (uint64_t)w->y.in * w->x.in * a->shape.in_c, asymmetric);
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	const bool packs = state->row_h->packed_bytes &&
		conv_prepare_features(setup, conv_state_pixels(state));
	const uint64_t packed = packs ? state->row_h->packed_bytes(a) : 0;
	r = r < 0 ? r : hybrid_scales(setup, a->shape.out_c, &a->scale, err);
	a->is_packed = packed > 0;
	return r < 0 ? r : weights_prepare(setup, state, packed, pack_h, err);
}

int conv_state_prepare(
	struct op_setup *setup, struct conv_state *state, bool asymmetric, struct error *err)
{
	const struct ek_conv_shape *s = &state->shape;
	const uint64_t scratch = state->row_q ? state->row_q->scratch_bytes(s)
		: state->row_h                ? state->row_h->scratch_bytes(s)
					      : state->row_f32->scratch_bytes(s);
	state->job = (struct tile_grid_job){
		.rows = conv_state_pixels(state),
		.cols = s->out_c,
		.work = ek_conv_depth(s),
		.col_step = state->row_q ? state->row_q->col_step
			: state->row_h   ? state->row_h->col_step
					 : state->row_f32->col_step,
		.run = state->row_q    ? tile_q
			: state->row_h ? tile_h
				       : tile_f32,
		.threads = setup->threads,
		.scratch_each = op_scratch_each(setup, scratch),
	};
	setup->detail = conv_state_variant(state)->name;
	return state->row_q    ? prepare_q(setup, state, err)
		: state->row_h ? prepare_h(setup, state, asymmetric, err)
			       : prepare_f32(setup, state, err);
}

/* ---- run */

static const float *bias_of(const struct op_call *call)
{
	return op_in(call, 2) ? op_in(call, 2)->data : NULL;
}

/* The operands of this run in a copy of the prepared arguments; input and output are those of the
 * whole picture, or of some rows. */
static void bind(
	const struct op_call *call, struct conv_state *state, const void *input, void *output)
{
	const void *weights = conv_weights_bind(call, &state->weights);
	if (state->row_q) {
		const struct conv_bias bias = conv_bias_bind(call);
		state->q.input = input;
		state->q.weights = weights;
		state->q.bias32 = bias.b32;
		state->q.bias64 = bias.b64;
		state->q.output = output;
	} else if (state->row_h) {
		state->h.weights = weights;
		state->h.bias = bias_of(call);
		state->h.output = output;
	} else {
		state->f32.input = input;
		state->f32.weights = weights;
		state->f32.bias = bias_of(call);
		state->f32.output = output;
	}
}

int conv_state_run(const struct op_call *call, struct error *err)
{
	struct conv_state state = *(const struct conv_state *)call->state;
	int r = conv_weights_unpack(call, &state.weights, err);
	if (r == 0 && state.row_h) {
		struct hybrid_rows rows = {0};
		r = hybrid_run(call, &state.hybrid, &rows, err);
		state.h.input = rows.codes;
		state.h.row = rows.rows;
	}
	if (r < 0) {
		return r;
	}
	bind(call, &state, op_in(call, 0)->data, op_out(call, 0)->data);
	state.job.args = &state;
	return tile_grid_run(call, &state.job, err);
}

/* ---- rows, for row_fusion.h */

bool conv_state_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret)
{
	const struct conv_state *state = setup->state;
	const struct ek_conv_shape *s = &state->shape;
	const uint64_t element = dtype_bits(op_tensor_in(setup, 0)->type) / 8;
	if (operand != 0 || state->row_h || state->blas.library || state->weights.n_unpacked > 0 ||
		s->window.batch != 1) {
		return false;
	}
	*ret = (struct row_fusion_shape){
		.y = s->window.y,
		.in_row_bytes = (uint64_t)s->window.x.in * s->in_c * element,
		.out_row_bytes = (uint64_t)s->window.x.out * s->out_c * element,
		.scratch_bytes = state->job.scratch_each,
	};
	return true;
}

void conv_state_run_rows(const struct op_call *call, const struct row_fusion_rows *rows)
{
	struct conv_state state = *(const struct conv_state *)call->state;
	const uint32_t width = state.shape.window.x.out;
	const struct ek_tile tile = {rows->first * width, rows->n * width, 0, state.shape.out_c};
	bind(call, &state, rows->input, rows->output);
	state.job.run(&state, &tile, rows->scratch);
}
