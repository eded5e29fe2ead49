/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_blocks(struct node_builder *b, enum op op, struct shape in, const int32_t *blocks,
	const int32_t *edges)
{
	struct shape list = {.rank = 1, .dim = {in.rank - 2}};
	struct shape pairs = {.rank = 2, .dim = {in.rank - 2, 2}};
	node_builder_init(b, op, 0);
	node_builder_quantise(b, node_builder_input(b, DTYPE_INT8, in), 0.5f, 1);
	node_builder_constant(b, DTYPE_INT32, list, blocks);
	node_builder_constant(b, DTYPE_INT32, pairs, edges);
	node_builder_quantise(b, node_builder_output(b, DTYPE_INT8), 0.5f, 1);
}

static void batch_to_space_crops(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t blocks[2] = {2, 3}, crops[4] = {1, 0, 0, 2};
	build_blocks(&b, OP_BATCH_TO_SPACE_ND, SHAPE(12, 2, 2, 1), blocks, crops);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4, 1));
	crops[1] = 4;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -1, must be 0..16777216");
	crops[1] = -1;
	node_builder_refuses(&b, -EBADMSG, "edges 1 and -1 of dimension 1");
	blocks[0] = 5;
	crops[1] = 0;
	node_builder_refuses(&b, -EBADMSG, "a batch of 12 in blocks of 5");
	blocks[0] = 0;
	node_builder_refuses(&b, -EBADMSG, "block of 0");
	blocks[0] = INT32_MIN;
	node_builder_refuses(&b, -EBADMSG, "block of -2147483648");
	b.constants[1] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1, 1));
	b.scales[0][0] = 0.25f;
	node_builder_refuses(&b, -EBADMSG, "input (int8) has another scale than the output");
	b.shapes[0] = SHAPE(12, 2);
	b.scales[0][0] = 0.5f;
	node_builder_refuses(&b, -EBADMSG, "input has rank 2, must have 3 or 4");
}

static void space_to_batch_pads_to_whole_blocks(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t block = 3, paddings[2] = {1, 1};
	build_blocks(&b, OP_SPACE_TO_BATCH_ND, SHAPE(2, 4, 5), &block, paddings);
	node_builder_accepts(&b, 0, SHAPE(6, 2, 5));
	paddings[1] = 2;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of 7 in blocks of 3");
	paddings[1] = (1 << 24) + 1;
	node_builder_refuses(&b, -EBADMSG, "edges 1 and 16777217 of dimension 1");
	block = 1 << 24;
	paddings[0] = (1 << 24) - 4;
	paddings[1] = 0;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is 33554432");
}

static void build_depth(struct node_builder *b, enum op op, struct shape in, int32_t block)
{
	node_builder_init(
		b, op, op == OP_DEPTH_TO_SPACE ? OPTIONS_DEPTH_TO_SPACE : OPTIONS_SPACE_TO_DEPTH);
	node_builder_input(b, DTYPE_FLOAT32, in);
	node_builder_output(b, DTYPE_FLOAT32);
	b->node.options.block.size = block;
}

static void depth_goes_to_space_and_back(void **state)
{
	(void)state;
	struct node_builder b;
	build_depth(&b, OP_DEPTH_TO_SPACE, SHAPE(1, 2, 3, 8), 2);
	node_builder_accepts(&b, 0, SHAPE(1, 4, 6, 2));
	b.shapes[0] = SHAPE(1, 2, 3, 6);
	node_builder_refuses(&b, -EBADMSG, "depth of 6 in blocks of 2x2");
	b.shapes[0] = SHAPE(1, 1 << 24, 1, 4);
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is 33554432");
	build_depth(&b, OP_SPACE_TO_DEPTH, SHAPE(1, 4, 6, 2), 2);
	node_builder_accepts(&b, 0, SHAPE(1, 2, 3, 8));
	b.shapes[0] = SHAPE(1, 4, 5, 2);
	node_builder_refuses(&b, -EBADMSG, "4x5 in blocks of 2x2");
	b.node.options.block.size = 0;
	node_builder_refuses(&b, -EBADMSG, "block of 0, must be 1 to 32767");
	b.shapes[0] = SHAPE(4, 4);
	node_builder_refuses(&b, -EBADMSG, "input has rank 2, must have 4");
	b.node.options.table = 0;
	node_builder_refuses(&b, -EBADMSG, "options are missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_to_space_crops),
		cmocka_unit_test(space_to_batch_pads_to_whole_blocks),
		cmocka_unit_test(depth_goes_to_space_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
