/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* 2x3x4x5 by 2x3x5x6 */
static void build(struct node_builder *b, enum dtype left, enum dtype right, enum dtype output)
{
	node_builder_init(b, OP_BATCH_MATMUL, OPTIONS_BATCH_MATMUL);
	node_builder_quantise(b, node_builder_input(b, left, SHAPE(2, 3, 4, 5)), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, right, SHAPE(2, 3, 5, 6)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, output), 0.5f, 0);
}

static void products_of_all_types(void **state)
{
	(void)state;
	static const uint8_t types[][3] = {
		{DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32},
		{DTYPE_FLOAT32, DTYPE_INT8, DTYPE_FLOAT32},
		{DTYPE_INT8, DTYPE_INT8, DTYPE_INT8},
		{DTYPE_INT8, DTYPE_INT8, DTYPE_INT32},
		{DTYPE_INT16, DTYPE_INT16, DTYPE_INT16},
		{DTYPE_INT16, DTYPE_INT8, DTYPE_INT16},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct node_builder b;
		build(&b, types[i][0], types[i][1], types[i][2]);
		node_builder_accepts(&b, 0, SHAPE(2, 3, 4, 6));
		node_builder_costs(&b, 2 * 3 * 4 * 5 * 6);
	}
	struct node_builder b;
	build(&b, DTYPE_UINT8, DTYPE_UINT8, DTYPE_UINT8);
	node_builder_refuses(
		&b, -EOPNOTSUPP, "BATCH_MATMUL v1 with uint8 and uint8 inputs is not there yet");
	build(&b, DTYPE_INT16, DTYPE_INT16, DTYPE_INT32);
	node_builder_refuses(&b, -EOPNOTSUPP, "with int32 output is not there yet");
}

static void batches_broadcast_and_operands_turn(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.shapes[0] = SHAPE(1, 3, 5, 4);
	b.shapes[1] = SHAPE(7, 2, 1, 6, 5);
	b.node.options.batch_matmul = (struct options_batch_matmul){.adj_x = true, .adj_y = true};
	node_builder_accepts(&b, 0, SHAPE(7, 2, 3, 4, 6));
	b.shapes[1] = SHAPE(2, 6, 5);
	node_builder_refuses(&b, -EBADMSG, "batches 3 and 2 do not broadcast");
	b.shapes[1] = SHAPE(6, 4);
	node_builder_refuses(&b, -EBADMSG, "rows of 5 and columns of 4 elements");
	b.shapes[1] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "input 1 has rank 1, must have 2 to 5");
}

static void scales_are_one_and_zero_points_fit(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT16, DTYPE_INT8, DTYPE_INT16);
	b.zeros[1][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "input 1 (int8) has zero point 3, must have 0");
	build(&b, DTYPE_FLOAT32, DTYPE_INT8, DTYPE_FLOAT32);
	b.zeros[1][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "input 1 (int8) has zero point 3, must have 0");
	build(&b, DTYPE_INT16, DTYPE_INT16, DTYPE_INT16);
	b.scales[2][0] = 1e-6f;
	node_builder_refuses(&b, -EBADMSG, "sum of products is rescaled by 250000");
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.tensors[2].quant.n_scales = 0;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_of_all_types),
		cmocka_unit_test(batches_broadcast_and_operands_turn),
		cmocka_unit_test(scales_are_one_and_zero_points_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
