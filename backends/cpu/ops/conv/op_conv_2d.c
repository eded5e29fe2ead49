/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/blas.h"
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/row_fusion.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/conv/conv.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct conv_state {
	const struct ek_conv_q_row *row_q; /* one of the three */
	const struct ek_conv_f32_row *row_f32;
	const struct ek_conv_h_row *row_h;
	struct ek_conv_shape shape;
	union {
		struct ek_conv_q q;
		struct ek_conv_f32 f32;
		struct ek_conv_h h;
	};
	struct conv_weights weights;
	struct hybrid hybrid; /* with row_h */
	struct blas blas; /* open where it does the float products, of patch_rows pixels at once */
	uint32_t patch_rows;
	unsigned int threads; /* that may make tiles, each with its scratch */
	uint64_t scratch_each;
};

/* Patches of a float tile that stay in a core's cache. */
#define PATCH_BYTES ((uint64_t)256 << 10)

static struct ek_conv_shape shape_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	struct ek_conv_shape s = {
		.window = conv_prepare_window(setup),
		.in_c = (uint32_t)in->dim[3],
		.out_c = (uint32_t)w->dim[0],
	};
	s.groups = s.in_c / (uint32_t)w->dim[3];
	return s;
}

static uint64_t rows_of(const struct ek_conv_shape *s)
{
	return (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
}

static const struct ek_conv_q_row *pick(unsigned int type, uint64_t features)
{
	switch (type) {
	case DTYPE_INT8:
		return OP_PICK(ek_conv_s8, features);
	case DTYPE_UINT8:
		return OP_PICK(ek_conv_u8, features);
	default:
		return OP_PICK(ek_conv_s16, features);
	}
}

/* Weights as a kernel can read them, of @packed_bytes where it packs them. */
static int weights_prepare(
	struct op_setup *setup, struct conv_state *state, uint64_t packed_bytes, struct error *err)
{
	uint64_t elements = state->shape.out_c * ek_conv_depth(&state->shape);
	return conv_weights_prepare(setup, elements, packed_bytes, &state->weights, err);
}

static void pack_q(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_q args = state->q;
	args.weights = state->weights.source;
	state->row_q->pack(&args, state->weights.packed);
}

static int prepare_q(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *w = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	struct ek_conv_q *a = &state->q;
	a->shape = state->shape;
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
	a->wide = in->type == DTYPE_INT16 && o->quantized_bias_type != DTYPE_INT32;
	a->ties_up = in->type == DTYPE_INT8 && setup->graph->beyond_reference;
	state->row_q = pick(in->type, conv_prepare_features(setup, rows_of(&a->shape)));
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_q->scratch_bytes(&a->shape));
	setup->detail = state->row_q->variant.name;
	int r = quant_params_activation_range(o->activation, out, &a->lo, &a->hi, err);
	r = r < 0 ? r : conv_prepare_scales(setup, a->shape.out_c, &a->scale, err);
	r = r < 0 ? r : weights_prepare(setup, state, state->row_q->packed_bytes(&a->shape), err);
	if (r == 0) {
		a->bias32 = op_constant(setup, 2);
		conv_weights_pack(setup, &state->weights, pack_q, state);
	}
	return r;
}

/* True for 1x1 filters that see every pixel once: the input is the matrix of patches. */
static bool is_product(const struct ek_conv_shape *s)
{
	const struct ek_window_axis *y = &s->window.y, *x = &s->window.x;
	return y->taps == 1 && x->taps == 1 && y->stride == 1 && x->stride == 1 && s->groups == 1;
}

/* Where there is no kernel but plain C: float products by OpenBLAS, for tiles of pixels whose patches
 * are gathered in scratch. */
static void prepare_blas(struct op_setup *setup, struct conv_state *state)
{
	const struct ek_conv_shape *s = &state->f32.shape;
	uint64_t depth = ek_conv_depth(s), rows = PATCH_BYTES / (depth * sizeof(float));
	rows = rows < 8 ? 8 : rows;
	rows = rows < rows_of(s) ? rows : rows_of(s);
	if (s->groups > 1 || !blas_pays(rows, s->out_c, depth) || !blas_open(&state->blas)) {
		return;
	}
	state->threads = 1;
	state->patch_rows = is_product(s) ? 0 : (uint32_t)rows;
	setup->scratch_bytes = state->patch_rows * depth * sizeof(float);
	setup->detail = "conv_f32__openblas";
}

