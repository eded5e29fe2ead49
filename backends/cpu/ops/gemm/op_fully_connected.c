/* SPDX-License-Identifier: Apache-2.0 */
/* The input is folded to rows of the weights' width, whatever its rank. */
#include <string.h>

#include "backends/cpu/blas.h"
#include "backends/cpu/operand/blockwise.h"
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/tile_grid.h"
#include "backends/cpu/tiles.h"
#include "kernels/gemm/matmul.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct fc_state {
	const struct ek_matmul_q_row *row_q; /* one of the three */
	const struct ek_matmul_f32_row *row_f32;
	const struct ek_matmul_h_row *row_h;
	struct ek_matmul_shape shape;
	union {
		struct ek_matmul_q q;
		struct ek_matmul_f32 f32;
		struct ek_matmul_h h;
	};
	struct conv_weights weights;
	const void *bias; /* with row_q: a copy of a constant one */
	struct hybrid hybrid; /* with row_h */
	struct blas blas; /* open where it does the float product */
	unsigned int threads; /* that may make tiles, each with its scratch */
	uint64_t scratch_each;
};

static int fc_accept(const struct op_setup *setup, struct error *err)
{
	unsigned int in = op_tensor_in(setup, 0)->type, out = op_tensor_out(setup, 0)->type;
	bool widens = (in == DTYPE_INT8 || in == DTYPE_UINT8) && out == DTYPE_INT16;
	if (in != out && !widens) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s output", dtype_name(in),
			dtype_name(out));
	}
	if (setup->node->options.fully_connected.weights_format) {
		return error_set(err, -EOPNOTSUPP, "shuffled weights");
	}
	return conv_prepare_accept_operands(setup, err);
}

static int shape_of(
	const struct op_setup *setup, struct ek_matmul_shape *ret_shape, struct error *err)
{
	const struct shape *w = op_shape_in(setup, 1);
	uint64_t elements = 0;
	if (shape_elements(op_shape_out(setup, 0), &elements) < 0) {
		return error_set(err, -EINVAL, "the output's shape is not known");
	}
	ret_shape->rows = (uint32_t)(elements / (uint32_t)w->dim[0]);
	ret_shape->cols = (uint32_t)w->dim[0];
	ret_shape->depth = (uint32_t)w->dim[1];
	return 0;
}

static const struct ek_matmul_q_row *pick(unsigned int type, uint64_t features)
{
	switch (type) {
	case DTYPE_INT8:
		return OP_PICK(ek_matmul_s8, features);
	case DTYPE_UINT8:
		return OP_PICK(ek_matmul_u8, features);
	default:
		return OP_PICK(ek_matmul_s16, features);
	}
}

/*
 * Of sparse int8 weights, which have a kernel of their own in the reference: it rounds twice. With
 * one scale the product of the two is rounded to float first (GetQuantizedConvolutionMultipler).
 */
static int fixed_prepare(struct op_setup *setup, struct ek_matmul_q *a, struct error *err)
{
	const struct tensor *w = op_tensor_in(setup, 1);
	float si = quant_params_scale(op_tensor_in(setup, 0), 0);
	float so = quant_params_scale(op_tensor_out(setup, 0), 0);
	struct ek_scale *fixed = op_alloc(setup, a->shape.cols * sizeof(*fixed));
	if (!fixed) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t n = 0; n < a->shape.cols; n++) {
		float sw = quant_params_scale(w, n);
		double product =
			w->quant.n_scales > 1 ? (double)si * (double)sw : (double)(si * sw);
		fixed[n] = quant_params_split(product / (double)so);
	}
	a->fixed = fixed;
	return 0;
}

static int scales_prepare(struct op_setup *setup, struct ek_matmul_q *a, struct error *err)
{
	const struct tensor *w = op_tensor_in(setup, 1);
	double si = (double)quant_params_scale(op_tensor_in(setup, 0), 0);
	double so = (double)quant_params_scale(op_tensor_out(setup, 0), 0);
	bool filled = false;
	double *scales = op_alloc_pack(setup, a->shape.cols * sizeof(*scales), &filled);
	if (!scales) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t n = 0; n < a->shape.cols && !filled; n++) {
		scales[n] = si * (double)quant_params_scale(w, n) / so;
	}
	a->scale = scales;
	return 0;
}

/* Beside the packed weights, so that runs need no page of the model's file for a few words. */
static int bias_prepare(struct op_setup *setup, struct fc_state *state, struct error *err)
{
	const void *bias = op_constant(setup, 2);
	bool filled = false;
	if (!bias) {
		return 0;
	}
	const uint64_t bytes =
		(uint64_t)state->shape.cols * dtype_bits(op_tensor_in(setup, 2)->type) / 8;
	void *copy = op_alloc_pack(setup, bytes, &filled);
	if (!copy) {
		return op_alloc_failed(setup, err);
	}
	if (!filled) {
		memcpy(copy, bias, (size_t)bytes);
	}
	state->bias = copy;
	return 0;
}

