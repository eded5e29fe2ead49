/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* Batch 2, input 3, 4 filters of rank 2, memory 5: 2 units. */
static void build(struct node_builder *b, enum dtype input, enum dtype feature, enum dtype time)
{
	enum dtype state = input == DTYPE_FLOAT32 ? DTYPE_FLOAT32 : DTYPE_INT16;
	node_builder_init(b, OP_SVDF, 6);
	node_builder_quantise(b, node_builder_input(b, input, SHAPE(2, 3)), 0.5f, 1);
	node_builder_quantise(b, node_builder_input(b, feature, SHAPE(4, 3)), 0.25f, 0);
	node_builder_quantise(b, node_builder_input(b, time, SHAPE(4, 5)), 0.25f, 0);
	node_builder_input(b, input == DTYPE_FLOAT32 ? DTYPE_FLOAT32 : DTYPE_INT32, SHAPE(2));
	node_builder_quantise(b, node_builder_variable(b, state, SHAPE(2, 20)), 0.125f, 0);
	node_builder_quantise(b, node_builder_output(b, input), 0.125f, 1);
	b->node.options.svdf = (struct options_svdf){.rank = 2, .activation = ACTIVATION_RELU};
}

static void svdf_accepts_its_three_kernels(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	build(&b, DTYPE_FLOAT32, DTYPE_INT8, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	node_builder_costs(&b, 2 * (4 * 3 + 4 * 5));
	b.inputs[3] = TENSOR_NONE;
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT8);
	node_builder_refuses(&b, -EOPNOTSUPP, "SVDF v1 with int8 input, int8 and int8 weights");
}

static void svdf_checks_its_shapes(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT16);
	b.node.options.svdf.rank = 0;
	node_builder_refuses(&b, -EBADMSG, "4 filters of rank 0");
	b.node.options.svdf.rank = 3;
	node_builder_refuses(&b, -EBADMSG, "4 filters of rank 3");
	b.node.options.svdf.rank = 2;
	b.shapes[1] = SHAPE(4, 7);
	node_builder_refuses(&b, -EBADMSG, "feature weights are 7 wide, input is 3");
	b.shapes[1] = SHAPE(4, 3);
	b.shapes[2] = SHAPE(3, 5);
	node_builder_refuses(&b, -EBADMSG, "time weights for 3 filters, there are 4");
	b.shapes[2] = SHAPE(4, 0);
	node_builder_refuses(&b, -EBADMSG, "input 2 (time weights) of shape 4x0 is empty");
	b.shapes[2] = SHAPE(4, 5);
	b.shapes[3] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "bias has 4 elements, output has 2 units");
	b.shapes[0] = SHAPE(2, 3, 1);
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 2");
}

static void svdf_writes_to_a_variable_of_its_own(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.shapes[4] = SHAPE(2, 19);
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) is 2x19, must have 40 elements");
	b.shapes[4] = SHAPE(2, 20);
	b.tensors[4].is_variable = false;
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) must be a variable");
	b.tensors[4].is_variable = true;
	b.tensors[4].data = (const uint8_t *)"";
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) must be a variable");
	b.tensors[4].data = NULL;
	b.inputs[3] = b.inputs[4];
	b.shapes[4] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) is input 3 as well");
}

static void svdf_of_int8_checks_scales_and_activation(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT16);
	b.node.options.svdf.activation = ACTIVATION_NONE;
	node_builder_refuses(&b, -EBADMSG, "int8 with fused activation 0, must be RELU");
	b.node.options.svdf.activation = ACTIVATION_RELU;
	b.zeros[4][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) (int16) has zero point 1");
	b.zeros[4][0] = 0;
	b.zeros[1][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "input 1 (feature weights) (int8) has zero point 1");
	b.zeros[1][0] = 0;
	b.scales[4][0] = 1e-12f;
	node_builder_refuses(&b, -EBADMSG, "feature is rescaled by 1.25e+11");
	b.scales[4][0] = 0.125f;
	b.scales[5][0] = 1e-12f;
	node_builder_refuses(&b, -EBADMSG, "output is rescaled by 3.125e+10");
	b.tensors[5].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "output (int8) has 0 scales, must have one");
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.node.options.svdf.activation = ACTIVATION_SIGN_BIT;
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	b.node.options.svdf.activation = 6;
	node_builder_refuses(&b, -EOPNOTSUPP, "SVDF v1 with fused activation 6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svdf_accepts_its_three_kernels),
		cmocka_unit_test(svdf_checks_its_shapes),
		cmocka_unit_test(svdf_writes_to_a_variable_of_its_own),
		cmocka_unit_test(svdf_of_int8_checks_scales_and_activation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
