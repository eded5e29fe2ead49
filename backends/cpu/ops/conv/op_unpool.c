/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPoolingWithArgmax2D, MaxUnpooling2D and Convolution2DTransposeBias. */
#include <errno.h>
#include <string.h>

#include "backends/cpu/conv.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tiles.h"
#include "kernels/unpool.h"

static int argmax_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_pool *o = &setup->node->options.pool;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_argmax_pool *p = setup->state = op_alloc(setup, sizeof(*p));
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	p->window = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = conv_axis(in->dim[1], out->dim[1], o->filter_h, o->stride_h, 1),
		.x = conv_axis(in->dim[2], out->dim[2], o->filter_w, o->stride_w, 1),
	};
	p->depth = (uint32_t)in->dim[3];
	return quant_activation_range_float(o->activation, &p->lo, &p->hi, err);
}

static int argmax_run(const struct op_call *call, struct error *err)
{
	struct ek_argmax_pool p = *(const struct ek_argmax_pool *)call->state;
	const struct tensor *places = &call->subgraph->tensors[call->node->outputs[1]];
	uint64_t row = (uint64_t)p.window.x.out * p.depth * p.window.y.taps * p.window.x.taps;
	struct tiles t = {.total = (uint64_t)p.window.batch * p.window.y.out,
		.control = call->control,
		.each = tiles_rows(row)};
	p.src = op_in(call, 0)->data;
	p.dst = op_out(call, 0)->data;
	if (places->type == DTYPE_FLOAT32) {
		p.in_window = op_out(call, 1)->data;
	} else {
		p.in_picture = op_out(call, 1)->data;
	}
	while (tiles_next(&t)) {
		ek_argmax_pool(&p, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return tiles_end(&t, err);
}

/* The window that pooled the output of this node to its input. */
static int unpool_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_pool *o = &setup->node->options.pool;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_window *w = setup->state = op_alloc(setup, sizeof(*w));
	if (!w) {
		return op_alloc_failed(setup, err);
	}
	*w = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = conv_axis(out->dim[1], in->dim[1], o->filter_h, o->stride_h, 1),
		.x = conv_axis(out->dim[2], in->dim[2], o->filter_w, o->stride_w, 1),
	};
	return 0;
}

/* Places are counted within one picture of @picture elements. */
static int unpool_picture(float *dst, const float *src, const int32_t *places, size_t n,
	size_t picture, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i] < 0 || (size_t)places[i] >= picture) {
			return error_set(err, -EINVAL,
				"input 1 (places): element %zu is %d, must be below %zu", i,
				(int)places[i], picture);
		}
	}
	for (size_t i = 0; i < n; i++) {
		dst[places[i]] = src[i];
	}
	return 0;
}

static int unpool_run(const struct op_call *call, struct error *err)
{
	const struct ek_window *w = call->state;
	const struct value *in = op_in(call, 0), *places = op_in(call, 1), *out = op_out(call, 0);
	bool in_window = call->subgraph->tensors[call->node->inputs[1]].type == DTYPE_FLOAT32;
	size_t n = (size_t)op_product(&in->shape, 1, 4);
	size_t picture = (size_t)op_product(&out->shape, 1, 4);
	float *dst = out->data;
	const float *src = in->data;
	memset(dst, 0, w->batch * picture * sizeof(*dst));
	for (size_t b = 0; b < w->batch; b++) {
		int r = run_control_check(call->control);
		if (r < 0) {
			return error_set(err, r, "given up in the middle of the operator");
		}
		if (in_window) {
			ek_unpool_window(dst + b * picture, src + b * n,
				(const float *)places->data + b * n, w, (size_t)in->shape.dim[3]);
			continue;
		}
		r = unpool_picture(dst + b * picture, src + b * n,
			(const int32_t *)places->data + b * n, n, picture, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* @out = stride * (in - 1) + taps less what is left out on both sides. */
static struct ek_window_axis spread_axis(int32_t in, int32_t out, int32_t taps, int32_t stride)
{
	int64_t left_out = (int64_t)stride * (in - 1) + taps - out;
	return (struct ek_window_axis){.in = (uint32_t)in,
		.out = (uint32_t)out,
		.taps = (uint32_t)taps,
		.stride = (uint32_t)stride,
		.dilation = 1,
		.pad = (uint32_t)(left_out / 2)};
}

static int spread_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_conv *o = &setup->node->options.conv;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	const struct shape *weights = op_shape_in(setup, 1);
	struct ek_spread *s = setup->state = op_alloc(setup, sizeof(*s));
	if (!s) {
		return op_alloc_failed(setup, err);
	}
	s->window = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = spread_axis(in->dim[1], out->dim[1], weights->dim[1], o->stride_h),
		.x = spread_axis(in->dim[2], out->dim[2], weights->dim[2], o->stride_w),
	};
	s->in_depth = (uint32_t)in->dim[3];
	s->out_depth = (uint32_t)out->dim[3];
	return 0;
}

static int spread_run(const struct op_call *call, struct error *err)
{
	struct ek_spread s = *(const struct ek_spread *)call->state;
	const struct ek_window *w = &s.window;
	uint64_t row = (uint64_t)w->x.out * s.out_depth * s.in_depth * w->y.taps * w->x.taps;
	struct tiles t = {.total = (uint64_t)w->batch * w->y.out,
		.control = call->control,
		.each = tiles_rows(row)};
	s.src = op_in(call, 0)->data;
	s.weights = op_in(call, 1)->data;
	s.bias = op_in(call, 2)->data;
	s.dst = op_out(call, 0)->data;
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			ek_spread_row(&s, (size_t)i);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_max_pooling_with_argmax_2d = {
	.op = OP_MAX_POOLING_WITH_ARGMAX_2D, .prepare = argmax_prepare, .run = argmax_run};
const struct cpu_op op_max_unpooling_2d = {
	.op = OP_MAX_UNPOOLING_2D, .prepare = unpool_prepare, .run = unpool_run};
const struct cpu_op op_convolution_2d_transpose_bias = {
	.op = OP_CONVOLUTION_2D_TRANSPOSE_BIAS, .prepare = spread_prepare, .run = spread_run};