/* Weights as a kernel can read them, of @packed_bytes where it packs them. */
static int weights_prepare(
	struct op_setup *setup, struct fc_state *state, uint64_t packed_bytes, struct error *err)
{
	const struct ek_matmul_shape *s = &state->shape;
	return conv_weights_prepare(
		setup, (uint64_t)s->cols * s->depth, packed_bytes, &state->weights, err);
}

static void pack_q(const void *data)
{
	const struct fc_state *state = data;
	struct ek_matmul_q args = state->q;
	args.w = state->weights.source;
	state->row_q->pack(&args, state->weights.packed);
}

static int prepare_q(struct op_setup *setup, struct fc_state *state, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *w = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct options_fully_connected *o = &setup->node->options.fully_connected;
	struct ek_matmul_q *a = &state->q;
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
	a->wide = in->type == DTYPE_INT16 && o->quantized_bias_type != DTYPE_INT32;
	a->output_s16 = out->type == DTYPE_INT16;
	state->row_q = pick(in->type, conv_prepare_features(setup, state->shape.rows));
	a->shape = state->shape;
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_q->scratch_bytes(&a->shape));
	setup->detail = state->row_q->variant.name;
	int r = quant_params_activation_range(o->activation, out, &a->lo, &a->hi, err);
	if (r == 0) {
		r = w->sparsity && in->type == DTYPE_INT8 ? fixed_prepare(setup, a, err)
							  : scales_prepare(setup, a, err);
	}
	r = r < 0 ? r : weights_prepare(setup, state, state->row_q->packed_bytes(&a->shape), err);
	r = r < 0 ? r : bias_prepare(setup, state, err);
	if (r == 0) {
		a->bias32 = op_constant(setup, 2);
		conv_weights_pack(setup, &state->weights, pack_q, state);
	}
	return r;
}

static void pack_f32(const void *data)
{
	const struct fc_state *state = data;
	struct ek_matmul_f32 args = state->f32;
	args.w = state->weights.source;
	state->row_f32->pack(&args, state->weights.packed);
}

static int prepare_f32(struct op_setup *setup, struct fc_state *state, struct error *err)
{
	struct ek_matmul_f32 *a = &state->f32;
	a->shape = state->shape;
	state->row_f32 = OP_PICK(ek_matmul_f32, conv_prepare_features(setup, a->shape.rows));
	setup->detail = state->row_f32->variant.name;
	int r = quant_params_activation_range_float(
		setup->node->options.fully_connected.activation, &a->lo, &a->hi, err);
	uint64_t packed = state->row_f32->packed_bytes(&a->shape);
	r = r < 0 ? r : weights_prepare(setup, state, packed, err);
	if (r == 0 && packed) {
		conv_weights_pack(setup, &state->weights, pack_f32, state);
		state->threads = setup->threads;
	} else if (r == 0 && blas_pays(a->shape.rows, a->shape.cols, a->shape.depth) &&
		blas_open(&state->blas)) {
		setup->detail = "matmul_f32__openblas";
	}
	return r;
}

static void pack_h(const void *data)
{
	const struct fc_state *state = data;
	struct ek_matmul_h args = state->h;
	args.w = state->weights.source;
	state->row_h->pack(&args, state->weights.packed);
}

/* Blockwise weights are always read by asymmetric rows. */
static int prepare_h(struct op_setup *setup, struct fc_state *state, struct error *err)
{
	const struct options_fully_connected *o = &setup->node->options.fully_connected;
	struct ek_matmul_h *a = &state->h;
	bool blockwise = op_tensor_in(setup, 1)->quant.block_size > 0;
	a->shape = state->shape;
	state->row_h = OP_PICK(ek_matmul_h8, setup->cpu_features);
	setup->detail = state->row_h->variant.name;
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_h->scratch_bytes(&a->shape));
	state->hybrid = hybrid_prepare(
		setup, a->shape.rows, a->shape.depth, o->asymmetric_quantize_inputs || blockwise);
	int r = quant_params_activation_range_float(o->activation, &a->lo, &a->hi, err);
	a->block = blockwise ? op_tensor_in(setup, 1)->quant.block_size : a->shape.depth;
	uint64_t packed = state->row_h->packed_bytes && conv_prepare_features(setup, a->shape.rows)
		? state->row_h->packed_bytes(a)
		: 0;
	r = r < 0 ? r : weights_prepare(setup, state, packed, err);
	if (r < 0) {
		return r;
	}
	a->is_packed = packed > 0;
	conv_weights_pack(setup, &state->weights, pack_h, state);
	return blockwise ? blockwise_prepare(setup, a->shape.cols, a->shape.depth,
				   state->weights.made, &a->scale, err)
			 : hybrid_scales(setup, a->shape.cols, &a->scale, err);
}

