/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/conv/conv_state.h"
#include "kernels/depthwise/depthwise.h"

static int depthwise_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *bias = op_tensor_in(setup, 2);
	if (op_tensor_in(setup, 0)->type == DTYPE_INT16 && bias && bias->type != DTYPE_INT64) {
		return error_set(
			err, -EOPNOTSUPP, "int16 input with %s bias", dtype_name(bias->type));
	}
	return conv_prepare_accept_types(setup, err);
}

static struct ek_conv_shape shape_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	return (struct ek_conv_shape){
		.window = conv_prepare_window(setup),
		.in_c = (uint32_t)in->dim[3],
		.out_c = (uint32_t)w->dim[3],
		.groups = (uint32_t)in->dim[3],
	};
}

static const struct ek_conv_q_row *pick(unsigned int type, uint64_t features)
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
static bool is_slow(const struct ek_conv_shape *s)
{
	return s->in_c != s->out_c || ek_conv_depth(s) > LARGE_WINDOW ||
		axis_is_wide(&s->window.y) || axis_is_wide(&s->window.x);
}

/* A tap of few channels takes integer kernels as long as one of a single channel. */
static uint64_t look_work(const struct conv_state *state)
{
	if (is_slow(&state->shape) || !conv_state_variant(state)->needs) {
		return state->row_q ? LOOK_WORK : DENORMAL_LOOK_WORK / FLOAT_STEPS;
	}
	if (state->shape.out_c >= FEW_CHANNELS) {
		return 0;
	}
	return state->row_q ? LOOK_WORK * state->shape.out_c : DENORMAL_LOOK_WORK;
}

/* Hybrid: rows are always asymmetric. */
static int depthwise_prepare(struct op_setup *setup, struct error *err)
{
	struct conv_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0);
	state->shape = shape_of(setup);
	if (conv_prepare_is_hybrid(setup)) {
		state->row_h = OP_PICK(ek_depthwise_h8, setup->cpu_features);
	} else if (in->type == DTYPE_FLOAT32) {
		state->row_f32 = OP_PICK(ek_depthwise_f32, setup->cpu_features);
	} else {
		state->row_q =
			pick(in->type, conv_prepare_features(setup, conv_state_pixels(state)));
	}
	int r = conv_state_prepare(setup, state, true, err);
	state->job.row_step = state->shape.window.x.out;
	state->job.look_work = look_work(state);
	return r;
}

const struct cpu_op op_depthwise_conv_2d = {
	.op = OP_DEPTHWISE_CONV_2D,
	.accept = depthwise_accept,
	.state_bytes = sizeof(struct conv_state),
	.prepare = depthwise_prepare,
	.run = conv_state_run,
	.row_shape = conv_state_row_shape,
	.run_rows = conv_state_run_rows,
};
