/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, enum op op, uint16_t table, struct shape shape)
{
	node_builder_init(b, op, table);
	node_builder_input(b, DTYPE_FLOAT32, shape);
	node_builder_output(b, DTYPE_FLOAT32);
}

static void reshape_takes_its_target_from_the_options(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_RESHAPE, 17, SHAPE(2, 3, 4));
	struct options_reshape *o = &b.node.options.reshape;
	node_builder_refuses(&b, -EBADMSG, "no shape: neither an int32 vector nor an option");
	*o = (struct options_reshape){.n = 2, .new_shape = {6, -1}, .has_new_shape = true};
	node_builder_accepts(&b, 0, SHAPE(6, 4));
	o->new_shape[0] = -1;
	node_builder_refuses(&b, -EBADMSG, "two dimensions of the new shape are -1");
	o->new_shape[0] = 5;
	node_builder_refuses(&b, -EBADMSG, "24 elements into shape 5x");
	o->new_shape[0] = 0;
	node_builder_refuses(&b, -EBADMSG, "24 elements into shape 0x?");
	o->new_shape[0] = -7;
	node_builder_refuses(&b, -EBADMSG, "new dimension -7");
	o->new_shape[0] = 0x7fffffff;
	node_builder_refuses(&b, -EBADMSG, "new dimension 2147483647");
	o->n = 9;
	node_builder_refuses(&b, -EBADMSG, "new shape has 9 dimensions");
	*o = (struct options_reshape){.n = 1, .new_shape = {0}, .has_new_shape = true};
	b.shapes[0] = SHAPE(1, 1);
	node_builder_accepts(&b, 0, (struct shape){0});
}

static void reshape_products_do_not_wrap(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_RESHAPE, 17, SHAPE(4));
	b.node.options.reshape = (struct options_reshape){.n = 8,
		.new_shape = {65536, 65536, 65536, 65536, 2, 2, 1, 1},
		.has_new_shape = true};
	node_builder_refuses(&b, -EBADMSG, "4 elements into shape 65536x65536");
}

static void reshape_takes_its_target_from_a_tensor(void **state)
{
	(void)state;
	static const int32_t target[] = {4, -1};
	struct node_builder b;
	build(&b, OP_RESHAPE, 17, SHAPE(2, 3, 4));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(2), target);
	node_builder_accepts(&b, 0, SHAPE(4, 6));
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(9);
	node_builder_refuses(&b, -EBADMSG, "new shape has 9 dimensions");
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "output is int8, must be float32");
}

static void squeeze_drops_ones_only(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SQUEEZE, 30, SHAPE(1, 3, 1, 2));
	node_builder_accepts(&b, 0, SHAPE(3, 2));
	b.node.options.squeeze = (struct options_squeeze){.n = 2, .dims = {-2, 2}};
	node_builder_accepts(&b, 0, SHAPE(1, 3, 2));
	b.node.options.squeeze.dims[0] = 1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 to squeeze is 3, must be 1");
	b.node.options.squeeze.dims[0] = -5;
	node_builder_refuses(&b, -EBADMSG, "axis -5 of a tensor of rank 4");
	b.node.options.squeeze.n = 9;
	node_builder_refuses(&b, -EBADMSG, "9 dimensions to squeeze");
}

static void expand_dims_adds_one(void **state)
{
	(void)state;
	static int32_t axis = -1;
	struct node_builder b;
	build(&b, OP_EXPAND_DIMS, 52, SHAPE(2, 3));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 1));
	axis = 1;
	node_builder_accepts(&b, 0, SHAPE(2, 1, 3));
	axis = -100000;
	node_builder_refuses(&b, -EBADMSG, "axis -100000 of a tensor of rank 3");
	axis = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.shapes[t] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (axis) is 2, must have one element");
	b.tensors[t].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "input 1 (axis) is float32, must be int32 or int64");
	b.tensors[t].type = DTYPE_INT32;
	b.shapes[t] = SHAPE(1);
	node_builder_quantise(&b, b.node.outputs[0], 0.25f, 1);
	b.tensors[0].type = b.tensors[b.node.outputs[0]].type = DTYPE_UINT8;
	node_builder_refuses(&b, -EBADMSG, "input (uint8) has another scale than the output");
	node_builder_quantise(&b, 0, 0.25f, 1);
	b.shapes[0] = SHAPE(1, 1, 1, 1, 1, 1, 1, 1);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
}

static void transpose_wants_a_permutation(void **state)
{
	(void)state;
	static int32_t permutation[] = {2, 0, -2, 3, 4, 5, 6};
	struct node_builder b;
	build(&b, OP_TRANSPOSE, 26, SHAPE(2, 3, 4));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(3), permutation);
	node_builder_accepts(&b, 0, SHAPE(4, 2, 3));
	permutation[2] = 0;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 twice in the permutation");
	permutation[2] = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.shapes[t] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (permutation): 2 for a tensor of rank 3");
	b.tensors[t].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 1 (permutation) is int64, must be int32");
	b.tensors[t].type = DTYPE_INT32;
	b.shapes[0] = SHAPE(1, 1, 1, 1, 1, 1, 1);
	b.shapes[t] = SHAPE(7);
	node_builder_refuses(&b, -EOPNOTSUPP, "TRANSPOSE v1 of rank 7 (above 6)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reshape_takes_its_target_from_the_options),
		cmocka_unit_test(reshape_products_do_not_wrap),
		cmocka_unit_test(reshape_takes_its_target_from_a_tensor),
		cmocka_unit_test(squeeze_drops_ones_only),
		cmocka_unit_test(expand_dims_adds_one),
		cmocka_unit_test(transpose_wants_a_permutation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
