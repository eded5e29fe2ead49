/* SPDX-License-Identifier: Apache-2.0 */
/* RESIZE_NEAREST_NEIGHBOR. Source: tflite reference/resize_nearest_neighbor.h
 * (GetNearestNeighbor). */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/move/strided_copy.h"

struct nearest_state {
	int32_t *x, *y; /* per column and per row of the result: where it comes from */
	uint64_t in_h, in_w, out_h, out_w;
	size_t pixel_bytes;
};

/* In float, with the reference's roundings: which element of @in is nearest to element i of @out. */
static int fill_points(const struct op_setup *setup, int32_t in, int32_t out, int32_t *points)
{
	const struct options_resize *o = &setup->node->options.resize;
	struct tiles t = {.total = (uint64_t)out, .control = setup->control};
	bool corners = o->align_corners && out > 1;
	float scale = corners ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
	float offset = o->half_pixel_centers ? 0.5f : 0.0f;
	while (tiles_next(&t)) {
		for (int32_t i = (int32_t)t.at; i < (int32_t)(t.at + t.count); i++) {
			float at = ((float)i + offset) * scale;
			int32_t nearest = (int32_t)(o->align_corners ? roundf(at) : floorf(at));
			points[i] = nearest < in - 1 ? nearest : in - 1;
		}
	}
	return t.result;
}

static int nearest_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct nearest_state *s = setup->state;
	s->in_h = (uint64_t)in->dim[1];
	s->in_w = (uint64_t)in->dim[2];
	s->out_h = (uint64_t)out->dim[1];
	s->out_w = (uint64_t)out->dim[2];
	s->pixel_bytes = (size_t)in->dim[3] * op_accept_element_bytes(op_tensor_in(setup, 0));
	s->y = op_alloc(setup, s->out_h * sizeof(*s->y));
	s->x = op_alloc(setup, s->out_w * sizeof(*s->x));
	if (!s->y || !s->x) {
		return op_alloc_failed(setup, err);
	}
	int r = fill_points(setup, in->dim[1], out->dim[1], s->y);
	r = r < 0 ? r : fill_points(setup, in->dim[2], out->dim[2], s->x);
	return tiles_result(r, err);
}

static int nearest_run(const struct op_call *call, struct error *err)
{
	const struct nearest_state *s = call->state;
	const struct value *out = op_out(call, 0);
	const char *src = op_in(call, 0)->data;
	uint64_t rows = (uint64_t)out->shape.dim[0] * s->out_h;
	struct tiles t = {.total = rows * s->out_w,
		.control = call->control,
		.each = tiles_rows(s->pixel_bytes)};
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; t.result == 0 && at < end;
			at += n) {
			uint64_t row = at / s->out_w, x = at % s->out_w;
			uint64_t y = row / s->out_h * s->in_h + (uint64_t)s->y[row % s->out_h];
			char *to = (char *)out->data + at * s->pixel_bytes;
			const char *from = src + y * s->in_w * s->pixel_bytes;
			n = tiles_run(at, end, s->out_w);
			if (n == 1) {
				t.result = tiles_copy(to, from + (uint64_t)s->x[x] * s->pixel_bytes,
					s->pixel_bytes, call->control);
			} else {
				ek_strided_copy_pick(to, from, s->pixel_bytes, s->x + x, n);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_resize_nearest_neighbor = {.op = OP_RESIZE_NEAREST_NEIGHBOR,
	.params = 1u << 1,
	.types = ACCEPT_FIXED,
	.state_bytes = sizeof(struct nearest_state),
	.prepare = nearest_prepare,
	.run = nearest_run};
