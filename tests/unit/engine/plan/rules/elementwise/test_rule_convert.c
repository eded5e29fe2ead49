/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(
	struct node_builder *b, enum op op, enum dtype in, struct shape shape, enum dtype out)
{
	node_builder_init(b, op, 0);
	node_builder_input(b, in, shape);
	node_builder_output(b, out);
}

static void a_cast_keeps_the_shape(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_CAST, DTYPE_COMPLEX64, SHAPE(2, 3), DTYPE_BOOL);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_CAST, DTYPE_INT4, SHAPE(3), DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(3));
	build(&b, OP_CAST, DTYPE_FLOAT32, SHAPE(3), DTYPE_INT4);
	node_builder_accepts(&b, 0, SHAPE(3));
}

static void a_cast_refuses_types_that_the_reference_lacks(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_CAST, DTYPE_FLOAT32, SHAPE(3), DTYPE_STRING);
	node_builder_refuses(&b, -EOPNOTSUPP, "CAST v1 with string output is not there yet");
	build(&b, OP_CAST, DTYPE_UINT64, SHAPE(3), DTYPE_INT32);
	node_builder_refuses(&b, -EOPNOTSUPP, "CAST v1 with uint64 input is not there yet");
	build(&b, OP_CAST, DTYPE_INT4, SHAPE(3), DTYPE_INT8);
	node_builder_refuses(&b, -EOPNOTSUPP, "CAST v1 with int8 output is not there yet");
	build(&b, OP_CAST, DTYPE_INT8, SHAPE(3), DTYPE_INT4);
	node_builder_refuses(&b, -EOPNOTSUPP, "CAST v1 with int4 output is not there yet");
}

static void bitcast_trades_bytes_for_a_dimension(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_BITCAST, DTYPE_FLOAT32, SHAPE(2, 3), DTYPE_INT32);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_BITCAST, DTYPE_INT64, SHAPE(2), DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(2, 4));
	build(&b, OP_BITCAST, DTYPE_UINT8, SHAPE(2, 4), DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2));
	build(&b, OP_BITCAST, DTYPE_UINT8, SHAPE(2, 3), DTYPE_FLOAT32);
	node_builder_refuses(&b, -EBADMSG, "last dimension is 3, must be 4");
	build(&b, OP_BITCAST, DTYPE_UINT8, (struct shape){0}, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EBADMSG, "last dimension is 1, must be 4");
	build(&b, OP_BITCAST, DTYPE_INT16, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), DTYPE_INT8);
	node_builder_refuses(&b, -EOPNOTSUPP, "a dimension more than 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cast_keeps_the_shape),
		cmocka_unit_test(a_cast_refuses_types_that_the_reference_lacks),
		cmocka_unit_test(bitcast_trades_bytes_for_a_dimension),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
