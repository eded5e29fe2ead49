/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/blas.h"
#include "backends/cpu/conv.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tile.h"
#include "kernels/conv.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct conv_state {
	const struct ek_conv_q_row *row_q; /* one of the two */
	const struct ek_conv_f32_row *row_f32;
	struct ek_conv_q q;
	struct ek_conv_f32 f32;
	struct blas blas; /* open where it does the float products, of patch_rows pixels at once */
	uint32_t patch_rows;
};

/* Patches of a float tile that stay in a core's cache. */
#define PATCH_BYTES ((uint64_t)256 << 10)

static struct ek_conv_shape shape_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	const struct shape *out = op_shape_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	struct ek_conv_shape s = {
		.window =
			{
				.batch = (uint32_t)in->dim[0],
				.y = conv_axis(in->dim[1], out->dim[1], w->dim[1], o->stride_h,
					o->dilation_h),
				.x = conv_axis(in->dim[2], out->dim[2], w->dim[2], o->stride_w,
					o->dilation_w),
			},
		.in_c = (uint32_t)in->dim[3],
		.out_c = (uint32_t)w->dim[0],
	};
	s.groups = s.in_c / (uint32_t)w->dim[3];
	return s;
}

static const struct ek_conv_q_row *pick(unsigned int type, uint64_t features)
{
	switch (type) {
	case DTYPE_INT8:
		return ek_pick(ek_conv_s8, ek_conv_s8_count, sizeof(*ek_conv_s8), features);
	case DTYPE_UINT8:
		return ek_pick(ek_conv_u8, ek_conv_u8_count, sizeof(*ek_conv_u8), features);
	default:
		return ek_pick(ek_conv_s16, ek_conv_s16_count, sizeof(*ek_conv_s16), features);
	}
}

/* Weights as the row wants them, where that is not as the file has them. */
static int weights_prepare(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	struct ek_conv_q *a = &state->q;
	struct conv_weights weights;
	uint64_t elements = a->shape.out_c * ek_conv_depth(&a->shape);
	int r = conv_weights_prepare(
		setup, elements, state->row_q->packed_bytes(&a->shape), &weights, err);
	if (r < 0) {
		return r;
	}
	a->weights = weights.plain;
	if (weights.packed) {
		state->row_q->pack(a, weights.packed);
		a->weights = weights.packed;
	}
	return 0;
}

static int prepare_q(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *w = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	struct ek_conv_q *a = &state->q;
	a->shape = shape_of(setup);
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
	a->wide = in->type == DTYPE_INT16 && o->quantized_bias_type != DTYPE_INT32;
	/* Weights that a run computes are read in the file's order, which entry 0 does. */
	state->row_q = pick(in->type, op_constant(setup, 1) ? setup->cpu_features : 0);
	int r = quant_activation_range(o->activation, out, &a->lo, &a->hi, err);
	r = r < 0 ? r : conv_scales(setup, a->shape.out_c, &a->scale, err);
	r = r < 0 ? r : weights_prepare(setup, state, err);
	setup->scratch_bytes = state->row_q->scratch_bytes(&a->shape);
	setup->detail = state->row_q->variant.name;
	return r;
}

/* True for 1x1 filters that see every pixel once: the input is the matrix of patches. */
static bool is_product(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 && s->groups == 1;
}

