/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, enum op op, enum dtype type)
{
	node_builder_init(b, op, 5);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 7, 5, 3)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, type), 0.5f, 0);
	b->node.options.pool = (struct options_pool){.stride_h = 2,
		.stride_w = 1,
		.filter_h = 3,
		.filter_w = 2,
		.padding = PADDING_VALID};
}

static void pools_slide_over_rows_and_columns(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_MAX_POOL_2D, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4, 3));
	node_builder_costs(&b, 2 * 3 * 4 * 3 * 6);
	build(&b, OP_AVERAGE_POOL_2D, DTYPE_INT16);
	b.node.options.pool.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 5, 3));
}

static void pools_of_windows_that_do_not_fit_are_empty(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_AVERAGE_POOL_2D, DTYPE_INT8);
	b.node.options.pool.filter_w = 6;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 0, 3));
	b.node.options.pool.filter_w = 7;
	node_builder_accepts(&b, 0, SHAPE(2, 0, 0, 3));
	b.node.options.pool.filter_w = 1;
	b.node.options.pool.filter_h = 10;
	node_builder_accepts(&b, 0, SHAPE(2, 0, 5, 3));
	b.node.options.pool.filter_h = 3;
	b.shapes[0] = SHAPE(2, 7, 0, 3);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 0, 3));
	b.node.options.pool.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 0, 3));
}

static void pools_refuse_empty_windows(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_AVERAGE_POOL_2D, DTYPE_FLOAT32);
	struct options_pool *o = &b.node.options.pool;
	o->filter_w = 0;
	node_builder_refuses(&b, -EBADMSG, "filter 3x0");
	o->filter_w = 2;
	o->stride_w = 0;
	node_builder_refuses(&b, -EBADMSG, "stride 2x0");
	o->stride_w = 1;
	b.shapes[0] = SHAPE(7, 5, 3);
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 4");
}

/* Padding costs nothing: what counts is the part of the window that lies in the picture. */
static void pools_refuse_windows_that_take_long(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_MAX_POOL_2D, DTYPE_INT8);
	struct options_pool *o = &b.node.options.pool;
	*o = (struct options_pool){.stride_h = 1,
		.stride_w = 1,
		.filter_h = 32767,
		.filter_w = 32767,
		.padding = PADDING_SAME};
	b.shapes[0] = SHAPE(1, 4096, 4096, 1);
	node_builder_accepts(&b, 0, SHAPE(1, 4096, 4096, 1));
	b.shapes[0] = SHAPE(1, 4096, 5000, 1);
	node_builder_refuses(&b, -EFBIG, "a window sees 20480000 elements, at most 16777216");
}

static void pools_refuse_types_and_scales(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_AVERAGE_POOL_2D, DTYPE_INT32);
	node_builder_refuses(
		&b, -EOPNOTSUPP, "AVERAGE_POOL_2D v1 with int32 input is not there yet");
	build(&b, OP_MAX_POOL_2D, DTYPE_INT8);
	b.tensors[1].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "output (int8) has 0 scales, must have one");
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "output is float32, must be int8");
	build(&b, OP_MAX_POOL_2D, DTYPE_FLOAT32);
	b.node.options.pool.activation = ACTIVATION_SIGN_BIT;
	node_builder_refuses(&b, -EOPNOTSUPP, "fused activation 5");
}

static void l2_pool_is_of_floats(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_L2_POOL_2D, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4, 3));
	build(&b, OP_L2_POOL_2D, DTYPE_INT8);
	node_builder_refuses(&b, -EOPNOTSUPP, "L2_POOL_2D v1 with int8 input is not there yet");
}

static void response_normalisation_keeps_the_shape(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(
		&b, OP_LOCAL_RESPONSE_NORMALIZATION, OPTIONS_LOCAL_RESPONSE_NORMALIZATION);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 3, 10));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.lrn.radius = 2;
	node_builder_accepts(&b, 0, SHAPE(1, 2, 3, 10));
	node_builder_costs(&b, 60 * 5);
	b.node.options.lrn.radius = INT32_MAX;
	node_builder_accepts(&b, 0, SHAPE(1, 2, 3, 10));
	b.node.options.lrn.radius = -1;
	node_builder_refuses(&b, -EBADMSG, "radius -1");
	b.shapes[0] = SHAPE(2, 3, 10);
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_slide_over_rows_and_columns),
		cmocka_unit_test(pools_of_windows_that_do_not_fit_are_empty),
		cmocka_unit_test(pools_refuse_empty_windows),
		cmocka_unit_test(pools_refuse_windows_that_take_long),
		cmocka_unit_test(pools_refuse_types_and_scales),
		cmocka_unit_test(l2_pool_is_of_floats),
		cmocka_unit_test(response_normalisation_keeps_the_shape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
