/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_pack(struct node_builder *b, struct shape in, int32_t axis)
{
	node_builder_init(b, OP_PACK, OPTIONS_PACK);
	node_builder_quantise(b, node_builder_input(b, DTYPE_INT16, in), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, DTYPE_INT16, in), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, DTYPE_INT16), 0.5f, 0);
	b->node.options.axis.axis = axis;
	b->node.options.axis.count = 2;
}

static void pack_adds_a_dimension(void **state)
{
	(void)state;
	struct node_builder b;
	build_pack(&b, SHAPE(3, 4), 1);
	node_builder_accepts(&b, 0, SHAPE(3, 2, 4));
	b.node.options.axis.axis = -1;
	node_builder_accepts(&b, 0, SHAPE(3, 4, 2));
	b.node.options.axis.axis = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.node.options.axis.axis = 0;
	b.shapes[1] = SHAPE(3, 5);
	node_builder_refuses(&b, -EBADMSG, "input 1 is 3x5, input 0 is 3x4");
	b.scales[1][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "input (int16) has another scale than the output");
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "input is int8, must be int16");
	b.node.options.axis.count = 3;
	node_builder_refuses(&b, -EBADMSG, "2 inputs, the options say 3");
	build_pack(&b, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), 0);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
}

static void unpack_has_an_output_for_each_index(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_UNPACK, OPTIONS_UNPACK);
	node_builder_input(&b, DTYPE_BOOL, SHAPE(3, 2));
	node_builder_output(&b, DTYPE_BOOL);
	node_builder_output(&b, DTYPE_BOOL);
	b.node.options.axis.axis = -1;
	b.node.options.axis.count = 2;
	node_builder_accepts(&b, 1, SHAPE(3));
	b.node.options.axis.count = 3;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of 2 into 2 outputs, 3 in the options");
	b.node.options.axis.axis = 2;
	node_builder_refuses(&b, -EBADMSG, "axis 2 of a tensor of rank 2");
	b.shapes[0] = (struct shape){0};
	b.node.options.axis.axis = 0;
	node_builder_refuses(&b, -EBADMSG, "axis 0 of a tensor of rank 0");
}

static void stacked_codes_keep_their_scale_and_type(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_UNPACK, OPTIONS_UNPACK);
	node_builder_quantise(&b, node_builder_input(&b, DTYPE_INT8, SHAPE(1, 2)), 0.5f, 3);
	int32_t out = node_builder_output(&b, DTYPE_INT8);
	node_builder_quantise(&b, out, 0.5f, 3);
	b.node.options.axis.count = 1;
	node_builder_accepts(&b, 0, SHAPE(2));
	node_builder_quantise(&b, out, 0.5f, 4);
	node_builder_refuses(&b, -EBADMSG, "input (int8) has another scale than the output");
	build_pack(&b, SHAPE(2), 0);
	for (uint32_t i = 0; i < 3; i++) {
		b.tensors[i].type = DTYPE_UINT16;
	}
	node_builder_refuses(&b, -EOPNOTSUPP, "PACK v1 with uint16 input is not there yet");
}

static void tile_multiplies_dimensions(void **state)
{
	(void)state;
	struct node_builder b;
	int64_t times[2] = {2, 0};
	node_builder_init(&b, OP_TILE, 0);
	node_builder_input(&b, DTYPE_STRING, SHAPE(3, 4));
	int32_t t = node_builder_constant(&b, DTYPE_INT64, SHAPE(2), times);
	node_builder_output(&b, DTYPE_STRING);
	node_builder_accepts(&b, 0, SHAPE(6, 0));
	times[1] = -1;
	node_builder_refuses(&b, -EBADMSG, "multiplier -1");
	times[1] = INT64_MAX;
	node_builder_refuses(&b, -EBADMSG, "multiplier 9223372036854775807");
	times[1] = 1 << 24;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is 67108864");
	times[0] = times[1] = 1 << 20;
	node_builder_refuses(&b, -EBADMSG, "output 0 of shape 3145728x4194304 is too large");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(3);
	node_builder_refuses(&b, -EBADMSG, "input 1 (multipliers) is 3, must be 2");
}

static void fill_takes_its_shape_from_a_list(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t dims[3] = {2, 0, 3};
	node_builder_init(&b, OP_FILL, 0);
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(3), dims);
	int32_t value = node_builder_input(&b, DTYPE_STRING, (struct shape){0});
	node_builder_output(&b, DTYPE_STRING);
	node_builder_accepts(&b, 0, SHAPE(2, 0, 3));
	dims[1] = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -1");
	b.shapes[t] = SHAPE(0);
	node_builder_accepts(&b, 0, (struct shape){0});
	b.shapes[t] = SHAPE(9);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
	b.shapes[value] = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "input 1 (value) has rank 1, must have 0");
}

static void shape_and_rank_ask_for_integers(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_SHAPE, OPTIONS_SHAPE);
	node_builder_input(&b, DTYPE_STRING, SHAPE(2, 3, 4));
	int32_t out = node_builder_output(&b, DTYPE_INT64);
	b.node.options.out_type.type = DTYPE_INT64;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.tensors[out].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "output is int32, must be int64");
	b.node.options.out_type.type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "a shape in float32, must be int32 or int64");
	b.node.op = OP_RANK;
	node_builder_accepts(&b, 0, (struct shape){0});
}

static void diagonals_fit_their_matrices(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_MATRIX_DIAG, 0);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 3));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 3));
	b.shapes[0] = (struct shape){0};
	node_builder_refuses(&b, -EBADMSG, "input has rank 0, must have 1 or more");
	node_builder_init(&b, OP_MATRIX_SET_DIAG, 0);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 5, 3));
	int32_t diagonal = node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 3));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 5, 3));
	b.shapes[diagonal] = SHAPE(2, 5);
	node_builder_refuses(&b, -EBADMSG, "input 1 (diagonal) is 2x5, must be 2x3");
	b.shapes[0] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "input has rank 1, must have 2 or more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_adds_a_dimension),
		cmocka_unit_test(unpack_has_an_output_for_each_index),
		cmocka_unit_test(stacked_codes_keep_their_scale_and_type),
		cmocka_unit_test(tile_multiplies_dimensions),
		cmocka_unit_test(fill_takes_its_shape_from_a_list),
		cmocka_unit_test(shape_and_rank_ask_for_integers),
		cmocka_unit_test(diagonals_fit_their_matrices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
