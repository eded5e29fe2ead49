/* SPDX-License-Identifier: Apache-2.0 */
/* PAD, PADV2, DILATE, STABLEHLO_PAD, MIRROR_PAD. Source: tflite kernels/pad.cc, dilate.cc,
 * mirror_pad.cc; StableHLO specification, "pad". */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/copies.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/params.h"

/* PAD fills with the zero point of the result, PADV2 with its operand. */
static void set_fill(const struct op_setup *setup, struct copies *p)
{
	const struct tensor *out = op_tensor_out(setup, 0);
	p->fill = COPIES_FILL_CODE;
	if (setup->node->op == OP_PADV2) {
		p->fill = COPIES_FILL_INPUT;
		p->fill_input = 2;
	} else if (ACCEPT_QUANTISED >> out->type & 1) {
		int64_t zero = quant_zero(&out->quant, 0);
		memcpy(p->code, &zero, p->element_bytes);
	}
}

static int pad_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	struct params paddings;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &paddings, err);
	if (r < 0) {
		return r;
	}
	set_fill(setup, p);
	struct copy copy = copies_one(p, in, in, op_shape_out(setup, 0));
	for (uint32_t i = 0; i < in->rank; i++) {
		copy.dst += (ptrdiff_t)paddings.value[2 * i] * copy.walk.dst_step[i];
	}
	copies_add(p, copy);
	return 0;
}

static int dilate_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	struct params factors;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &factors, err);
	if (r < 0) {
		return r;
	}
	p->fill = COPIES_FILL_INPUT;
	p->fill_input = 2;
	struct copy copy = copies_one(p, in, in, op_shape_out(setup, 0));
	for (uint32_t i = 0; i < in->rank; i++) {
		copy.walk.dst_step[i] =
			copies_stretch(copy.walk.dst_step[i], factors.value[i], copy.walk.size[i]);
	}
	copies_add(p, copy);
	return 0;
}

/* Elements first .. first + size - 1 of @n stay: those that come to lie in 0 .. @out - 1, element k
 * at @low + k * @step. */
static void kept(
	int64_t low, int64_t step, int64_t n, int64_t out, int64_t *ret_first, size_t *ret_size)
{
	int64_t first = low < 0 ? (-low + step - 1) / step : 0;
	int64_t last = out - 1 < low ? -1 : (out - 1 - low) / step;
	last = last < n - 1 ? last : n - 1;
	*ret_first = first;
	*ret_size = last < first ? 0 : (size_t)(last - first + 1);
}

static int hlo_pad_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_hlo_pad *o = &setup->node->options.hlo_pad;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	p->fill = COPIES_FILL_INPUT;
	p->fill_input = 1;
	struct copy copy = copies_one(p, in, in, out);
	for (uint32_t i = 0; i < in->rank; i++) {
		int64_t low = options_list_get(&o->low, i), first = 0;
		int64_t step = options_list_get(&o->interior, i) + 1;
		size_t *size = &copy.walk.size[i];
		kept(low, step, in->dim[i], out->dim[i], &first, size);
		if (*size) {
			copy.src += (ptrdiff_t)first * copy.walk.src_step[i];
			copy.dst += (ptrdiff_t)(low + first * step) * copy.walk.dst_step[i];
		}
		copy.walk.dst_step[i] = copies_stretch(copy.walk.dst_step[i], step, *size);
	}
	copies_add(p, copy);
	return 0;
}

/* One side of dimension @i of the result: @count elements going outwards from @edge (which is
 * inside), mirrored from those going inwards from @first. */
static struct copy mirror_piece(
	struct copy part, uint32_t i, ptrdiff_t edge, ptrdiff_t first, int outwards, int64_t count)
{
	ptrdiff_t step = part.walk.dst_step[i];
	part.walk.size[i] = (size_t)count;
	part.dst += (edge + outwards) * step;
	part.src += first * step;
	part.walk.dst_step[i] = outwards * step;
	part.walk.src_step[i] = -outwards * step;
	return part;
}

/*
 * The input into the middle, then dimension after dimension, the innermost first: both sides are
 * mirrored from what is there, for all of the dimensions that are done and the middle of those that
 * are not.
 */
static void mirror_plan(
	struct copies *p, const struct shape *in, const struct params *paddings, int reflect)
{
	struct copy middle = copies_one(p, in, in, &p->shape), part;
	for (uint32_t i = 0; i < in->rank; i++) {
		middle.dst += (ptrdiff_t)paddings->value[2 * i] * middle.walk.dst_step[i];
	}
	copies_add(p, middle);
	part = middle;
	part.from = COPIES_FROM_RESULT;
	part.src = part.dst;
	for (uint32_t i = 0; i < in->rank; i++) {
		part.walk.src_step[i] = part.walk.dst_step[i];
	}
	for (uint32_t i = in->rank; i-- > 0;) {
		int64_t before = paddings->value[2 * i], after = paddings->value[2 * i + 1];
		ptrdiff_t last = in->dim[i] - 1, step = part.walk.dst_step[i];
		copies_add(p, mirror_piece(part, i, 0, reflect, -1, before));
		copies_add(p, mirror_piece(part, i, last, last - reflect, 1, after));
		part.dst -= (ptrdiff_t)before * step;
		part.src = part.dst;
		part.walk.size[i] = (size_t)p->shape.dim[i];
	}
}

static int mirror_prepare(struct op_setup *setup, struct error *err)
{
	const struct shape *in = op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1 + 2u * in->rank);
	struct params paddings;
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	int r = params_read(setup, 1, &paddings, err);
	if (r == 0) {
		mirror_plan(p, in, &paddings, setup->node->options.mirror_pad.mode == 0);
	}
	return r;
}

const struct cpu_op op_pad = {.op = OP_PAD,
	.also = OP_ALSO(OP_PADV2),
	.params = 1u << 1,
	.types = ACCEPT_FIXED,
	.prepare = pad_prepare,
	.run = copies_run};
const struct cpu_op op_dilate = {.op = OP_DILATE,
	.params = 1u << 1,
	.types = ACCEPT_FIXED,
	.prepare = dilate_prepare,
	.run = copies_run};
const struct cpu_op op_stablehlo_pad = {.op = OP_STABLEHLO_PAD,
	.types = ACCEPT_FIXED,
	.prepare = hlo_pad_prepare,
	.run = copies_run};
const struct cpu_op op_mirror_pad = {.op = OP_MIRROR_PAD,
	.params = 1u << 1,
	.types = ACCEPT_FIXED,
	.prepare = mirror_prepare,
	.run = copies_run};
