/* SPDX-License-Identifier: Apache-2.0 */
/* TRANSPOSE_CONV and CONV_3D_TRANSPOSE. Source: tflite kernels/transpose_conv.cc,
 * conv3d_transpose.cc. Operands: shape of the output, weights, input, bias. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/conv/transpose_conv.h"

enum {
	WEIGHTS = 1,
	INPUT,
	BIAS
};

/* Columns of a tile: scratch holds a sum for each. */
#define MAX_COLS 1024

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct transpose_state {
	ek_transpose_conv_fn *kernel;
	struct ek_transpose_conv args;
	bool is_hybrid;
	struct hybrid hybrid;
};

static ek_transpose_conv_fn *pick(unsigned int type)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return ek_transpose_conv_f32;
	case DTYPE_INT8:
		return ek_transpose_conv_s8;
	case DTYPE_UINT8:
		return ek_transpose_conv_u8;
	default:
		return ek_transpose_conv_s16;
	}
}

static int transpose_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t types = ACCEPT(FLOAT32);
	types |= setup->node->op == OP_TRANSPOSE_CONV ? ACCEPT_QUANTISED : 0;
	return op_accept_type(op_tensor_in(setup, INPUT), types, err);
}

/* Padding is that of the convolution that leads from the output to the input. */
static struct ek_window_axis axis_of(
	int32_t in, int32_t out, int32_t taps, int32_t stride, int32_t dilation)
{
	struct ek_window_axis back = conv_prepare_axis(out, in, taps, stride, dilation);
	back.in = (uint32_t)in;
	back.out = (uint32_t)out;
	return back;
}

/* Weights [out][height][width][in] */
static void prepare_2d(const struct op_setup *setup, struct ek_transpose_conv *a)
{
	const struct options_conv *o = &setup->node->options.conv;
	const struct shape *in = op_shape_in(setup, INPUT), *w = op_shape_in(setup, WEIGHTS);
	const struct shape *out = op_shape_out(setup, 0);
	a->axis[0] = axis_of(1, 1, 1, 1, 1);
	a->axis[1] = axis_of(in->dim[1], out->dim[1], w->dim[1], o->stride_h, 1);
	a->axis[2] = axis_of(in->dim[2], out->dim[2], w->dim[2], o->stride_w, 1);
	a->in_c = (uint32_t)in->dim[3];
	a->out_c = (uint32_t)w->dim[0];
	a->tap_step = a->in_c;
	a->channel_step = (size_t)w->dim[1] * (size_t)w->dim[2] * a->in_c;
}

/* Weights [depth][height][width][out][in] */
static void prepare_3d(const struct op_setup *setup, struct ek_transpose_conv *a)
{
	const struct options_conv_3d *o = &setup->node->options.conv_3d;
	const struct shape *in = op_shape_in(setup, INPUT), *w = op_shape_in(setup, WEIGHTS);
	const int32_t *out = op_shape_out(setup, 0)->dim;
	a->axis[0] = axis_of(in->dim[1], out[1], w->dim[0], o->stride_d, o->dilation_d);
	a->axis[1] = axis_of(in->dim[2], out[2], w->dim[1], o->stride_h, o->dilation_h);
	a->axis[2] = axis_of(in->dim[3], out[3], w->dim[2], o->stride_w, o->dilation_w);
	a->in_c = (uint32_t)in->dim[4];
	a->out_c = (uint32_t)w->dim[3];
	a->tap_step = (size_t)a->out_c * a->in_c;
	a->channel_step = a->in_c;
}

/* For uint8 the product of the scales is rounded to float, as the reference has it. */
static int prepare_scales(
	struct op_setup *setup, uint32_t channels, struct ek_weighted *q, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, INPUT), *w = op_tensor_in(setup, WEIGHTS);
	struct ek_scale *scales = op_alloc(setup, channels * sizeof(*scales));
	if (!scales) {
		return op_alloc_failed(setup, err);
	}
	float si = quant_params_scale(in, 0), so = quant_params_scale(op_tensor_out(setup, 0), 0);
	for (uint32_t n = 0; n < channels; n++) {
		float sw = quant_params_scale(w, n);
		double product =
			in->type == DTYPE_UINT8 ? (double)(si * sw) : (double)si * (double)sw;
		scales[n] = quant_params_split(product / (double)so);
	}
	q->scale = scales;
	return 0;
}

static int prepare_q(struct op_setup *setup, struct ek_transpose_conv *a, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, INPUT), *w = op_tensor_in(setup, WEIGHTS);
	const struct tensor *out = op_tensor_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	a->q.input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->q.weights_zero = in->type == DTYPE_UINT8 ? (int32_t)quant_zero(&w->quant, 0) : 0;
	a->q.output_zero = (int32_t)quant_zero(&out->quant, 0);
	/* LiteRT's default kernel takes 8 channels at once, and rounds ties up there only. */
	if (in->type == DTYPE_INT8 && setup->graph->beyond_reference) {
		a->q.ties_up = a->out_c / 8 * 8;
	}
	a->q.wide = in->type == DTYPE_INT16 && o->quantized_bias_type != DTYPE_INT32;
	int r = quant_params_activation_range(o->activation, out, &a->q.lo, &a->q.hi, err);
	return r < 0 ? r : prepare_scales(setup, a->out_c, &a->q, err);
}

