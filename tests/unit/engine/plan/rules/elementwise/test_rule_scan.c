/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/node_builder.h"

#define SCALAR ((struct shape){0})

static void cumsum_keeps_the_shape(void **state)
{
	(void)state;
	static int32_t axis = -3;
	struct node_builder b;
	node_builder_init(&b, OP_CUMSUM, OPTIONS_CUMSUM);
	node_builder_input(&b, DTYPE_INT64, SHAPE(4, 2));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SCALAR, &axis);
	node_builder_output(&b, DTYPE_INT64);
	node_builder_refuses(&b, -EBADMSG, "axis -3 of a tensor of rank 2");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(4, 2));
	b.shapes[t] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (axis) is 2, must have one element");
}

static void build_range(struct node_builder *b, enum dtype type, const void *start,
	const void *limit, const void *step)
{
	node_builder_init(b, OP_RANGE, 0);
	node_builder_constant(b, type, SCALAR, start);
	node_builder_constant(b, type, SCALAR, limit);
	node_builder_constant(b, type, SCALAR, step);
	node_builder_output(b, type);
}

static void range_counts_its_steps(void **state)
{
	(void)state;
	static int64_t start = 10, limit = -3, step = -5;
	struct node_builder b;
	build_range(&b, DTYPE_INT64, &start, &limit, &step);
	node_builder_accepts(&b, 0, SHAPE(3));
	limit = 10;
	node_builder_accepts(&b, 0, SHAPE(0));
	limit = 11;
	node_builder_refuses(&b, -EBADMSG, "the step is 0, or does not lead from start to limit");
	start = INT64_MIN;
	limit = INT64_MAX;
	step = INT64_MAX;
	node_builder_accepts(&b, 0, SHAPE(3));
	step = 1;
	node_builder_refuses(&b, -EBADMSG, "a range of more than 16777216 elements");
	step = 0;
	node_builder_refuses(&b, -EBADMSG, "the step is 0");
	b.constants[0] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1));
}

static void range_of_floats_rounds_up(void **state)
{
	(void)state;
	static float start = 0, limit = 1, step = 0.3f;
	struct node_builder b;
	build_range(&b, DTYPE_FLOAT32, &start, &limit, &step);
	node_builder_accepts(&b, 0, SHAPE(4));
	step = -0.3f;
	node_builder_refuses(&b, -EBADMSG, "does not lead from start to limit");
	step = NAN;
	node_builder_refuses(&b, -EBADMSG, "does not lead from start to limit");
	step = 1e-30f;
	node_builder_refuses(&b, -EBADMSG, "a range of more than");
	limit = INFINITY;
	node_builder_refuses(&b, -EBADMSG, "a range of more than");
	step = INFINITY;
	node_builder_refuses(&b, -EBADMSG, "a range of more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cumsum_keeps_the_shape),
		cmocka_unit_test(range_counts_its_steps),
		cmocka_unit_test(range_of_floats_rounds_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
