/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/row_fusion.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/depthwise/depthwise.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct depthwise_state {
	const struct ek_depthwise_q_row *row_q; /* one of the three */
	const struct ek_depthwise_f32_row *row_f32;
	const struct ek_depthwise_h_row *row_h;
	struct ek_depthwise_shape shape;
	union {
		struct ek_depthwise_q q;
		struct ek_depthwise_f32 f32;
		struct ek_depthwise_h h;
	};
	struct conv_weights weights;
	struct hybrid hybrid; /* with row_h */
	unsigned int threads; /* that may make tiles, each with its scratch */
	uint64_t scratch_each;
};

static int depthwise_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *bias = op_tensor_in(setup, 2);
	if (op_tensor_in(setup, 0)->type == DTYPE_INT16 && bias && bias->type != DTYPE_INT64) {
		return error_set(
			err, -EOPNOTSUPP, "int16 input with %s bias", dtype_name(bias->type));
	}
	return conv_prepare_accept_types(setup, err);
}

static struct ek_depthwise_shape shape_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	return (struct ek_depthwise_shape){
		.window = conv_prepare_window(setup),
		.in_c = (uint32_t)in->dim[3],
		.out_c = (uint32_t)w->dim[3],
	};
}

static uint64_t taps_of(const struct ek_depthwise_shape *s)
{
	return (uint64_t)s->window.y.taps * s->window.x.taps;
}

static uint64_t rows_of(const struct ek_depthwise_shape *s)
{
	return (uint64_t)s->window.batch * s->window.y.out * s->window.x.out;
}

static const struct ek_depthwise_q_row *pick(unsigned int type, uint64_t features)
{
	switch (type) {
	case DTYPE_INT8:
		return OP_PICK(ek_depthwise_s8, features);
	case DTYPE_UINT8:
		return OP_PICK(ek_depthwise_u8, features);
	default:
		return OP_PICK(ek_depthwise_s16, features);
	}
}

/* Weights as a kernel can read them, of @packed_bytes where it packs them. */
static int weights_prepare(struct op_setup *setup, struct depthwise_state *state,
	uint64_t packed_bytes, struct error *err)
{
	uint64_t elements = taps_of(&state->shape) * state->shape.out_c;
	return conv_weights_prepare(setup, elements, packed_bytes, &state->weights, err);
}

static void pack_q(const void *data)
{
	const struct depthwise_state *state = data;
	struct ek_depthwise_q args = state->q;
	args.weights = state->weights.source;
	state->row_q->pack(&args, state->weights.packed);
}

static int prepare_q(struct op_setup *setup, struct depthwise_state *state, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *w = op_tensor_in(setup, 1);
	const struct tensor *out = op_tensor_out(setup, 0);
	struct ek_depthwise_q *a = &state->q;
	a->shape = state->shape;
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
	state->row_q = pick(in->type, conv_prepare_features(setup, rows_of(&a->shape)));
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_q->scratch_bytes(&a->shape));
	setup->detail = state->row_q->variant.name;
	int r = quant_params_activation_range(
		setup->node->options.conv.activation, out, &a->lo, &a->hi, err);
	r = r < 0 ? r : conv_prepare_scales(setup, a->shape.out_c, &a->scale, err);
	r = r < 0 ? r : weights_prepare(setup, state, state->row_q->packed_bytes(&a->shape), err);
	if (r == 0) {
		a->bias32 = op_constant(setup, 2);
		conv_weights_pack(setup, &state->weights, pack_q, state);
	}
	return r;
}

static int prepare_f32(struct op_setup *setup, struct depthwise_state *state, struct error *err)
{
	struct ek_depthwise_f32 *a = &state->f32;
	a->shape = state->shape;
	state->row_f32 = OP_PICK(ek_depthwise_f32, setup->cpu_features);
	state->threads = setup->threads;
	state->scratch_each = op_scratch_each(setup, state->row_f32->scratch_bytes(&a->shape));
	setup->detail = state->row_f32->variant.name;
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	return r < 0 ? r : weights_prepare(setup, state, 0, err);
}

/* Rows are batch entries, always asymmetric. */
static int prepare_h(struct op_setup *setup, struct depthwise_state *state, struct error *err)
{
	struct ek_depthwise_h *a = &state->h;
	const struct ek_window *w = &state->shape.window;
	a->shape = state->shape;
	state->row_h = OP_PICK(ek_depthwise_h8, setup->cpu_features);
	setup->detail = state->row_h->variant.name;
	state->hybrid =
		hybrid_prepare(setup, w->batch, (uint64_t)w->y.in * w->x.in * a->shape.in_c, true);
	int r = quant_params_activation_range_float(
		setup->node->options.conv.activation, &a->lo, &a->hi, err);
	r = r < 0 ? r : hybrid_scales(setup, a->shape.out_c, &a->scale, err);
	return r < 0 ? r : weights_prepare(setup, state, 0, err);
}