static int fc_prepare(struct op_setup *setup, struct error *err)
{
	struct fc_state *state = setup->state;
	int r = shape_of(setup, &state->shape, err);
	if (r < 0 || state->shape.depth == 0) {
		return r;
	}
	return conv_prepare_is_hybrid(setup)                    ? prepare_h(setup, state, err)
		: op_tensor_in(setup, 0)->type == DTYPE_FLOAT32 ? prepare_f32(setup, state, err)
								: prepare_q(setup, state, err);
}

static void tile_q(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct fc_state *state = args;
	state->row_q->run(&state->q, tile, scratch);
}

static void tile_f32(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct fc_state *state = args;
	if (state->blas.library) {
		blas_matmul(&state->blas, &state->f32, tile);
	} else {
		state->row_f32->run(&state->f32, tile);
	}
}

static void tile_h(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct fc_state *state = args;
	state->row_h->run(&state->h, tile, scratch);
}

static void bind_q(const struct op_call *call, const void *weights, const void *bias_copy,
	struct ek_matmul_q *a)
{
	const struct conv_bias bias = conv_bias_bind(call);
	a->a = op_in(call, 0)->data;
	a->w = weights;
	a->bias32 = bias.b32 && bias_copy ? bias_copy : bias.b32;
	a->bias64 = bias.b64 && bias_copy ? bias_copy : bias.b64;
	a->output = op_out(call, 0)->data;
}

static int bind_h(const struct op_call *call, const struct hybrid *hybrid, const void *weights,
	struct ek_matmul_h *a, struct error *err)
{
	struct hybrid_rows rows = {0};
	int r = hybrid_run(call, hybrid, &rows, err);
	a->a = rows.codes;
	a->row = rows.rows;
	a->w = weights;
	a->bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	a->output = op_out(call, 0)->data;
	return r;
}

/* The operands of this run in a copy of the prepared arguments. */
static int bind(const struct op_call *call, struct fc_state *state, struct error *err)
{
	int r = conv_weights_unpack(call, &state->weights, err);
	if (r < 0) {
		return r;
	}
	const void *weights = conv_weights_bind(call, &state->weights);
	if (state->row_q) {
		bind_q(call, weights, state->bias, &state->q);
		return 0;
	}
	if (state->row_h) {
		return bind_h(call, &state->hybrid, weights, &state->h, err);
	}
	state->f32.a = op_in(call, 0)->data;
	state->f32.w = weights;
	state->f32.bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	state->f32.output = op_out(call, 0)->data;
	return 0;
}

/* Vector kernels of floats are for 16 rows and more at once: where those are more than a look's work, the tile's share
 * decides. */
#define LOOK_ROWS 16

static uint64_t look_work(const struct fc_state *state)
{
	const struct ek_matmul_shape *s = &state->shape;
	if (state->row_q || state->row_h) {
		return tile_grid_look_work(
			state->row_q ? &state->row_q->variant : &state->row_h->variant);
	}
	const uint64_t work = tile_grid_float_look_work(&state->row_f32->variant, s->cols);
	const bool is_large = state->row_f32->variant.needs && s->rows > 1 && s->cols >= 8 &&
		(uint64_t)s->depth * s->cols > work / LOOK_ROWS;
	return state->blas.library || is_large ? 0 : work;
}

static int fc_run(const struct op_call *call, struct error *err)
{
	struct fc_state state = *(const struct fc_state *)call->state;
	const struct ek_matmul_shape *s = &state.shape;
	if (s->depth == 0) { /* without width, even the bias counts for nothing */
		const struct value *out = op_out(call, 0);
		return tiles_result(tiles_clear(out->data, out->bytes, call->control), err);
	}
	int r = bind(call, &state, err);
	if (r < 0) {
		return r;
	}
	const struct tile_grid_job job = {
		.rows = s->rows,
		.cols = s->cols,
		.work = s->depth,
		.col_step = state.row_q ? state.row_q->col_step
			: state.row_h   ? state.row_h->col_step
					: state.row_f32->col_step,
		.tile_work = state.blas.library ? BLAS_TILE_WORK : 0,
		.row_work = state.blas.library ? BLAS_ROW_WORK : 0,
		.look_work = look_work(&state),
		.run = state.row_q    ? tile_q
			: state.row_h ? tile_h
				      : tile_f32,
		.args = &state,
		.threads = state.threads,
		.scratch_each = state.scratch_each,
	};
	return tile_grid_run(call, &job, err);
}

static void fc_release(void *data)
{
	struct fc_state *state = data;
	if (state) {
		blas_close(&state->blas);
	}
}

const struct cpu_op op_fully_connected = {
	.op = OP_FULLY_CONNECTED,
	.accept = fc_accept,
	.state_bytes = sizeof(struct fc_state),
	.prepare = fc_prepare,
	.run = fc_run,
	.release = fc_release,
};
