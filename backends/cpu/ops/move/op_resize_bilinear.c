/* SPDX-License-Identifier: Apache-2.0 */
/* RESIZE_BILINEAR. Source: tflite reference/resize_bilinear.h (ComputeInterpolationValues and
 * ComputeInterpolationValuesInteger). */
#include <math.h>
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/move/resize.h"

struct resize_state {
	ek_resize_fn *run;
	uint32_t element_bytes;
	struct ek_resize_point *x, *y; /* per column and per row of the result */
	uint64_t in_h, in_w, out_h, out_w, channels;
};

/* Pixels with more channels are made in parts, from copies: kernels take whole ones. */
#define MAX_CHANNELS TILE_ROW

static int32_t at_most(int32_t v, int32_t limit)
{
	return v < limit ? v : limit;
}

/* Both ends stay inside, also where the rounded scale of a large result leads beyond. */
static void points_fixed(const struct options_resize *o, int32_t in, int32_t out,
	const struct tiles *t, struct ek_resize_point *points)
{
	bool corners = o->align_corners && out > 1;
	int32_t span = corners ? out - 1 : out;
	int64_t scale = (((int64_t)(corners ? in - 1 : in) << 10) + span / 2) / span;
	for (int32_t i = (int32_t)t->at; i < (int32_t)(t->at + t->count); i++) {
		int64_t at = i * scale + (o->half_pixel_centers ? scale / 2 - (1 << 9) : 0);
		int64_t low = at / 1024 > 0 ? at / 1024 : 0, high = (at + 1023) / 1024;
		points[i].x0 = (int32_t)(low < in - 1 ? low : in - 1);
		points[i].x1 = (int32_t)(high < in - 1 ? high : in - 1);
		points[i].weight.fixed = (int32_t)(at - 1024 * low);
	}
}

static void points_real(const struct options_resize *o, int32_t in, int32_t out,
	const struct tiles *t, struct ek_resize_point *points)
{
	bool corners = o->align_corners && out > 1;
	float scale = corners ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
	for (int32_t i = (int32_t)t->at; i < (int32_t)(t->at + t->count); i++) {
		float at =
			o->half_pixel_centers ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale;
		int32_t low = at_most((int32_t)floorf(at), in - 1);
		points[i].x0 = low > 0 ? low : 0;
		points[i].x1 = at_most((int32_t)ceilf(at), in - 1);
		points[i].weight.real = at - (float)points[i].x0;
	}
}

/* Of one side. */
static int fill_points(
	const struct op_setup *setup, int32_t in, int32_t out, struct ek_resize_point *points)
{
	const struct options_resize *o = &setup->node->options.resize;
	const unsigned int type = op_tensor_in(setup, 0)->type;
	struct tiles t = {.total = (uint64_t)out, .control = setup->control};
	while (tiles_next(&t)) {
		if (type == DTYPE_INT8 || type == DTYPE_INT16) {
			points_fixed(o, in, out, &t, points);
		} else {
			points_real(o, in, out, &t, points);
		}
	}
	return t.result;
}

static const struct ek_resize *pick(const struct op_setup *setup)
{
	uint64_t mask = setup->cpu_features;
	switch (op_tensor_in(setup, 0)->type) {
	case DTYPE_INT8:
		return OP_PICK(ek_resize_s8, mask);
	case DTYPE_UINT8:
		return OP_PICK(ek_resize_u8, mask);
	case DTYPE_INT16:
		return OP_PICK(ek_resize_s16, mask);
	default:
		return OP_PICK(ek_resize_f32, mask);
	}
}