static int depthwise_prepare(struct op_setup *setup, struct error *err)
{
	struct depthwise_state *state = setup->state;
	state->shape = shape_of(setup);
	return conv_prepare_is_hybrid(setup)                    ? prepare_h(setup, state, err)
		: op_tensor_in(setup, 0)->type == DTYPE_FLOAT32 ? prepare_f32(setup, state, err)
								: prepare_q(setup, state, err);
}

static void tile_q(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct depthwise_state *state = args;
	state->row_q->run(&state->q, tile, scratch);
}

static void tile_f32(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct depthwise_state *state = args;
	state->row_f32->run(&state->f32, tile, scratch);
}

static void tile_h(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct depthwise_state *state = args;
	state->row_h->run(&state->h, tile);
}

/* The operands of this run in a copy of the prepared arguments. */
static void bind_q(const struct op_call *call, const void *weights, struct ek_depthwise_q *a)
{
	struct conv_bias bias = conv_bias_bind(call);
	a->input = op_in(call, 0)->data;
	a->weights = weights;
	a->bias32 = bias.b32;
	a->bias64 = bias.b64;
	a->output = op_out(call, 0)->data;
}

static int bind_h(const struct op_call *call, const struct hybrid *hybrid, const void *weights,
	struct ek_depthwise_h *a, struct error *err)
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

static int bind(const struct op_call *call, struct depthwise_state *state, struct error *err)
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

/* Products between two looks at the clock where kernels are slow: about a millisecond where a tap has one
 * channel. */
#define LOOK_WORK (PLAIN_LOOK_WORK / 4)

/* Float instructions of a product, with what finishes a sum of one tap. */
#define FLOAT_STEPS 2

/* Fewer than vectors have lanes. */
#define FEW_CHANNELS 16
#define LARGE_WINDOW 64 /* taps */
#define WIDE_STEP 8
#define WIDE_PICTURE 4096

static bool axis_is_wide(const struct ek_window_axis *a)
{
	return a->dilation > WIDE_STEP || a->stride > WIDE_STEP || a->in > WIDE_PICTURE;
}

/* Shapes that some vector kernels leave to plain C, or take channel by channel. */
static bool is_slow(const struct ek_depthwise_shape *s)
{
	return s->in_c != s->out_c || taps_of(s) > LARGE_WINDOW || axis_is_wide(&s->window.y) ||
		axis_is_wide(&s->window.x);
}

/* A tap of few channels takes integer kernels as long as one of a single channel. */
static uint64_t look_work(const struct depthwise_state *state)
{
	const struct ek_variant *kernel = state->row_q ? &state->row_q->variant
		: state->row_h                         ? &state->row_h->variant
						       : &state->row_f32->variant;
	if (is_slow(&state->shape) || !kernel->needs) {
		return state->row_q ? LOOK_WORK : DENORMAL_LOOK_WORK / FLOAT_STEPS;
	}
	if (state->shape.out_c >= FEW_CHANNELS) {
		return 0;
	}
	return state->row_q ? LOOK_WORK * state->shape.out_c : DENORMAL_LOOK_WORK;
}

static int depthwise_run(const struct op_call *call, struct error *err)
{
	struct depthwise_state state = *(const struct depthwise_state *)call->state;
	const struct ek_depthwise_shape *s = &state.shape;
	int r = bind(call, &state, err);
	if (r < 0) {
		return r;
	}
	const struct tile_grid_job job = {
		.rows = rows_of(s),
		.cols = s->out_c,
		.work = taps_of(s),
		.row_step = s->window.x.out,
		.col_step = state.row_q ? state.row_q->col_step
			: state.row_h   ? state.row_h->col_step
					: state.row_f32->col_step,
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

static bool depthwise_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret)
{
	const struct depthwise_state *state = setup->state;
	const struct ek_depthwise_shape *s = &state->shape;
	const uint64_t element = dtype_bits(op_tensor_in(setup, 0)->type) / 8;
	if (operand != 0 || state->row_h || state->weights.n_unpacked > 0 || s->window.batch != 1) {
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

static void depthwise_run_rows(const struct op_call *call, const struct row_fusion_rows *rows)
{
	struct depthwise_state state = *(const struct depthwise_state *)call->state;
	const uint32_t width = state.shape.window.x.out;
	const struct ek_tile tile = {rows->first * width, rows->n * width, 0, state.shape.out_c};
	const void *weights = conv_weights_bind(call, &state.weights);
	if (state.row_q) {
		bind_q(call, weights, &state.q);
		state.q.input = rows->input;
		state.q.output = rows->output;
		state.row_q->run(&state.q, &tile, rows->scratch);
		return;
	}
	state.f32.input = rows->input;
	state.f32.weights = weights;
	state.f32.bias = op_in(call, 2) ? op_in(call, 2)->data : NULL;
	state.f32.output = rows->output;
	state.row_f32->run(&state.f32, &tile, rows->scratch);
}

const struct cpu_op op_depthwise_conv_2d = {
	.op = OP_DEPTHWISE_CONV_2D,
	.accept = depthwise_accept,
	.state_bytes = sizeof(struct depthwise_state),
	.prepare = depthwise_prepare,
	.run = depthwise_run,
	.row_shape = depthwise_row_shape,
	.run_rows = depthwise_run_rows,
};
