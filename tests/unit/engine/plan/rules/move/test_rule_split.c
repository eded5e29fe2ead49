/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_concatenation(struct node_builder *b, enum dtype type)
{
	node_builder_init(b, OP_CONCATENATION, 10);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 3)), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 4)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, type), 0.5f, 0);
	b->node.options.axis.axis = -1;
}

static void concatenation_adds_up_one_dimension(void **state)
{
	(void)state;
	struct node_builder b;
	build_concatenation(&b, DTYPE_INT32);
	node_builder_accepts(&b, 0, SHAPE(2, 7));
	b.node.options.axis.axis = 0;
	node_builder_refuses(&b, -EBADMSG, "input 1 is 2x4, input 0 is 2x3, axis 0");
	b.node.options.axis.axis = 2;
	node_builder_refuses(&b, -EBADMSG, "axis 2 of a tensor of rank 2");
	b.node.options.axis.axis = 1;
	b.node.options.axis.activation = ACTIVATION_RELU;
	node_builder_refuses(&b, -EBADMSG, "fused activation 1");
	b.node.options.axis.activation = 0;
	b.shapes[0] = SHAPE(2, 1 << 24);
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is above 16777216");
	b.shapes[0] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "axis 1 of a tensor of rank 1");
	b.node.n_inputs = 0;
	node_builder_refuses(&b, -EBADMSG, "0 inputs, must be 1 or more");
}

static void concatenated_bytes_agree_on_scales(void **state)
{
	(void)state;
	struct node_builder b;
	build_concatenation(&b, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(2, 7));
	b.scales[1][0] = 0.25f;
	node_builder_refuses(&b, -EBADMSG, "input 1 (int8) has another scale than the output");
	build_concatenation(&b, DTYPE_UINT8);
	b.scales[1][0] = 0.25f;
	node_builder_accepts(&b, 0, SHAPE(2, 7));
	b.scales[1][0] = 1e8f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 2e+08, must be below 2^22");
	b.tensors[1].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "input 1 has 0 scales, output has 1");
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "input is int8, must be uint8");
}

static void concatenated_int16_has_zero_point_zero(void **state)
{
	(void)state;
	struct node_builder b;
	build_concatenation(&b, DTYPE_INT16);
	b.scales[1][0] = 0.25f;
	node_builder_accepts(&b, 0, SHAPE(2, 7));
	b.zeros[2][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "output (int16) has zero point 1, must have 0");
	b.zeros[2][0] = 0;
	b.zeros[1][0] = 2;
	node_builder_refuses(&b, -EBADMSG, "input (int16) has zero point 2, must have 0");
}

static void build_split(struct node_builder *b, const int32_t *axis, int32_t count)
{
	node_builder_init(b, OP_SPLIT, 35);
	node_builder_constant(b, DTYPE_INT32, (struct shape){0}, axis);
	node_builder_input(b, DTYPE_INT8, SHAPE(4, 6));
	for (int32_t i = 0; i < count; i++) {
		node_builder_output(b, DTYPE_INT8);
	}
	b->node.options.axis.count = count;
}

static void split_makes_equal_parts(void **state)
{
	(void)state;
	static int32_t axis = -1;
	struct node_builder b;
	build_split(&b, &axis, 3);
	node_builder_accepts(&b, 2, SHAPE(4, 2));
	axis = 0;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of 4 in 3 equal parts");
	axis = 2;
	node_builder_refuses(&b, -EBADMSG, "axis 2 of a tensor of rank 2");
	b.constants[0] = NULL;
	node_builder_accepts(&b, 1, SHAPE(-1, -1));
	b.node.options.axis.count = 0;
	node_builder_refuses(&b, -EBADMSG, "0 splits into 3 outputs");
	b.node.options.axis.count = 3;
	b.tensors[3].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "output is int16, must be int8");
	b.tensors[1].type = DTYPE_BOOL;
	node_builder_refuses(&b, -EOPNOTSUPP, "SPLIT v1 with bool input is not there yet");
}

static void split_v_sizes_fill_the_dimension(void **state)
{
	(void)state;
	static int64_t sizes[] = {1, -1, 3};
	static int32_t axis = 1;
	struct node_builder b;
	node_builder_init(&b, OP_SPLIT_V, 79);
	node_builder_input(&b, DTYPE_INT16, SHAPE(4, 6));
	int32_t t = node_builder_constant(&b, DTYPE_INT64, SHAPE(3), sizes);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	for (int i = 0; i < 3; i++) {
		node_builder_output(&b, DTYPE_INT16);
	}
	b.node.options.axis.count = 3;
	node_builder_accepts(&b, 1, SHAPE(4, 2));
	sizes[0] = -1;
	node_builder_refuses(&b, -EBADMSG, "size -1 of part 1 of 6: a second -1");
	sizes[0] = -2;
	node_builder_refuses(&b, -EBADMSG, "size -2 of part 0 of 6");
	sizes[0] = INT64_MAX;
	node_builder_refuses(&b, -EBADMSG, "size 9223372036854775807 of part 0 of 6");
	sizes[0] = 4;
	node_builder_refuses(&b, -EBADMSG, "sizes add up to 7, dimension 1 is 6");
	sizes[0] = 3;
	node_builder_accepts(&b, 1, SHAPE(4, 0));
	node_builder_costs(&b, 4 * 6 + 4 * 3); /* empty parts are visited too */
	sizes[1] = 1;
	node_builder_refuses(&b, -EBADMSG, "sizes add up to 7, dimension 1 is 6");
	axis = -3;
	node_builder_refuses(&b, -EBADMSG, "axis -3 of a tensor of rank 2");
	axis = 1;
	b.constants[t] = NULL;
	node_builder_accepts(&b, 2, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (sizes): 2 for 3 outputs");
	b.tensors[t].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "input 1 (sizes) is int16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concatenation_adds_up_one_dimension),
		cmocka_unit_test(concatenated_bytes_agree_on_scales),
		cmocka_unit_test(concatenated_int16_has_zero_point_zero),
		cmocka_unit_test(split_makes_equal_parts),
		cmocka_unit_test(split_v_sizes_fill_the_dimension),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
