/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

#define SCALAR ((struct shape){0})

static void build_gather(struct node_builder *b, enum dtype type, int32_t axis, int32_t batch)
{
	node_builder_init(b, OP_GATHER, OPTIONS_GATHER);
	node_builder_input(b, type, SHAPE(2, 3, 4));
	node_builder_input(b, DTYPE_INT32, SHAPE(2, 5));
	node_builder_output(b, type);
	b->node.options.axis.axis = axis;
	b->node.options.axis.count = batch;
}

static void gather_puts_the_indices_in_the_place_of_the_axis(void **state)
{
	(void)state;
	struct node_builder b;
	build_gather(&b, DTYPE_INT8, 1, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 2, 5, 4));
	b.node.options.axis.axis = -1;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 2, 5));
	b.node.options.axis.axis = 2;
	b.node.options.axis.count = 1;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 5));
	b.node.options.axis.count = -1;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 5));
	b.shapes[1] = SHAPE(1, 1, 1, 1, 1, 1, 1);
	b.node.options.axis.count = 0;
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
}

static void gather_refuses_what_does_not_fit(void **state)
{
	(void)state;
	struct node_builder b;
	build_gather(&b, DTYPE_FLOAT32, 3, 0);
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.node.options.axis.axis = 1;
	b.node.options.axis.count = 2;
	node_builder_refuses(&b, -EBADMSG, "2 batch dimensions with axis 1");
	b.node.options.axis.axis = 2;
	node_builder_refuses(&b, -EBADMSG, "batch dimension 1 is 3 in the input, 5 in the indices");
	b.node.options.axis.count = INT32_MIN;
	node_builder_refuses(&b, -EBADMSG, "-2147483648 batch dimensions");
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "GATHER v1 with float32 indices is not there yet");
	build_gather(&b, DTYPE_STRING, 0, 0);
	node_builder_refuses(&b, -EBADMSG, "input (string) has rank 3, must have 1");
	build_gather(&b, DTYPE_UINT16, 0, 0);
	node_builder_refuses(&b, -EOPNOTSUPP, "GATHER v1 with uint16 input is not there yet");
}

static void gather_nd_takes_as_many_indices_as_dimensions(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_GATHER_ND, 0);
	node_builder_input(&b, DTYPE_STRING, SHAPE(2, 3, 4));
	node_builder_input(&b, DTYPE_INT16, SHAPE(7, 2));
	node_builder_output(&b, DTYPE_STRING);
	node_builder_accepts(&b, 0, SHAPE(7, 4));
	b.shapes[1] = SHAPE(7, 0);
	node_builder_accepts(&b, 0, SHAPE(7, 2, 3, 4));
	b.shapes[1] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "indices of 4 dimensions for an input of 3");
	b.shapes[1] = SCALAR;
	node_builder_refuses(&b, -EBADMSG, "indices has rank 0, must have 1 or more");
}

static void embeddings_become_floats_by_scales_around_zero(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_EMBEDDING_LOOKUP, 0);
	node_builder_input(&b, DTYPE_INT32, SHAPE(3));
	int32_t table = node_builder_input(&b, DTYPE_INT8, SHAPE(4, 5, 2));
	int32_t output = node_builder_output(&b, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(3, 5, 2));
	b.tensors[output].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "table (int8) has no scale");
	node_builder_channels(&b, table, 0, 4, 0.5f);
	node_builder_accepts(&b, 0, SHAPE(3, 5, 2));
	b.zeros[table][2] = 1;
	node_builder_refuses(&b, -EBADMSG, "table (int8) has zero point 1, must have 0");
	node_builder_channels(&b, table, 1, 5, 0.5f);
	node_builder_refuses(&b, -EBADMSG, "table has 5 scales, must have one, or 4");
	b.tensors[output].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "output is int32, must be int8");
	b.shapes[table] = SHAPE(4);
	b.tensors[output].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "table has rank 1, must have 2 or more");
}

static void sparse_embeddings_take_the_place_of_the_last_dimension(void **state)
{
	(void)state;
	static int32_t dense[] = {6, 3};
	struct node_builder b;
	node_builder_init(&b, OP_EMBEDDING_LOOKUP_SPARSE, OPTIONS_EMBEDDING_LOOKUP_SPARSE);
	node_builder_input(&b, DTYPE_INT32, SHAPE(4));
	node_builder_input(&b, DTYPE_INT32, SHAPE(4, 2));
	int32_t shape = node_builder_constant(&b, DTYPE_INT32, SHAPE(2), dense);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(4));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(9, 5));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.constants[shape] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.constants[shape] = (const uint8_t *)dense;
	dense[0] = -6;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is -6");
	b.shapes[3] = SHAPE(3);
	node_builder_refuses(&b, -EBADMSG, "4 ids with 4 indices and 3 weights");
	b.shapes[3] = SHAPE(4);
	b.shapes[1] = SHAPE(4, 3);
	node_builder_refuses(&b, -EBADMSG, "indices of 3 dimensions, a shape of 2");
	b.shapes[1] = SHAPE(4, 2);
	b.node.options.embedding_sparse.combiner = 3;
	node_builder_refuses(&b, -EBADMSG, "combiner 3");
}

static void a_table_has_as_many_keys_as_values(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_HASHTABLE_LOOKUP, 0);
	node_builder_input(&b, DTYPE_INT32, SHAPE(7));
	node_builder_input(&b, DTYPE_INT32, SHAPE(3));
	node_builder_input(&b, DTYPE_COMPLEX64, SHAPE(3, 2));
	node_builder_output(&b, DTYPE_COMPLEX64);
	node_builder_output(&b, DTYPE_UINT8);
	node_builder_accepts(&b, 0, SHAPE(7, 2));
	node_builder_accepts(&b, 1, SHAPE(7));
	b.shapes[1] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "4 keys for 3 values");
	b.shapes[1] = SHAPE(0);
	b.shapes[2] = SHAPE(0, 2);
	node_builder_refuses(&b, -EBADMSG, "0 keys for 0 values");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gather_puts_the_indices_in_the_place_of_the_axis),
		cmocka_unit_test(gather_refuses_what_does_not_fit),
		cmocka_unit_test(gather_nd_takes_as_many_indices_as_dimensions),
		cmocka_unit_test(embeddings_become_floats_by_scales_around_zero),
		cmocka_unit_test(sparse_embeddings_take_the_place_of_the_last_dimension),
		cmocka_unit_test(a_table_has_as_many_keys_as_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
