/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* Input 2x3x4x5, weights 6x3x2x5, stride 2x1. */
static void build(struct node_builder *b, enum dtype type, const int32_t *shape)
{
	enum dtype weights = type == DTYPE_INT16 ? DTYPE_INT8 : type;
	node_builder_init(b, OP_TRANSPOSE_CONV, OPTIONS_TRANSPOSE_CONV);
	node_builder_constant(b, DTYPE_INT32, SHAPE(4), shape);
	node_builder_quantise(b, node_builder_input(b, weights, SHAPE(6, 3, 2, 5)), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 3, 4, 5)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, type), 0.5f, 0);
	b->node.options.conv = (struct options_conv){.stride_h = 2, .stride_w = 1};
}

static void every_shape_that_leads_back_to_the_input_is_taken(void **state)
{
	(void)state;
	static int32_t shape[] = {2, 6, 4, 6};
	static const uint8_t types[] = {DTYPE_FLOAT32, DTYPE_UINT8, DTYPE_INT8, DTYPE_INT16};
	struct node_builder b;
	for (size_t i = 0; i < sizeof(types); i++) {
		build(&b, types[i], shape);
		node_builder_accepts(&b, 0, SHAPE(2, 6, 4, 6));
		node_builder_costs(&b, 2 * 3 * 4 * 6 * 3 * 2 * 5);
	}
	shape[1] = 5;
	node_builder_accepts(&b, 0, SHAPE(2, 5, 4, 6));
	b.node.options.conv.padding = PADDING_VALID;
	shape[1] = 8;
	shape[2] = 5;
	node_builder_accepts(&b, 0, SHAPE(2, 8, 5, 6));
	b.constants[0] = NULL;
	node_builder_accepts(&b, 0, SHAPE(2, -1, -1, 6));
}

static void shapes_that_a_run_may_bring_are_refused(void **state)
{
	(void)state;
	static int32_t shape[] = {2, 6, 4, 6};
	static const struct {
		int32_t at, value;
		const char *text;
	} wrong[] = {
		{0, 3, "dimension 0 of the output is 3, must be the input's"},
		{1, 0, "dimension 1 of the output is 0"},
		{1, -6, "dimension 1 of the output is -6"},
		{1, 7, "dimension 1 of the output is 7, has 4 windows for 3 elements of the input"},
		{2, INT32_MAX, "dimension 2 of the output is 2147483647"},
		{3, 5, "dimension 3 of the output is 5, must be the weights'"},
	};
	struct node_builder b;
	build(&b, DTYPE_INT8, shape);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int32_t held = shape[wrong[i].at];
		shape[wrong[i].at] = wrong[i].value;
		node_builder_refuses(&b, -EBADMSG, wrong[i].text);
		shape[wrong[i].at] = held;
	}
	node_builder_accepts(&b, 0, SHAPE(2, 6, 4, 6));
}

static void operands_are_checked(void **state)
{
	(void)state;
	static const int32_t shape[] = {2, 6, 4, 6};
	struct node_builder b;
	build(&b, DTYPE_INT8, shape);
	node_builder_input(&b, DTYPE_INT32, SHAPE(5));
	node_builder_refuses(&b, -EBADMSG, "bias is 5, output has 6 channels");
	b.shapes[4] = SHAPE(6);
	node_builder_accepts(&b, 0, SHAPE(2, 6, 4, 6));
	b.node.options.conv.stride_h = 0;
	node_builder_refuses(&b, -EBADMSG, "stride 0");
	b.shapes[1] = SHAPE(6, 3, 2, 4);
	node_builder_refuses(&b, -EBADMSG, "weights have 4 input channels, input has 5");
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "weights is float32, must be int8");
	b.tensors[2].type = DTYPE_INT32;
	node_builder_refuses(
		&b, -EOPNOTSUPP, "TRANSPOSE_CONV v1 with int32 input is not there yet");
}

static void three_dimensions_have_the_weights_the_other_way_round(void **state)
{
	(void)state;
	static int32_t shape[] = {1, 2, 5, 4, 6};
	struct node_builder b;
	node_builder_init(&b, OP_CONV_3D_TRANSPOSE, OPTIONS_CONV_3D);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(5), shape);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 3, 2, 6, 5));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 3, 4, 5));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.conv_3d = (struct options_conv_3d){.stride_d = 1,
		.stride_h = 2,
		.stride_w = 1,
		.dilation_d = 1,
		.dilation_h = 1,
		.dilation_w = 1};
	node_builder_accepts(&b, 0, SHAPE(1, 2, 5, 4, 6));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(5));
	node_builder_refuses(&b, -EBADMSG, "bias is 5, output has 6 channels");
	b.node.n_inputs = 3;
	shape[4] = 12;
	node_builder_refuses(&b, -EBADMSG, "dimension 4 of the output is 12");
	b.tensors[2].type = DTYPE_INT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "int8 input is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_that_leads_back_to_the_input_is_taken),
		cmocka_unit_test(shapes_that_a_run_may_bring_are_refused),
		cmocka_unit_test(operands_are_checked),
		cmocka_unit_test(three_dimensions_have_the_weights_the_other_way_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
