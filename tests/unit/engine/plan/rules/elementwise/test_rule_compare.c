/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(
	struct node_builder *b, enum op op, enum dtype type, struct shape x, struct shape y)
{
	node_builder_init(b, op, 0);
	node_builder_input(b, type, x);
	node_builder_input(b, type, y);
	node_builder_output(b, DTYPE_BOOL);
}

static void relations_stretch_and_give_bool(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_LESS, DTYPE_FLOAT16, SHAPE(2, 1), SHAPE(3));
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.tensors[2].type = DTYPE_FLOAT16;
	node_builder_refuses(&b, -EBADMSG, "output is float16, must be bool");
	build(&b, OP_LESS, DTYPE_INT32, SHAPE(2, 2), SHAPE(3));
	node_builder_refuses(&b, -EBADMSG, "2x2 and 3 do not broadcast");
	b.tensors[1].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 1 is int64, must be int32");
}

static void only_equality_knows_bool_and_strings(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_NOT_EQUAL, DTYPE_BOOL, SHAPE(3), SHAPE(3));
	node_builder_accepts(&b, 0, SHAPE(3));
	build(&b, OP_EQUAL, DTYPE_STRING, SHAPE(3), SHAPE(1));
	node_builder_accepts(&b, 0, SHAPE(3));
	build(&b, OP_GREATER, DTYPE_BOOL, SHAPE(3), SHAPE(3));
	node_builder_refuses(&b, -EOPNOTSUPP, "GREATER v1 with bool input is not there yet");
	build(&b, OP_GREATER, DTYPE_STRING, SHAPE(3), SHAPE(3));
	node_builder_refuses(&b, -EOPNOTSUPP, "GREATER v1 with string input is not there yet");
}

static void codes_have_a_scale_each_or_none(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_EQUAL, DTYPE_INT8, SHAPE(3), SHAPE(3));
	node_builder_accepts(&b, 0, SHAPE(3));
	node_builder_quantise(&b, 0, 0.5f, 3);
	node_builder_refuses(&b, -EBADMSG, "input 1 (int8) has 0 scales, must have one");
	node_builder_quantise(&b, 1, 0.25f, 3);
	node_builder_accepts(&b, 0, SHAPE(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relations_stretch_and_give_bool),
		cmocka_unit_test(only_equality_knows_bool_and_strings),
		cmocka_unit_test(codes_have_a_scale_each_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