static void pack_f32(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_f32 args = state->f32;
	args.weights = state->weights.source;
	state->row_f32->pack(&args, state->weights.packed);
}

static int prepare_f32(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	struct ek_conv_f32 *a = &state->f32;
	a->shape = state->shape;
	state->row_f32 = OP_PICK(ek_conv_f32, conv_prepare_features(setup, rows_of(&a->shape)));
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_f32->scratch_bytes(&a->shape));
	setup->detail = state->row_f32->variant.name;
	uint64_t packed = state->row_f32->packed_bytes(&a->shape);
	if (!packed) {
		prepare_blas(setup, state);
	}
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	r = r < 0 ? r : weights_prepare(setup, state, packed, err);
	if (r == 0) {
		conv_weights_pack(setup, &state->weights, pack_f32, state);
	}
	return r;
}

static bool has_different_scales(const struct quant *q)
{
	for (uint32_t i = 1; i < q->n_scales; i++) {
		if (q->scale[i] != q->scale[0]) {
			return true;
		}
	}
	return false;
}

static void pack_h(const void *data)
{
	const struct conv_state *state = data;
	struct ek_conv_h args = state->h;
	args.weights = state->weights.source;
	state->row_h->pack(&args, state->weights.packed);
}

/* One scale for all weights (or as many equal ones): symmetric rows; different ones, or groups:
 * asymmetric rows, whatever the option says (tflite kernels/conv.cc). A row is a batch entry. */
static int prepare_h(struct op_setup *setup, struct conv_state *state, struct error *err)
{
	struct ek_conv_h *a = &state->h;
	const struct ek_window *w = &state->shape.window;
	a->shape = state->shape;
	state->row_h = OP_PICK(ek_conv_h8, setup->cpu_features);
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_h->scratch_bytes(&a->shape));
	setup->detail = state->row_h->variant.name;
	state->hybrid = hybrid_prepare(setup, w->batch, (uint64_t)w->y.in * w->x.in * a->shape.in_c,
		a->shape.groups > 1 || has_different_scales(&op_tensor_in(setup, 1)->quant));
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	uint64_t packed =
		state->row_h->packed_bytes && conv_prepare_features(setup, rows_of(&a->shape))
		? state->row_h->packed_bytes(a)
		: 0;
	r = r < 0 ? r : hybrid_scales(setup, a->shape.out_c, &a->scale, err);
	r = r < 0 ? r : weights_prepare(setup, state, packed, err);
	if (r == 0) {
		a->is_packed = packed > 0;
		conv_weights_pack(setup, &state->weights, pack_h, state);
	}
	return r;
}

