/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_to(struct node_builder *b, struct shape x, struct shape shape, const void *target)
{
	node_builder_init(b, OP_BROADCAST_TO, 0);
	b->node.version = 2;
	node_builder_input(b, DTYPE_INT8, x);
	node_builder_constant(b, DTYPE_INT32, shape, target);
	node_builder_output(b, DTYPE_INT8);
}

static void target_is_read_from_its_values(void **state)
{
	(void)state;
	const int32_t target[3] = {4, 2, 3};
	struct node_builder b;
	build_to(&b, SHAPE(2, 1), SHAPE(3), target);
	node_builder_accepts(&b, 0, SHAPE(4, 2, 3));
	b.constants[1] = NULL;
	b.tensors[1].data = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
}

static void target_of_eight_bytes_is_read(void **state)
{
	(void)state;
	const int64_t target[2] = {2, 0};
	struct node_builder b;
	build_to(&b, SHAPE(1), SHAPE(2), target);
	b.tensors[1].type = DTYPE_INT64;
	node_builder_accepts(&b, 0, SHAPE(2, 0));
	const int64_t huge[2] = {2, INT64_C(1) << 40};
	b.constants[1] = (const uint8_t *)huge;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is 1099511627776");
}

static void target_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	const int32_t target[2] = {2, 3}, negative[2] = {2, -3}, large[2] = {1 << 24, 1 << 24};
	struct node_builder b;
	build_to(&b, SHAPE(4), SHAPE(2), target);
	node_builder_refuses(&b, -EBADMSG, "input of shape 4 does not broadcast to 2x3");
	build_to(&b, SHAPE(1, 2, 3), SHAPE(2), target);
	node_builder_refuses(&b, -EBADMSG, "rank 3 does not stretch to rank 2");
	build_to(&b, SHAPE(1), SHAPE(2), negative);
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -3");
	build_to(&b, SHAPE(1), SHAPE(2), large);
	node_builder_refuses(&b, -EBADMSG, "is too large");
	build_to(&b, SHAPE(1), SHAPE(1, 2), target);
	node_builder_refuses(&b, -EBADMSG, "input 1 (shape) is 1x2, must be 1");
}

static void version_one_and_rank_nine_are_not_there(void **state)
{
	(void)state;
	const int32_t target[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct node_builder b;
	build_to(&b, SHAPE(1), SHAPE(9), target);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
	b.node.version = 1;
	node_builder_refuses(&b, -EOPNOTSUPP, "BROADCAST_TO v1 is not there yet, v2 is");
}

static void two_shapes_give_one_of_the_longer_rank(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_BROADCAST_ARGS, 0);
	node_builder_input(&b, DTYPE_INT64, SHAPE(2));
	node_builder_input(&b, DTYPE_INT64, SHAPE(3));
	node_builder_output(&b, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(3));
	b.tensors[1].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "input 1 is int32, must be int64");
	b.tensors[1].type = DTYPE_INT64;
	b.shapes[0] = SHAPE(2, 1);
	node_builder_refuses(&b, -EBADMSG, "input 0 has rank 2, must have 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(target_is_read_from_its_values),
		cmocka_unit_test(target_of_eight_bytes_is_read),
		cmocka_unit_test(target_that_does_not_fit_is_refused),
		cmocka_unit_test(version_one_and_rank_nine_are_not_there),
		cmocka_unit_test(two_shapes_give_one_of_the_longer_rank),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
