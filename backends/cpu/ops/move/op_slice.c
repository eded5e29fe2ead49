/* SPDX-License-Identifier: Apache-2.0 */
/* SLICE, STRIDED_SLICE, REVERSE_V2: one strided copy. Source: tflite kernels/slice.cc,
 * strided_slice.cc, reverse.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/copies.h"
#include "backends/cpu/params.h"
#include "base/slicing.h"

static int slice_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *out = op_shape_out(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	struct params begin;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &begin, err);
	if (r < 0) {
		return r;
	}
	struct copy copy = copies_one(p, out, op_shape_in(setup, 0), out);
	for (uint32_t i = 0; i < out->rank; i++) {
		copy.src += (ptrdiff_t)begin.value[i] * copy.walk.src_step[i];
	}
	copies_add(p, copy);
	return 0;
}

static int read_slicing(const struct op_setup *setup, struct slicing *ret, struct error *err)
{
	struct params p[3];
	for (uint32_t i = 0; i < 3; i++) {
		int r = params_read(setup, i + 1, &p[i], err);
		if (r < 0) {
			return r;
		}
	}
	*ret = op_options_slicing(&setup->node->options.strided_slice, p[0].count);
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
	struct copies *p = copies_new(setup, 0, 1);
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
	struct copy copy = copies_one(p, &taken, in, &taken);
	for (uint32_t i = 0; i < in->rank; i++) {
		copy.src += (ptrdiff_t)ranges[i].start * copy.walk.src_step[i];
		copy.walk.src_step[i] =
			copies_stretch(copy.walk.src_step[i], ranges[i].stride, copy.walk.size[i]);
	}
	copies_add(p, copy);
	return 0;
}

static int reverse_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	struct params axes;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &axes, err);
	struct copy copy = copies_one(p, in, in, in);
	for (uint32_t i = 0; r == 0 && i < axes.count; i++) {
		uint32_t axis = 0;
		r = params_axis(axes.value[i], in->rank, &axis, err);
		if (r == 0) {
			copy.src += (in->dim[axis] - 1) * copy.walk.src_step[axis];
			copy.walk.src_step[axis] = -copy.walk.src_step[axis];
		}
	}
	copies_add(p, copy);
	return r;
}

const struct cpu_op op_slice = {.op = OP_SLICE,
	.params = 1u << 1,
	.types = ACCEPT_FIXED | ACCEPT(STRING),
	.prepare = slice_prepare,
	.run = copies_run};
const struct cpu_op op_strided_slice = {.op = OP_STRIDED_SLICE,
	.params = 7u << 1,
	.types = ACCEPT_FIXED | ACCEPT(STRING),
	.prepare = strided_prepare,
	.run = copies_run};
const struct cpu_op op_reverse_v2 = {.op = OP_REVERSE_V2,
	.params = 1u << 1,
	.types = ACCEPT_FIXED,
	.prepare = reverse_prepare,
	.run = copies_run};
