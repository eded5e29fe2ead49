/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPoolingWithArgmax2D, MaxUnpooling2D and Convolution2DTransposeBias. */
#include <errno.h>

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/tiles.h"
#include "kernels/pool/unpool.h"

static int argmax_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_pool *o = &setup->node->options.pool;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_argmax_pool *p = setup->state;
	p->window = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = conv_prepare_axis(in->dim[1], out->dim[1], o->filter_h, o->stride_h, 1),
		.x = conv_prepare_axis(in->dim[2], out->dim[2], o->filter_w, o->stride_w, 1),
	};
	p->depth = (uint32_t)in->dim[3];
	return quant_params_activation_range_float(o->activation, &p->lo, &p->hi, err);
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
static void unpool_init(struct op_setup *setup)
{
	const struct options_pool *o = &setup->node->options.pool;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_window *w = setup->state;
	*w = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = conv_prepare_axis(out->dim[1], in->dim[1], o->filter_h, o->stride_h, 1),
		.x = conv_prepare_axis(out->dim[2], in->dim[2], o->filter_w, o->stride_w, 1),
	};
}

struct unpool {
	const struct ek_window *window;
	const struct value *in, *places, *out;
	size_t n, picture; /* elements of one picture of the input, of the output */
	bool in_window; /* places are counted within a window, and not within a picture */
};

/* Elements @first to @end - 1 of picture @b. Whoever wrote the places may write them again. */
static int unpool_elements(
	const struct unpool *u, size_t b, size_t first, size_t end, struct error *err)
{
	float *dst = (float *)u->out->data + b * u->picture;
	const float *src = (const float *)u->in->data + b * u->n;
	const volatile int32_t *places = (const int32_t *)u->places->data + b * u->n;
	if (u->in_window) {
		ek_unpool_window(
			&(struct ek_unpool){dst, src, (const float *)u->places->data + b * u->n,
				u->window, (size_t)u->in->shape.dim[3]},
			first, end);
		return 0;
	}
	for (size_t i = first; i < end; i++) {
		const int32_t place = places[i];
		if (place < 0 || (size_t)place >= u->picture) {
			return error_set(err, -EINVAL,
				"input 1 (places): element %zu is %d, must be below %zu", i,
				(int)place, u->picture);
		}
		dst[place] = src[i];
	}
	return 0;
}

/* A tile may end in another picture than the one in which it begins. */
static int unpool_tile(const struct unpool *u, const struct tiles *t, struct error *err)
{
	uint64_t end = t->at + t->count;
	int r = 0;
	for (uint64_t at = t->at, n = 0; r == 0 && at < end; at += n) {
		size_t first = (size_t)(at % u->n);
		n = tiles_run(at, end, u->n);
		r = unpool_elements(u, (size_t)(at / u->n), first, first + (size_t)n, err);
	}
	return r;
}

static int unpool_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0), *out = op_out(call, 0);
	const struct unpool u = {
		.window = call->state,
		.in = in,
		.places = op_in(call, 1),
		.out = out,
		.n = (size_t)op_gemm(&in->shape, 1, 4),
		.picture = (size_t)op_gemm(&out->shape, 1, 4),
		.in_window = call->subgraph->tensors[call->node->inputs[1]].type == DTYPE_FLOAT32,
	};
	uint64_t batch = u.window->batch;
	struct tiles t = {.total = batch * u.n, .control = call->control};
	int r = tiles_clear(out->data, batch * u.picture * sizeof(float), call->control);
	r = tiles_result(r, err);
	while (r == 0 && tiles_next(&t)) {
		r = unpool_tile(&u, &t, err);
	}
	return r < 0 ? r : tiles_end(&t, err);
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

static void spread_init(struct op_setup *setup)
{
	const struct options_conv *o = &setup->node->options.conv;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	const struct shape *weights = op_shape_in(setup, 1);
	struct ek_spread *s = setup->state;
	s->window = (struct ek_window){
		.batch = (uint32_t)in->dim[0],
		.y = spread_axis(in->dim[1], out->dim[1], weights->dim[1], o->stride_h),
		.x = spread_axis(in->dim[2], out->dim[2], weights->dim[2], o->stride_w),
	};
	s->in_depth = (uint32_t)in->dim[3];
	s->out_depth = (uint32_t)out->dim[3];
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

const struct cpu_op op_max_pooling_with_argmax_2d = {.op = OP_MAX_POOLING_WITH_ARGMAX_2D,
	.state_bytes = sizeof(struct ek_argmax_pool),
	.prepare = argmax_prepare,
	.run = argmax_run};
const struct cpu_op op_max_unpooling_2d = {.op = OP_MAX_UNPOOLING_2D,
	.state_bytes = sizeof(struct ek_window),
	.init = unpool_init,
	.run = unpool_run};
const struct cpu_op op_convolution_2d_transpose_bias = {.op = OP_CONVOLUTION_2D_TRANSPOSE_BIAS,
	.state_bytes = sizeof(struct ek_spread),
	.init = spread_init,
	.run = spread_run};
