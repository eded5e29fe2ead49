/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(
	struct node_builder *b, enum op op, struct shape condition, struct shape x, struct shape y)
{
	node_builder_init(b, op, 0);
	node_builder_input(b, DTYPE_BOOL, condition);
	node_builder_input(b, DTYPE_INT16, x);
	node_builder_input(b, DTYPE_INT16, y);
	node_builder_output(b, DTYPE_INT16);
}

static void condition_is_equal_scalar_or_one_per_row(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SELECT, SHAPE(2, 3), SHAPE(2, 3), SHAPE(2, 3));
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.shapes[0] = (struct shape){0};
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.shapes[0] = SHAPE(2);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.shapes[0] = SHAPE(3);
	node_builder_refuses(&b, -EBADMSG, "condition 3 fits neither 2x3 nor its first dimension");
	b.shapes[0] = SHAPE(1, 3);
	node_builder_refuses(&b, -EBADMSG, "condition 1x3 fits neither");
	b.shapes[0] = SHAPE(2);
	b.shapes[2] = SHAPE(3);
	node_builder_refuses(&b, -EBADMSG, "input 2 is 3, must be 2x3 as input 1 is");
}

static void all_three_stretch_in_version_two(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SELECT_V2, SHAPE(2, 1), SHAPE(3), SHAPE(4, 1, 1));
	node_builder_accepts(&b, 0, SHAPE(4, 2, 3));
	b.shapes[0] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "5, 3 and 4x1x1 do not broadcast");
}

static void single_elements_keep_the_declared_shape(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SELECT, SHAPE(1), SHAPE(1, 1), SHAPE(1));
	b.tensors[3].shape = SHAPE(1, 1, 1);
	node_builder_accepts(&b, 0, SHAPE(1, 1, 1));
	b.tensors[3].shape = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 2 is 1, must be 1x1 as input 1 is");
	b.node.op = OP_SELECT_V2;
	node_builder_accepts(&b, 0, SHAPE(1, 1));
}

static void types_of_the_values_agree(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SELECT, SHAPE(2), SHAPE(2), SHAPE(2));
	b.tensors[0].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "condition is int8, must be bool");
	b.tensors[0].type = DTYPE_BOOL;
	b.tensors[2].type = DTYPE_UINT16;
	node_builder_refuses(&b, -EBADMSG, "input 2 is uint16, must be int16");
	b.tensors[1].type = b.tensors[2].type = b.tensors[3].type = DTYPE_COMPLEX128;
	node_builder_refuses(&b, -EOPNOTSUPP, "SELECT v1 with complex128 input is not there yet");
	b.tensors[1].type = DTYPE_INT4;
	node_builder_refuses(&b, -EOPNOTSUPP, "SELECT v1 with int4 input is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(condition_is_equal_scalar_or_one_per_row),
		cmocka_unit_test(all_three_stretch_in_version_two),
		cmocka_unit_test(single_elements_keep_the_declared_shape),
		cmocka_unit_test(types_of_the_values_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