static bool is_hybrid(const struct op_setup *setup)
{
	return op_tensor_in(setup, INPUT)->type == DTYPE_FLOAT32 &&
		op_tensor_in(setup, WEIGHTS)->type == DTYPE_INT8;
}

/* Rows are batch entries, asymmetric (observed). */
static int prepare_h(struct op_setup *setup, struct transpose_state *state, struct error *err)
{
	struct ek_transpose_conv *a = &state->args;
	uint64_t depth =
		(uint64_t)a->axis[0].in * a->axis[1].in * a->axis[2].in * (uint64_t)a->in_c;
	state->kernel = ek_transpose_conv_h8;
	state->is_hybrid = true;
	state->hybrid = hybrid_prepare(setup, a->batch, depth, true);
	state->hybrid.operand = INPUT;
	return hybrid_scales(setup, a->out_c, &a->scale, err);
}

static int prepare_f32(struct op_setup *setup, struct transpose_state *state, struct error *err)
{
	const struct op_options *o = &setup->node->options;
	struct ek_transpose_conv *a = &state->args;
	int r = quant_params_activation_range_float(
		setup->node->op == OP_TRANSPOSE_CONV ? o->conv.activation : o->conv_3d.activation,
		&a->lo_f32, &a->hi_f32, err);
	return r < 0 || !is_hybrid(setup) ? r : prepare_h(setup, state, err);
}

static int transpose_prepare(struct op_setup *setup, struct error *err)
{
	struct transpose_state *state = setup->state;
	bool flat = setup->node->op == OP_TRANSPOSE_CONV;
	unsigned int type = op_tensor_in(setup, INPUT)->type;
	struct ek_transpose_conv *a = &state->args;
	(flat ? prepare_2d : prepare_3d)(setup, a);
	a->batch = (uint32_t)op_shape_in(setup, INPUT)->dim[0];
	state->kernel = pick(type);
	op_scratch(setup, ek_transpose_conv_scratch(a->out_c < MAX_COLS ? a->out_c : MAX_COLS));
	return type == DTYPE_FLOAT32 ? prepare_f32(setup, state, err) : prepare_q(setup, a, err);
}

static void transpose_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	const struct transpose_state *state = args;
	for (uint32_t done = 0; done < tile->n_cols; done += MAX_COLS) {
		uint32_t left = tile->n_cols - done;
		struct ek_tile part = *tile;
		part.first_col += done;
		part.n_cols = left < MAX_COLS ? left : MAX_COLS;
		state->kernel(&state->args, &part, scratch);
	}
}

/* The operands of this run in a copy of the prepared arguments. */
static void bind(const struct op_call *call, struct ek_transpose_conv *a)
{
	const struct value *bias = op_in(call, BIAS);
	a->input = op_in(call, INPUT)->data;
	a->weights = op_in(call, WEIGHTS)->data;
	a->output = op_out(call, 0)->data;
	switch (bias ? call->subgraph->tensors[call->node->inputs[BIAS]].type : DTYPE_COUNT) {
	case DTYPE_FLOAT32:
		a->bias = bias->data;
		break;
	case DTYPE_INT32:
		a->q.bias32 = bias->data;
		break;
	case DTYPE_INT64:
		a->q.bias64 = bias->data;
		break;
	default:
		break;
	}
}

/* Products of one output: a stride leaves out all taps but one in so many. */
static uint64_t work_of(const struct ek_transpose_conv *a)
{
	uint64_t taps = 1;
	for (uint32_t i = 0; i < 3; i++) {
		taps *= (a->axis[i].taps + a->axis[i].stride - 1) / a->axis[i].stride;
	}
	return taps * a->in_c;
}

static int transpose_run(const struct op_call *call, struct error *err)
{
	struct transpose_state state = *(const struct transpose_state *)call->state;
	const struct ek_transpose_conv *a = &state.args;
	bind(call, &state.args);
	if (state.is_hybrid) {
		struct hybrid_rows rows = {0};
		int r = hybrid_run(call, &state.hybrid, &rows, err);
		if (r < 0) {
			return r;
		}
		state.args.input = rows.codes;
		state.args.rows = rows.rows;
	}
	const struct tile_grid_job job = {
		.rows = (uint64_t)a->batch * a->axis[0].out * a->axis[1].out * a->axis[2].out,
		.cols = a->out_c,
		.work = work_of(a),
		.col_step = 1,
		.look_work = state.kernel == ek_transpose_conv_f32 ? DENORMAL_LOOK_WORK : 0,
		.run = transpose_tile,
		.args = &state,
	};
	return tile_grid_run(call, &job, err);
}

const struct cpu_op op_transpose_conv = {.op = OP_TRANSPOSE_CONV,
	.also = OP_ALSO(OP_CONV_3D_TRANSPOSE),
	.accept = transpose_accept,
	.state_bytes = sizeof(struct transpose_state),
	.prepare = transpose_prepare,
	.run = transpose_run};