static int resize_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	if (in->dim[1] < 1 || in->dim[2] < 1 || out->dim[1] < 1 || out->dim[2] < 1) {
		return error_set(err, -EINVAL, "a side of 0");
	}
	struct resize_state *state = setup->state = op_alloc(setup, sizeof(*state));
	size_t point = sizeof(struct ek_resize_point);
	struct ek_resize_point *y = op_alloc(setup, (uint64_t)out->dim[1] * point);
	struct ek_resize_point *x = op_alloc(setup, (uint64_t)out->dim[2] * point);
	if (!state || !y || !x) {
		return op_alloc_failed(setup, err);
	}
	int r = fill_points(setup, in->dim[1], out->dim[1], y);
	r = r < 0 ? r : fill_points(setup, in->dim[2], out->dim[2], x);
	if (r < 0) {
		return tiles_result(r, err);
	}
	if ((uint64_t)in->dim[3] > MAX_CHANNELS) { /* of four pixels a part */
		op_scratch(setup, 4 * TILE_ELEMENTS * sizeof(float));
	}
	const struct ek_resize *kernel = pick(setup);
	setup->detail = kernel->variant.name;
	*state = (struct resize_state){
		.run = kernel->run,
		.element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_in(setup, 0)),
		.x = x,
		.y = y,
		.in_h = (uint64_t)in->dim[1],
		.in_w = (uint64_t)in->dim[2],
		.out_h = (uint64_t)out->dim[1],
		.out_w = (uint64_t)out->dim[2],
		.channels = (uint64_t)in->dim[3],
	};
	return 0;
}

/* Pixels [first, first + n) of row @row of the result. */
static void run_pixels(const struct resize_state *s, char *dst, const char *src, uint64_t row,
	uint64_t first, uint64_t n)
{
	uint64_t pixel = s->channels * s->element_bytes, in_row = s->in_w * pixel;
	const struct ek_resize_point *y = &s->y[row % s->out_h];
	const char *image = src + row / s->out_h * s->in_h * in_row;
	s->run(dst + (row * s->out_w + first) * pixel, image + (uint64_t)y->x0 * in_row,
		image + (uint64_t)y->x1 * in_row, n, s->channels, s->x + first, y);
}

/* Channels [first, first + n) of pixel @at of the result, of all rows. @scratch: 4 n elements. */
static void run_channels(const struct resize_state *s, char *dst, const char *src, uint64_t at,
	uint64_t first, uint64_t n, char *scratch)
{
	const uint64_t row = at / s->out_w, pixel = s->channels * s->element_bytes;
	const uint64_t bytes = n * s->element_bytes, skip = first * s->element_bytes;
	const struct ek_resize_point *y = &s->y[row % s->out_h], *x = &s->x[at % s->out_w];
	const char *image = src + row / s->out_h * s->in_h * s->in_w * pixel + skip;
	const int32_t rows[] = {y->x0, y->x1}, columns[] = {x->x0, x->x1};
	for (uint64_t i = 0; i < 4; i++) {
		memcpy(scratch + i * bytes,
			image +
				((uint64_t)rows[i / 2] * s->in_w + (uint64_t)columns[i % 2]) *
					pixel,
			(size_t)bytes);
	}
	const struct ek_resize_point between = {.x0 = 0, .x1 = 1, .weight = x->weight};
	s->run(dst + at * pixel + skip, scratch, scratch + 2 * bytes, 1, n, &between, y);
}

static int run_many_channels(const struct op_call *call, uint64_t pixels, struct error *err)
{
	const struct resize_state *s = call->state;
	struct tiles t = {.total = pixels * s->channels, .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			n = tiles_run(at, end, s->channels);
			run_channels(s, op_out(call, 0)->data, op_in(call, 0)->data,
				at / s->channels, at % s->channels, n, call->scratch);
		}
	}
	return tiles_end(&t, err);
}

static int resize_run(const struct op_call *call, struct error *err)
{
	const struct resize_state *s = call->state;
	const struct value *out = op_out(call, 0);
	const char *src = op_in(call, 0)->data;
	uint64_t rows = (uint64_t)out->shape.dim[0] * s->out_h;
	struct tiles t = {.total = s->channels ? rows * s->out_w : 0,
		.control = call->control,
		.each = tiles_rows(s->channels)};
	if (s->channels > MAX_CHANNELS) {
		return run_many_channels(call, t.total, err);
	}
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			n = tiles_run(at, end, s->out_w);
			run_pixels(s, out->data, src, at / s->out_w, at % s->out_w, n);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_resize_bilinear = {.op = OP_RESIZE_BILINEAR,
	.types = ACCEPT_QUANTISED | ACCEPT(FLOAT32),
	.prepare = resize_prepare,
	.run = resize_run};
