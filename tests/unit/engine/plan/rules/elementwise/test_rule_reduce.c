/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_mean(struct node_builder *b, enum op op, enum dtype type, const int32_t *axes)
{
	node_builder_init(b, op, 27);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 3, 4)), 0.5f, 0);
	node_builder_constant(b, DTYPE_INT32, SHAPE(2), axes);
	node_builder_quantise(b, node_builder_output(b, type), 0.5f, 0);
}

static void mean_drops_or_keeps_dimensions(void **state)
{
	(void)state;
	static int32_t axes[] = {1, -2};
	struct node_builder b;
	build_mean(&b, OP_MEAN, DTYPE_INT8, axes);
	node_builder_accepts(&b, 0, SHAPE(2, 4));
	node_builder_costs(&b, 24);
	b.node.options.reduce.keep_dims = true;
	node_builder_accepts(&b, 0, SHAPE(2, 1, 4));
	axes[1] = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.constants[1] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.shapes[1] = SHAPE(0);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4));
	b.shapes[1] = SHAPE(2, 8);
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.shapes[1] = SHAPE(17);
	node_builder_refuses(&b, -EBADMSG, "input 1 (axes): 17 for a tensor of rank 3");
	b.tensors[1].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 1 (axes) is int64, must be int32");
}

static void mean_checks_types_and_scales(void **state)
{
	(void)state;
	static const int32_t axes[] = {0, 1};
	struct node_builder b;
	build_mean(&b, OP_MEAN, DTYPE_BOOL, axes);
	node_builder_refuses(&b, -EOPNOTSUPP, "MEAN v1 with bool input is not there yet");
	build_mean(&b, OP_SUM, DTYPE_BOOL, axes);
	node_builder_accepts(&b, 0, SHAPE(4));
	build_mean(&b, OP_MEAN, DTYPE_INT16, axes);
	b.zeros[2][0] = 4;
	node_builder_refuses(&b, -EBADMSG, "output (int16) has zero point 4, must have 0");
	build_mean(&b, OP_MEAN, DTYPE_UINT8, axes);
	b.scales[2][0] = 1e-12f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 5e+11");
	b.tensors[2].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "output is int32, must be uint8");
}

static void extremes_keep_scale_and_zero_point(void **state)
{
	(void)state;
	static const int32_t axes[] = {0, 1};
	struct node_builder b;
	build_mean(&b, OP_REDUCE_MAX, DTYPE_UINT8, axes);
	node_builder_accepts(&b, 0, SHAPE(4));
	b.zeros[2][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "scale or zero point of input and output differ");
	b.zeros[2][0] = 0;
	b.scales[0][0] = 0.25f;
	node_builder_refuses(&b, -EBADMSG, "scale or zero point of input and output differ");
	b.tensors[0].quant.n_scales = b.tensors[2].quant.n_scales = 0;
	node_builder_accepts(&b, 0, SHAPE(4));
	build_mean(&b, OP_REDUCE_MIN, DTYPE_BOOL, axes);
	node_builder_accepts(&b, 0, SHAPE(4));
}

static void products_and_logic_have_types_of_their_own(void **state)
{
	(void)state;
	static const int32_t axes[] = {0, 1};
	struct node_builder b;
	build_mean(&b, OP_REDUCE_PROD, DTYPE_UINT8, axes);
	node_builder_refuses(&b, -EOPNOTSUPP, "REDUCE_PROD v1 with uint8 input is not there yet");
	build_mean(&b, OP_REDUCE_PROD, DTYPE_INT8, axes);
	node_builder_accepts(&b, 0, SHAPE(4));
	b.scales[2][0] = 1e-5f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 50000, must be below 2^13");
	build_mean(&b, OP_REDUCE_ANY, DTYPE_BOOL, axes);
	node_builder_accepts(&b, 0, SHAPE(4));
	build_mean(&b, OP_REDUCE_ALL, DTYPE_INT32, axes);
	node_builder_refuses(&b, -EOPNOTSUPP, "REDUCE_ALL v1 with int32 input is not there yet");
}

/* A file whose axes a run computes may declare a scalar because it does not know better. */
static void scalar_that_only_a_run_can_shape_is_open(void **state)
{
	(void)state;
	struct node_builder b;
	build_mean(&b, OP_REDUCE_ANY, DTYPE_BOOL, NULL);
	node_builder_accepts(&b, 0, SHAPE(-1));
	b.shapes[0] = (struct shape){0};
	node_builder_accepts(&b, 0, (struct shape){0});
}

static void arg_max_takes_one_axis(void **state)
{
	(void)state;
	static int32_t axis = -1;
	struct node_builder b;
	node_builder_init(&b, OP_ARG_MAX, 40);
	node_builder_input(&b, DTYPE_UINT8, SHAPE(2, 3));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	node_builder_output(&b, DTYPE_INT64);
	b.node.options.arg.output_type = DTYPE_INT64;
	node_builder_accepts(&b, 0, SHAPE(2));
	axis = 2;
	node_builder_refuses(&b, -EBADMSG, "axis 2 of a tensor of rank 2");
	axis = 1;
	b.shapes[0] = SHAPE(2, 0);
	node_builder_refuses(&b, -EBADMSG, "dimension 1 is empty");
	b.shapes[0] = (struct shape){0};
	node_builder_refuses(&b, -EBADMSG, "input has rank 0, must have 1 or more");
	b.shapes[0] = SHAPE(2, 3);
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1));
	b.node.options.arg.output_type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "output is int64, must be int32");
	b.node.options.arg.output_type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "output type float32, must be int32 or int64");
	b.tensors[0].type = DTYPE_INT64;
	node_builder_refuses(&b, -EOPNOTSUPP, "ARG_MAX v1 with int64 input is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mean_drops_or_keeps_dimensions),
		cmocka_unit_test(mean_checks_types_and_scales),
		cmocka_unit_test(extremes_keep_scale_and_zero_point),
		cmocka_unit_test(products_and_logic_have_types_of_their_own),
		cmocka_unit_test(scalar_that_only_a_run_can_shape_is_open),
		cmocka_unit_test(arg_max_takes_one_axis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
