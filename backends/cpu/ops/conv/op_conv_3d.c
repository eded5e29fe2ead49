/* SPDX-License-Identifier: Apache-2.0 */
/* CONV_3D. Source: tflite kernels/conv3d.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/conv/conv3d.h"

static int conv_prepare(struct op_setup *setup, struct error *err)
{
	struct ek_conv3d *a = setup->state;
	const struct options_conv_3d *o = &setup->node->options.conv_3d;
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	const int32_t *out = op_shape_out(setup, 0)->dim;
	a->batch = (uint32_t)in->dim[0];
	a->axis[0] = conv_prepare_axis(in->dim[1], out[1], w->dim[0], o->stride_d, o->dilation_d);
	a->axis[1] = conv_prepare_axis(in->dim[2], out[2], w->dim[1], o->stride_h, o->dilation_h);
	a->axis[2] = conv_prepare_axis(in->dim[3], out[3], w->dim[2], o->stride_w, o->dilation_w);
	a->in_c = (uint32_t)in->dim[4];
	a->out_c = (uint32_t)w->dim[4];
	return quant_params_activation_range_float(o->activation, &a->lo, &a->hi, err);
}

static void conv_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	ek_conv3d_f32(args, tile);
}

static int conv_run(const struct op_call *call, struct error *err)
{
	struct ek_conv3d a = *(const struct ek_conv3d *)call->state;
	const struct value *bias = op_in(call, 2);
	a.input = op_in(call, 0)->data;
	a.weights = op_in(call, 1)->data;
	a.bias = bias ? bias->data : NULL;
	a.output = op_out(call, 0)->data;
	const struct tile_grid_job job = {
		.rows = (uint64_t)a.batch * a.axis[0].out * a.axis[1].out * a.axis[2].out,
		.cols = a.out_c,
		.work = (uint64_t)a.axis[0].taps * a.axis[1].taps * a.axis[2].taps * a.in_c,
		.col_step = 1,
		.look_work = DENORMAL_LOOK_WORK,
		.run = conv_tile,
		.args = &a,
	};
	return tile_grid_run(call, &job, err);
}

const struct cpu_op op_conv_3d = {.op = OP_CONV_3D,
	.types = ACCEPT(FLOAT32),
	.state_bytes = sizeof(struct ek_conv3d),
	.prepare = conv_prepare,
	.run = conv_run};
