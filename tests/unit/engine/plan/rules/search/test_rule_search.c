/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

#define SCALAR ((struct shape){0})

static void topk_takes_no_more_than_there_are(void **state)
{
	(void)state;
	static int16_t k = 4;
	struct node_builder b;
	node_builder_init(&b, OP_TOPK_V2, 0);
	node_builder_input(&b, DTYPE_INT8, SHAPE(3, 7));
	int32_t t = node_builder_constant(&b, DTYPE_INT16, SCALAR, &k);
	node_builder_output(&b, DTYPE_INT8);
	int32_t indices = node_builder_output(&b, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(3, 4));
	node_builder_accepts(&b, 1, SHAPE(3, 4));
	b.constants[t] = NULL;
	node_builder_accepts(&b, 1, SHAPE(3, -1));
	b.constants[t] = (const uint8_t *)&k;
	k = 8;
	node_builder_refuses(&b, -EBADMSG, "the top 8 of 7 elements");
	k = -1;
	node_builder_refuses(&b, -EBADMSG, "the top -1 of 7 elements");
	b.shapes[0] = SHAPE(40000);
	node_builder_refuses(&b, -EBADMSG, "int16 indices of 40000 elements");
	b.tensors[indices].type = DTYPE_INT64;
	node_builder_refuses(&b, -EOPNOTSUPP, "int64 output of indices is not there yet");
	b.shapes[0] = SCALAR;
	b.tensors[indices].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "input has rank 0, must have 1 or more");
}

static void unique_and_where_leave_their_size_to_the_run(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_UNIQUE, OPTIONS_UNIQUE);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(7));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_output(&b, DTYPE_INT64);
	b.node.options.out_type.type = DTYPE_INT64;
	node_builder_accepts(&b, 0, SHAPE(-1));
	node_builder_accepts(&b, 1, SHAPE(7));
	b.node.options.out_type.type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "index type int8, must be int32 or int64");
	b.shapes[0] = SHAPE(7, 1);
	node_builder_refuses(&b, -EBADMSG, "input has rank 2, must have 1");
	node_builder_init(&b, OP_WHERE, 0);
	node_builder_input(&b, DTYPE_BOOL, SHAPE(2, 3, 4));
	node_builder_output(&b, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(-1, 3));
	b.shapes[0] = SCALAR;
	node_builder_refuses(&b, -EBADMSG, "input has rank 0, must have 1 or more");
	b.tensors[0].type = DTYPE_INT16;
	node_builder_refuses(&b, -EOPNOTSUPP, "WHERE v1 with int16 input is not there yet");
}

static void build_suppression(struct node_builder *b, const int32_t *most)
{
	node_builder_init(b, OP_NON_MAX_SUPPRESSION_V5, 0);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(6, 4));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(6));
	node_builder_constant(b, DTYPE_INT32, SCALAR, most);
	for (int i = 0; i < 3; i++) {
		node_builder_input(b, DTYPE_FLOAT32, SCALAR);
	}
	node_builder_output(b, DTYPE_INT32);
	node_builder_output(b, DTYPE_FLOAT32);
	node_builder_output(b, DTYPE_INT32);
}

static void suppression_gives_as_many_boxes_as_it_may(void **state)
{
	(void)state;
	static int32_t most = 10;
	struct node_builder b;
	build_suppression(&b, &most);
	node_builder_accepts(&b, 0, SHAPE(10));
	node_builder_accepts(&b, 1, SHAPE(10));
	node_builder_accepts(&b, 2, SCALAR);
	b.constants[2] = NULL;
	node_builder_accepts(&b, 1, SHAPE(-1));
	b.constants[2] = (const uint8_t *)&most;
	most = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is -1");
	b.shapes[5] = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "input 5 (sigma) has rank 1, must have 0");
	b.shapes[5] = SCALAR;
	b.shapes[0] = SHAPE(6, 3);
	node_builder_refuses(&b, -EBADMSG, "boxes 6x3 for 6 scores");
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "input 1 (scores) is int8, must be float32");
}

static void boundaries_go_up(void **state)
{
	(void)state;
	static float boundaries[] = {1, 1, 3};
	struct node_builder b;
	node_builder_init(&b, OP_BUCKETIZE, OPTIONS_BUCKETIZE);
	node_builder_input(&b, DTYPE_FLOAT64, SHAPE(4, 2));
	int32_t output = node_builder_output(&b, DTYPE_INT32);
	node_builder_refuses(&b, -EBADMSG, "boundaries are missing");
	b.node.options.bucketize.boundaries = (struct options_list){(const uint8_t *)boundaries, 3};
	node_builder_accepts(&b, 0, SHAPE(4, 2));
	boundaries[2] = 0;
	node_builder_refuses(&b, -EBADMSG, "boundary 2 is below the one before it");
	b.tensors[output].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "output is int64, must be int32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topk_takes_no_more_than_there_are),
		cmocka_unit_test(unique_and_where_leave_their_size_to_the_run),
		cmocka_unit_test(suppression_gives_as_many_boxes_as_it_may),
		cmocka_unit_test(boundaries_go_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
