/* SPDX-License-Identifier: Apache-2.0 */
/* SLICE, STRIDED_SLICE, REVERSE_V2: one strided copy. Source: tflite kernels/slice.cc,
 * strided_slice.cc, reverse.cc. */
#include "backends/cpu/accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/pieces.h"
#include "base/slicing.h"

static int slice_accept(const struct op_setup *setup, struct error *err)
{
	return accept_same(setup, ACCEPT_FIXED | ACCEPT(STRING), err);
}

static int reverse_accept(const struct op_setup *setup, struct error *err)
{
	return accept_same(setup, ACCEPT_FIXED, err);
}

static int slice_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *out = op_shape_out(setup, 0);
	struct pieces *p = pieces_new(setup, 0, 1);
	struct params begin;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &begin, err);
	if (r < 0) {
		return r;
	}
	struct piece piece = pieces_piece(p, out, op_shape_in(setup, 0), out);
	for (uint32_t i = 0; i < out->rank; i++) {
		piece.src += (ptrdiff_t)begin.value[i] * piece.walk.src_step[i];
	}
	pieces_add(p, piece);
	return 0;
}

static int read_slicing(const struct op_setup *setup, struct slicing *ret, struct error *err)
{
	const struct options_strided_slice *o = &setup->node->options.strided_slice;
	struct params p[3];
	for (uint32_t i = 0; i < 3; i++) {
		int r = params_read(setup, i + 1, &p[i], err);
		if (r < 0) {
			return r;
		}
	}
	*ret = (struct slicing){
		.count = p[0].count,
		.begin_mask = (uint32_t)o->begin_mask,
		.end_mask = (uint32_t)o->end_mask,
		.ellipsis_mask = (uint32_t)o->ellipsis_mask,
		.new_axis_mask = (uint32_t)o->new_axis_mask,
		.shrink_axis_mask = (uint32_t)o->shrink_axis_mask,
		.offset = o->offset,
	};
	for (uint32_t i = 0; i < ret->count; i++) {
		ret->begin[i] = p[0].value[i];
		ret->end[i] = p[1].value[i];
		ret->stride[i] = p[2].value[i];
	}
	return 0;
}

static int strided_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct pieces *p = pieces_new(setup, 0, 1);
	struct slicing slicing;
	struct slicing_range ranges[SHAPE_MAX_RANK];
	struct shape taken = *in, result;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = read_slicing(setup, &slicing, err);
	r = r < 0 ? r : slicing_resolve(&slicing, in, ranges, &result, err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < in->rank; i++) {
		taken.dim[i] = ranges[i].size;
	}
	struct piece piece = pieces_piece(p, &taken, in, &taken);
	for (uint32_t i = 0; i < in->rank; i++) {
		piece.src += (ptrdiff_t)ranges[i].start * piece.walk.src_step[i];
		piece.walk.src_step[i] = pieces_stretch(
			piece.walk.src_step[i], ranges[i].stride, piece.walk.size[i]);
	}
	pieces_add(p, piece);
	return 0;
}

static int reverse_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct pieces *p = pieces_new(setup, 0, 1);
	struct params axes;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &axes, err);
	struct piece piece = pieces_piece(p, in, in, in);
	for (uint32_t i = 0; r == 0 && i < axes.count; i++) {
		uint32_t axis = 0;
		r = params_axis(axes.value[i], in->rank, &axis, err);
		if (r == 0) {
			piece.src += (in->dim[axis] - 1) * piece.walk.src_step[axis];
			piece.walk.src_step[axis] = -piece.walk.src_step[axis];
		}
	}
	pieces_add(p, piece);
	return r;
}

const struct cpu_op op_slice = {.op = OP_SLICE,
	.params = 1u << 1,
	.accept = slice_accept,
	.prepare = slice_prepare,
	.run = pieces_run};
const struct cpu_op op_strided_slice = {.op = OP_STRIDED_SLICE,
	.params = 7u << 1,
	.accept = slice_accept,
	.prepare = strided_prepare,
	.run = pieces_run};
const struct cpu_op op_reverse_v2 = {.op = OP_REVERSE_V2,
	.params = 1u << 1,
	.accept = reverse_accept,
	.prepare = reverse_prepare,
	.run = pieces_run};