static int conv_prepare(struct op_setup *setup, struct error *err)
{
	struct conv_state *state = setup->state;
	state->shape = shape_of(setup);
	return conv_prepare_is_hybrid(setup)                    ? prepare_h(setup, state, err)
		: op_tensor_in(setup, 0)->type == DTYPE_FLOAT32 ? prepare_f32(setup, state, err)
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

static void tile_h(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct conv_state *state = args;
	state->row_h->run(&state->h, tile, scratch);
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
static void bind_q(const struct op_call *call, const void *weights, struct ek_conv_q *a)
{
	struct conv_bias bias = conv_bias_bind(call);
	a->input = op_in(call, 0)->data;
	a->weights = weights;
	a->bias32 = bias.b32;
	a->bias64 = bias.b64;
	a->output = op_out(call, 0)->data;
}

static int bind_h(const struct op_call *call, const struct hybrid *hybrid, const void *weights,
	struct ek_conv_h *a, struct error *err)
{
	struct hybrid_rows rows = {0};
	int r = hybrid_run(call, hybrid, &rows, err);
	a->input = rows.codes;
	a->row = rows.rows;
	a->weights = weights;
	a->bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	a->output = op_out(call, 0)->data;
	return r;
}

static int bind(const struct op_call *call, struct conv_state *state, struct error *err)
{
	int r = conv_weights_unpack(call, &state->weights, err);
	if (r < 0) {
		return r;
	}
	const void *weights = conv_weights_bind(call, &state->weights);
	if (state->row_q) {
		bind_q(call, weights, &state->q);
		return 0;
	}
	if (state->row_h) {
		return bind_h(call, &state->hybrid, weights, &state->h, err);
	}
	state->f32.input = op_in(call, 0)->data;
	state->f32.weights = weights;
	state->f32.bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	state->f32.output = op_out(call, 0)->data;
	return 0;
}

#define FEW_CHANNELS 16 /* fewer than kernels make side by side */
#define GROUPS_LOOK_WORK                                                                           \
	(PLAIN_LOOK_WORK / 4) /* products of groups between two looks at the clock */

/* Products of floats between two looks, a few milliseconds of denormal ones, and the rows that a tile has at
 * least even so: with fewer kernels lose time. */
#define FLOAT_LOOK_WORK (4 * PLAIN_LOOK_WORK)
#define FLOAT_LOOK_ROWS 16

static uint64_t float_look_work(const struct ek_conv_shape *s)
{
	const uint64_t rows_work = FLOAT_LOOK_ROWS * s->out_c * ek_conv_depth(s);
	return rows_work > FLOAT_LOOK_WORK ? rows_work : FLOAT_LOOK_WORK;
}

/* Groups are made by plain C, whatever the kernel. */
static uint64_t look_work(const struct conv_state *state)
{
	const struct ek_variant *kernel = state->row_q ? &state->row_q->variant
		: state->row_h                         ? &state->row_h->variant
						       : &state->row_f32->variant;
	if (state->shape.groups > 1) {
		return state->row_f32 ? DENORMAL_LOOK_WORK : GROUPS_LOOK_WORK;
	}
	if (state->row_f32 && !state->blas.library &&
		(!kernel->needs || state->shape.out_c < FEW_CHANNELS)) {
		return tile_grid_float_look_work(kernel, state->shape.out_c);
	}
	return state->blas.library                  ? 0
		: !kernel->needs                    ? PLAIN_LOOK_WORK
		: state->shape.out_c < FEW_CHANNELS ? 4 * PLAIN_LOOK_WORK
		: state->row_f32                    ? float_look_work(&state->shape)
						    : 0;
}

static int conv_run(const struct op_call *call, struct error *err)
{
	struct conv_state state = *(const struct conv_state *)call->state;
	const struct ek_conv_shape *s = &state.shape;
	int r = bind(call, &state, err);
	if (r < 0) {
		return r;
	}
	bool by_blas = state.blas.library;
	const struct tile_grid_job job = {
		.rows = rows_of(s),
		.cols = s->out_c,
		.work = ek_conv_depth(s),
		.col_step = state.row_q ? state.row_q->col_step
			: state.row_h   ? state.row_h->col_step
					: state.row_f32->col_step,
		.tile_work = by_blas           ? BLAS_TILE_WORK
			: state.weights.packed ? PACKED_TILE_WORK
					       : 0,
		.row_work = by_blas ? BLAS_ROW_WORK : 0,
		.tile_rows = state.patch_rows,
		.look_work = look_work(&state),
		.run = state.row_q    ? tile_q
			: state.row_h ? tile_h
			: by_blas     ? tile_blas
				      : tile_f32,
		.args = &state,
		.threads = state.threads,
		.scratch_each = state.scratch_each,
	};
	return tile_grid_run(call, &job, err);
}

/* Not where a run computes something for all of the picture before: scales, weights, patches. */
static bool conv_row_shape(
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
		.scratch_bytes = state->scratch_each,
	};
	return true;
}

static void conv_run_rows(const struct op_call *call, const struct row_fusion_rows *rows)
{
	struct conv_state state = *(const struct conv_state *)call->state;
	const uint32_t width = state.shape.window.x.out;
	const struct ek_tile tile = {rows->first * width, rows->n * width, 0, state.shape.out_c};
	if (state.row_q) {
		bind_q(call, conv_weights_bind(call, &state.weights), &state.q);
		state.q.input = rows->input;
		state.q.output = rows->output;
		state.row_q->run(&state.q, &tile, rows->scratch);
		return;
	}
	state.f32.input = rows->input;
	state.f32.weights = conv_weights_bind(call, &state.weights);
	state.f32.bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	state.f32.output = rows->output;
	state.row_f32->run(&state.f32, &tile, rows->scratch);
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
	.accept = conv_prepare_accept_types,
	.state_bytes = sizeof(struct conv_state),
	.prepare = conv_prepare,
	.run = conv_run,
	.release = conv_release,
	.row_shape = conv_row_shape,
	.run_rows = conv_run_rows,
};
