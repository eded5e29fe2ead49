/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

#define SCALAR ((struct shape){0})

static void scatter_nd_fits_updates_to_indices_and_shape(void **state)
{
	(void)state;
	static int32_t dims[] = {5, 6, 7};
	struct node_builder b;
	node_builder_init(&b, OP_SCATTER_ND, 0);
	node_builder_input(&b, DTYPE_INT32, SHAPE(4, 2));
	node_builder_input(&b, DTYPE_INT64, SHAPE(4, 7));
	int32_t shape = node_builder_constant(&b, DTYPE_INT32, SHAPE(3), dims);
	node_builder_output(&b, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(5, 6, 7));
	b.constants[shape] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.constants[shape] = (const uint8_t *)dims;
	b.shapes[1] = SHAPE(4, 6);
	node_builder_refuses(&b, -EBADMSG, "updates 4x6 do not fit indices 4x2 and output 5x6x7");
	b.shapes[0] = SHAPE(4, 9);
	node_builder_refuses(&b, -EBADMSG, "do not fit");
	dims[1] = 1 << 25;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is 33554432");
	b.shapes[2] = SHAPE(9);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
	b.tensors[0].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 0 (indices) is int64, must be int32");
}

static void sparse_to_dense_takes_a_list_or_rows_of_indices(void **state)
{
	(void)state;
	static const int64_t dims[] = {3, 4};
	struct node_builder b;
	node_builder_init(&b, OP_SPARSE_TO_DENSE, 0);
	node_builder_input(&b, DTYPE_INT64, SHAPE(5, 2));
	node_builder_constant(&b, DTYPE_INT64, SHAPE(2), dims);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(5));
	int32_t fill = node_builder_input(&b, DTYPE_FLOAT32, SCALAR);
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(3, 4));
	b.shapes[2] = SCALAR;
	node_builder_accepts(&b, 0, SHAPE(3, 4));
	b.shapes[2] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "values 4 for 5 indices");
	b.shapes[0] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "indices 5 for an output of rank 2");
	b.shapes[1] = SHAPE(1);
	b.shapes[2] = SHAPE(5);
	node_builder_accepts(&b, 0, SHAPE(3));
	b.shapes[fill] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 3 (default) is 2, must have one element");
}

static void one_hot_puts_the_depth_where_the_axis_says(void **state)
{
	(void)state;
	static int32_t depth = 9;
	struct node_builder b;
	node_builder_init(&b, OP_ONE_HOT, OPTIONS_ONE_HOT);
	node_builder_input(&b, DTYPE_INT64, SHAPE(2, 3));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SCALAR, &depth);
	node_builder_input(&b, DTYPE_BOOL, SCALAR);
	node_builder_input(&b, DTYPE_BOOL, SHAPE(1));
	node_builder_output(&b, DTYPE_BOOL);
	b.node.options.axis.axis = -1;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 9));
	b.node.options.axis.axis = 1;
	node_builder_accepts(&b, 0, SHAPE(2, 9, 3));
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(2, -1, 3));
	b.constants[t] = (const uint8_t *)&depth;
	depth = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -1");
	b.node.options.axis.axis = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 with indices of rank 2");
	b.tensors[3].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "input 3 (off value) is int8, must be bool");
}

static void segment_ids_have_the_first_dimensions_of_the_data(void **state)
{
	(void)state;
	static int32_t count = 4;
	struct node_builder b;
	node_builder_init(&b, OP_UNSORTED_SEGMENT_MAX, 0);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 3, 5));
	node_builder_input(&b, DTYPE_INT32, SHAPE(2, 3));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SCALAR, &count);
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(4, 5));
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, 5));
	b.constants[t] = (const uint8_t *)&count;
	b.shapes[t] = SHAPE(1, 1);
	node_builder_refuses(&b, -EBADMSG, "input 2 (number of segments) has rank 2, at most 1");
	b.shapes[t] = SHAPE(1);
	count = -2;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is -2");
	b.shapes[1] = SHAPE(2, 5);
	node_builder_refuses(&b, -EBADMSG, "segment ids 2x5 for data 2x3x5");
	b.tensors[0].type = DTYPE_INT64;
	node_builder_refuses(&b, -EOPNOTSUPP, "UNSORTED_SEGMENT_MAX v1 with int64 data");
}

static void only_a_run_knows_how_many_sorted_segments_there_are(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_SEGMENT_SUM, 0);
	node_builder_input(&b, DTYPE_INT32, SHAPE(6, 2));
	node_builder_input(&b, DTYPE_INT32, SHAPE(6));
	node_builder_output(&b, DTYPE_INT32);
	node_builder_accepts(&b, 0, SHAPE(-1, 2));
	node_builder_costs(&b, 12);
	b.shapes[0] = SCALAR;
	node_builder_refuses(&b, -EBADMSG, "segment ids 6 for data -");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scatter_nd_fits_updates_to_indices_and_shape),
		cmocka_unit_test(sparse_to_dense_takes_a_list_or_rows_of_indices),
		cmocka_unit_test(one_hot_puts_the_depth_where_the_axis_says),
		cmocka_unit_test(segment_ids_have_the_first_dimensions_of_the_data),
		cmocka_unit_test(only_a_run_knows_how_many_sorted_segments_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
