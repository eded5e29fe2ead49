/* SPDX-License-Identifier: Apache-2.0 */
/* SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND. Source: tflite reference/space_to_batch_nd.h,
 * batch_to_space_nd.h. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"

/* Height and width; an input of rank 3 has a width of 1. */
struct side {
	int64_t block, edge; /* edge: padding or crop in front */
	int64_t image, parts; /* elements of the image, and of one of its parts */
	ptrdiff_t image_step, parts_step; /* bytes from one to the next */
};

/*
 * Part (bh, bw) of the images, the rows bh, bh + block, ... and columns bw, ... counted from the
 * edge, is batch entry (bh * width block + bw) * batch + n of the other tensor.
 */
struct space_state {
	bool to_batch;
	uint32_t element_bytes;
	struct side side[2];
	size_t batch, depth;
	ptrdiff_t image_batch_step, parts_batch_step;
	uint8_t zero[16]; /* what padding is filled with */
};

static void plan_sides(struct space_state *s, const struct shape *image, const struct shape *parts,
	const struct params *blocks, const struct params *edges)
{
	ptrdiff_t image_steps[SHAPE_MAX_RANK], parts_steps[SHAPE_MAX_RANK];
	strided_steps(image, s->element_bytes, image_steps);
	strided_steps(parts, s->element_bytes, parts_steps);
	s->batch = (size_t)image->dim[0];
	s->depth = (size_t)image->dim[image->rank - 1];
	s->image_batch_step = image_steps[0];
	s->parts_batch_step = parts_steps[0];
	s->side[1] = (struct side){.block = 1, .image = 1, .parts = 1};
	for (uint32_t i = 0; i < blocks->count; i++) {
		s->side[i] = (struct side){blocks->value[i], edges->value[2 * i], image->dim[i + 1],
			parts->dim[i + 1], image_steps[i + 1], parts_steps[i + 1]};
	}
}

static int space_prepare(struct op_setup *setup, struct error *err)
{
	struct space_state *s = setup->state;
	const struct tensor *out = op_tensor_out(setup, 0);
	struct params blocks, edges;
	s->to_batch = setup->node->op == OP_SPACE_TO_BATCH_ND;
	s->element_bytes = (uint32_t)op_accept_element_bytes(out);
	if (ACCEPT_QUANTISED >> out->type & 1) {
		int64_t zero = quant_zero(&out->quant, 0);
		memcpy(s->zero, &zero, s->element_bytes);
	}
	int r = params_read(setup, 1, &blocks, err);
	r = r < 0 ? r : params_read(setup, 2, &edges, err);
	if (r == 0) {
		const struct shape *in = op_shape_in(setup, 0), *result = op_shape_out(setup, 0);
		plan_sides(
			s, s->to_batch ? in : result, s->to_batch ? result : in, &blocks, &edges);
	}
	return r;
}

/* Elements of part @at of a side: the first and how many lie in the image. */
static int64_t part_first(const struct side *side, int64_t at, size_t *ret_count)
{
	int64_t first = at < side->edge ? (side->edge - at + side->block - 1) / side->block : 0;
	int64_t end = (side->image + side->edge - at + side->block - 1) / side->block;
	end = end < side->parts ? end : side->parts;
	*ret_count = first < end ? (size_t)(end - first) : 0;
	return first;
}

/* One part, of all images of the batch. */
static int copy_part(const struct space_state *s, char *dst, const char *src, uint64_t part,
	const struct run_control *control, struct error *err)
{
	const int64_t at[2] = {(int64_t)part / s->side[1].block, (int64_t)part % s->side[1].block};
	struct ek_strided_copy parts = {.rank = 4, .size = {s->batch, 0, 0, s->depth}};
	ptrdiff_t in_image = 0, in_parts = (ptrdiff_t)(part * s->batch) * s->parts_batch_step;
	parts.dst_step[0] = s->parts_batch_step;
	parts.src_step[0] = s->image_batch_step;
	parts.dst_step[3] = parts.src_step[3] = (ptrdiff_t)s->element_bytes;
	for (uint32_t i = 0; i < 2; i++) {
		const struct side *side = &s->side[i];
		int64_t first = part_first(side, at[i], &parts.size[i + 1]);
		if (parts.size[i + 1] == 0) {
			return 0;
		}
		in_parts += (ptrdiff_t)first * side->parts_step;
		in_image +=
			(ptrdiff_t)(first * side->block + at[i] - side->edge) * side->image_step;
		parts.dst_step[i + 1] = side->parts_step;
		parts.src_step[i + 1] =
			parts.size[i + 1] > 1 ? (ptrdiff_t)side->block * side->image_step : 0;
	}
	if (s->to_batch) {
		ek_strided_copy_simplify(&parts);
		return strided_copy(
			dst + in_parts, src + in_image, s->element_bytes, &parts, control, err);
	}
	struct ek_strided_copy image = parts;
	memcpy(image.dst_step, parts.src_step, sizeof(parts.src_step));
	memcpy(image.src_step, parts.dst_step, sizeof(parts.dst_step));
	ek_strided_copy_simplify(&image);
	return strided_copy(dst + in_image, src + in_parts, s->element_bytes, &image, control, err);
}

static int space_run(const struct op_call *call, struct error *err)
{
	const struct space_state *s = call->state;
	const struct value *in = op_in(call, 0), *out = op_out(call, 0);
	uint64_t n = op_elements(&out->shape);
	if (n == 0) {
		return 0;
	}
	int r = s->to_batch
		? strided_fill(out->data, s->zero, s->element_bytes, n, call->control, err)
		: 0;
	if (r < 0 || op_elements(&in->shape) == 0) {
		return r;
	}
	uint64_t parts = (uint64_t)s->side[0].block * (uint64_t)s->side[1].block;
	struct tiles t = {.total = parts, .control = call->control, .each = tiles_rows(n / parts)};
	while (tiles_next(&t)) {
		for (uint64_t part = t.at; part < t.at + t.count; part++) {
			r = copy_part(s, out->data, in->data, part, call->control, err);
			if (r < 0) {
				return r;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_space_batch = {.op = OP_SPACE_TO_BATCH_ND,
	.also = OP_ALSO(OP_BATCH_TO_SPACE_ND),
	.params = 3u << 1,
	.types = ACCEPT_FIXED,
	.state_bytes = sizeof(struct space_state),
	.prepare = space_prepare,
	.run = space_run};
