/* SPDX-License-Identifier: Apache-2.0 */
/* DEPTH_TO_SPACE and SPACE_TO_DEPTH. Source: tflite kernels/depth_to_space.cc, space_to_depth.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/copies.h"

/*
 * Walks an image of batch, height / block, block, width / block, block, depth; the other tensor has
 * both blocks behind height and width.
 */
static struct copy block_piece(
	const struct copies *p, const struct shape *image, int32_t block, bool to_image)
{
	const int32_t rows = image->dim[1] / block, columns = image->dim[2] / block;
	const int32_t depth = image->dim[3];
	const struct shape apart = {
		.rank = 6, .dim = {image->dim[0], rows, block, columns, block, depth}};
	const struct shape together = {
		.rank = 6, .dim = {image->dim[0], rows, columns, block, block, depth}};
	struct copy a = copies_one(p, &apart, &together, &apart);
	ptrdiff_t columns_step = a.walk.src_step[2];
	a.walk.src_step[2] = a.walk.src_step[3];
	a.walk.src_step[3] = columns_step;
	if (!to_image) {
		struct ek_strided_copy forth = a.walk;
		memcpy(a.walk.src_step, forth.dst_step, sizeof(forth.dst_step));
		memcpy(a.walk.dst_step, forth.src_step, sizeof(forth.src_step));
	}
	return a;
}

static int depth_prepare(struct op_setup *setup, struct error *err)
{
	bool to_image = setup->node->op == OP_DEPTH_TO_SPACE;
	const struct shape *image = to_image ? op_shape_out(setup, 0) : op_shape_in(setup, 0);
	struct copies *p = copies_new(setup, 0, 1);
	if (!p) {
		return op_alloc_failed(setup, err);
	}
	copies_add(p, block_piece(p, image, setup->node->options.block.size, to_image));
	return 0;
}

const struct cpu_op op_space_depth = {.op = OP_DEPTH_TO_SPACE,
	.also = OP_ALSO(OP_SPACE_TO_DEPTH),
	.types = ACCEPT_FIXED,
	.prepare = depth_prepare,
	.run = copies_run};