static uint64_t rows_of(const struct ek_conv_shape *s)
{
	return (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
}

/* Float products by OpenBLAS, for tiles of pixels whose patches are gathered in scratch. */
static void prepare_blas(struct op_setup *setup, struct conv_state *state)
{
	const struct ek_conv_shape *s = &state->f32.shape;
	uint64_t depth = ek_conv_depth(s), rows = PATCH_BYTES / (depth * sizeof(float));
	rows = rows < 8 ? 8 : rows;
	rows = rows < rows_of(s) ? rows : rows_of(s);
	if (s->groups > 1 || !blas_pays(rows, s->out_c, depth) || !blas_open(&state->blas)) {
		return;
	}
	state->patch_rows = is_product(s) ? 0 : (uint32_t)rows;
	setup->scratch_bytes = state->patch_rows * depth * sizeof(float);
	setup->detail = "conv_f32__openblas";
}

static int prepare_f32(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	struct ek_conv_f32 *a = &state->f32;
	a->shape = shape_of(setup);
	state->row_f32 =
		ek_pick(ek_conv_f32, ek_conv_f32_count, sizeof(*ek_conv_f32), setup->cpu_features);
	setup->scratch_bytes = state->row_f32->scratch_bytes(&a->shape);
	setup->detail = state->row_f32->variant.name;
	prepare_blas(setup, state);
	return quant_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
}

static int conv_prepare(struct op_setup *setup, struct error *err)
{
	struct conv_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	return op_tensor_in(setup, 0)->type == DTYPE_FLOAT32 ? prepare_f32(setup, state, err)
							     : prepare_q(setup, state, err);
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

static void gather(const struct ek_conv_f32 *a, const struct ek_tile *tile, float *patches)
{
	size_t depth = ek_conv_depth(&a->shape);
	for (uint32_t i = 0; i < tile->n_rows; i++) {
		struct ek_pixel pixel = ek_window_pixel(&a->shape.window, tile->first_row + i);
		ek_conv_patch(&a->shape, a->input, sizeof(float), 0, pixel, 0, patches + i * depth);
	}
}

static void tile_blas(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	const struct ek_conv_f32 *a = &state->f32;
	struct ek_matmul_f32 product = {
		.shape = {tile->n_rows, a->shape.out_c, (uint32_t)ek_conv_depth(&a->shape)},
		.a = a->input + tile->first_row * (size_t)a->shape.in_c,
		.w = a->weights,
		.bias = a->bias,
		.lo = a->lo,
		.hi = a->hi,
		.output = a->output + tile->first_row * (size_t)a->shape.out_c,
	};
	if (state->patch_rows) {
		gather(a, tile, scratch);
		product.a = scratch;
	}
	const struct ek_tile all_rows = {0, tile->n_rows, tile->first_col, tile->n_cols};
	blas_matmul(&state->blas, &product, &all_rows);
}

/* The operands of this run in a copy of the prepared arguments. */
static void bind_q(const struct op_call *call, struct ek_conv_q *a)
{
	struct conv_bias bias = conv_bind_bias(call);
	a->input = op_in(call, 0)->data;
	a->weights = a->weights ? a->weights : op_in(call, 1)->data;
	a->bias32 = bias.b32;
	a->bias64 = bias.b64;
	a->output = op_out(call, 0)->data;
}

static void bind_f32(const struct op_call *call, struct ek_conv_f32 *a)
{
	const struct value *bias = op_in(call, 2);
	a->input = op_in(call, 0)->data;
	a->weights = op_in(call, 1)->data;
	a->bias = bias ? bias->data : NULL;
	a->output = op_out(call, 0)->data;
}

static int conv_run(const struct op_call *call, struct error *err)
{
	struct conv_state state = *(const struct conv_state *)call->state;
	const struct ek_conv_shape *s = state.row_q ? &state.q.shape : &state.f32.shape;
	if (state.row_q) {
		bind_q(call, &state.q);
	} else {
		bind_f32(call, &state.f32);
	}
	bool by_blas = state.blas.library;
	const struct tile_job job = {
		.rows = rows_of(s),
		.cols = s->out_c,
		.work = ek_conv_depth(s),
		.col_step = state.row_q ? state.row_q->col_step : state.row_f32->col_step,
		.tile_work = by_blas ? BLAS_TILE_WORK : 0,
		.tile_rows = state.patch_rows,
		.run = state.row_q ? tile_q
			: by_blas  ? tile_blas
				   : tile_f32,
		.args = &state,
	};
	return tile_run(call, &job, err);
}

static void conv_release(void *data)
{
	struct conv_state *state = data;
	if (state) {
		blas_close(&state->blas);
	}
}

const struct cpu_op op_conv_2d = {
	.op = OP_CONV_2D,
	.accept = conv_accept_types,
	.prepare = conv_prepare,
	.run = conv_run,
	.release = conv_release,
};
