/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* Input 1x5x5x4, weights 6x3x3x4, bias 6; stride 1, no padding: 1x3x3x6. */
static void build_conv(
	struct node_builder *b, enum dtype input, enum dtype weights, enum dtype bias)
{
	node_builder_init(b, OP_CONV_2D, 1);
	node_builder_quantise(b, node_builder_input(b, input, SHAPE(1, 5, 5, 4)), 0.5f, 0);
	int32_t w = node_builder_input(b, weights, SHAPE(6, 3, 3, 4));
	node_builder_channels(b, w, 0, weights == DTYPE_UINT8 ? 1 : 6, 0.25f);
	node_builder_quantise(b, node_builder_input(b, bias, SHAPE(6)), 0.125f, 0);
	node_builder_quantise(b, node_builder_output(b, input), 0.125f, 0);
	b->node.options.conv = (struct options_conv){.stride_h = 1,
		.stride_w = 1,
		.dilation_h = 1,
		.dilation_w = 1,
		.padding = PADDING_VALID};
	if (input == DTYPE_INT16 && bias == DTYPE_INT32) {
		b->node.options.conv.quantized_bias_type = DTYPE_INT32;
	}
}

static void build_depthwise(struct node_builder *b, enum dtype input, enum dtype weights)
{
	build_conv(b, input, weights, input == DTYPE_FLOAT32 ? DTYPE_FLOAT32 : DTYPE_INT32);
	b->node.op = OP_DEPTHWISE_CONV_2D;
	b->node.options.table = 2;
	b->shapes[1] = SHAPE(1, 3, 3, 8);
	b->shapes[2] = SHAPE(8);
	node_builder_channels(b, 1, 3, weights == DTYPE_UINT8 ? 1 : 8, 0.25f);
}

static void conv_accepts_all_its_types(void **state)
{
	(void)state;
	static const uint8_t types[][3] = {
		{DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32},
		{DTYPE_UINT8, DTYPE_UINT8, DTYPE_INT32},
		{DTYPE_INT8, DTYPE_INT8, DTYPE_INT32},
		{DTYPE_INT8, DTYPE_INT4, DTYPE_INT32},
		{DTYPE_INT16, DTYPE_INT8, DTYPE_INT64},
		{DTYPE_INT16, DTYPE_INT8, DTYPE_INT32},
		{DTYPE_FLOAT32, DTYPE_INT8, DTYPE_FLOAT32},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct node_builder b;
		build_conv(&b, types[i][0], types[i][1], types[i][2]);
		node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 6));
		node_builder_costs(&b, 3 * 3 * 6 * 3 * 3 * 4);
	}
}

static void conv_refuses_other_types(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_FLOAT16, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EOPNOTSUPP,
		"CONV_2D v1 with float32 input and float16 weights is not there yet");
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.tensors[3].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "output is int16, must be int8");
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT64);
	node_builder_refuses(&b, -EBADMSG, "bias is int64, must be int32");
	build_conv(&b, DTYPE_INT16, DTYPE_INT8, DTYPE_INT64);
	b.node.options.conv.quantized_bias_type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "bias is int64, must be int32");
	b.node.options.conv.quantized_bias_type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "quantized_bias_type is int8");
}

static void conv_has_no_output_where_the_filter_just_does_not_fit(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.shapes[0] = SHAPE(1, 2, 5, 4);
	node_builder_accepts(&b, 0, SHAPE(1, 0, 3, 6));
	b.shapes[0] = SHAPE(1, 1, 5, 4);
	node_builder_refuses(&b, -EBADMSG, "filter 3x3 is larger than input 1x5");
}

static void conv_refuses_steps_out_of_range(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	struct options_conv *o = &b.node.options.conv;
	o->stride_h = 0;
	node_builder_refuses(&b, -EBADMSG, "stride 0x1");
	o->stride_h = 0x10000;
	node_builder_refuses(&b, -EBADMSG, "stride 65536x1");
	o->stride_h = 1;
	o->dilation_w = -2;
	node_builder_refuses(&b, -EBADMSG, "dilation 1x-2");
	o->dilation_w = 1;
	o->padding = 7;
	node_builder_refuses(&b, -EBADMSG, "padding 7");
	o->padding = PADDING_VALID;
	o->dilation_h = 32767;
	node_builder_refuses(&b, -EBADMSG, "filter 3x3 is larger than input 5x5");
	o->padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(1, 5, 5, 6));
	b.shapes[1] = SHAPE(6, 40000, 3, 4);
	node_builder_refuses(&b, -EBADMSG, "filter 40000x3");
}

static void conv_computes_sizes_as_tensorflow_does(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.node.options.conv.stride_h = 2;
	node_builder_accepts(&b, 0, SHAPE(1, 2, 3, 6));
	b.node.options.conv.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(1, 3, 5, 6));
	b.node.options.conv.padding = PADDING_VALID;
	b.node.options.conv.dilation_w = 2;
	node_builder_accepts(&b, 0, SHAPE(1, 2, 1, 6));
}

static void conv_refuses_shapes_that_do_not_fit(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.shapes[1] = SHAPE(6, 3, 3, 3);
	node_builder_refuses(&b, -EBADMSG, "filter has 3 input channels, input has 4");
	b.shapes[1] = SHAPE(6, 3, 3, 0);
	node_builder_refuses(&b, -EBADMSG, "weights of shape 6x3x3x0 is empty");
	b.shapes[1] = SHAPE(6, 3, 3, 2);
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 6));
	b.shapes[1] = SHAPE(6, 3, 3, 1);
	node_builder_refuses(&b, -EBADMSG, "6 output channels in 4 groups");
	b.shapes[1] = SHAPE(6, 3, 3, 4);
	b.shapes[2] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "bias is 5, output has 6 channels");
	b.shapes[0] = SHAPE(5, 5, 4);
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 4");
	b.shapes[0] = SHAPE(0, 5, 5, 4);
	b.shapes[2] = SHAPE(6);
	node_builder_accepts(&b, 0, SHAPE(0, 3, 3, 6));
	b.shapes[0] = SHAPE(1, 0, 5, 4);
	node_builder_refuses(&b, -EBADMSG, "input of shape 1x0x5x4 is empty");
}

static void conv_refuses_quantisation_that_does_not_fit(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	node_builder_channels(&b, 1, 0, 5, 0.25f);
	node_builder_refuses(&b, -EBADMSG, "weights has 5 scales, must have one, or 6");
	node_builder_channels(&b, 1, 3, 6, 0.25f);
	node_builder_refuses(&b, -EBADMSG, "weights is scaled along dimension 3, must be along 0");
	node_builder_channels(&b, 1, 0, 6, 0.25f);
	b.zeros[1][4] = 2;
	node_builder_refuses(&b, -EBADMSG, "weights (int8) has zero point 2, must have 0");
	b.zeros[1][4] = 0;
	b.scales[1][5] = 1e30f;
	node_builder_refuses(&b, -EBADMSG, "output channel 5: sum of products is rescaled by");
	b.scales[1][5] = 1e-30f;
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 6));
	b.tensors[0].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "input (int8) has 0 scales, must have one");
	build_conv(&b, DTYPE_UINT8, DTYPE_UINT8, DTYPE_INT32);
	node_builder_channels(&b, 1, 0, 6, 0.25f);
	node_builder_refuses(&b, -EBADMSG, "weights (uint8) has 6 scales, must have one");
	build_conv(&b, DTYPE_INT16, DTYPE_INT8, DTYPE_INT64);
	b.zeros[0][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "input (int16) has zero point 3, must have 0");
	b.zeros[0][0] = 0;
	b.scales[1][0] = 8192;
	node_builder_refuses(&b, -EBADMSG, "must be below 2^14");
}

static void conv_refuses_activations_that_are_no_clamp(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.node.options.conv.activation = ACTIVATION_TANH;
	node_builder_refuses(&b, -EOPNOTSUPP, "CONV_2D v1 with fused activation 4");
	b.node.options.conv.activation = ACTIVATION_RELU6;
	b.scales[3][0] = 1e-9f;
	b.scales[0][0] = 1e-9f;
	node_builder_refuses(&b, -EBADMSG, "limit of the fused activation is rescaled by 6e+09");
}

static void conv_wants_a_bias_and_depthwise_does_not(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.inputs[2] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "input 2 must be there");
	build_depthwise(&b, DTYPE_INT8, DTYPE_INT8);
	b.inputs[2] = TENSOR_NONE;
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 8));
	b.node.n_inputs = 2;
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 8));
}

static void hybrid_groups_need_a_scale_per_channel(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_INT8, DTYPE_FLOAT32);
	b.shapes[1] = SHAPE(6, 3, 3, 2);
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 6));
	node_builder_quantise(&b, 1, 0.5f, 0);
	node_builder_refuses(&b, -EBADMSG, "float32 input in 2 groups needs a scale per");
	build_depthwise(&b, DTYPE_FLOAT32, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 8));
	node_builder_quantise(&b, 1, 0.5f, 0);
	node_builder_accepts(&b, 0, SHAPE(1, 3, 3, 8));
}

static void a_bias_has_zero_point_zero(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	node_builder_quantise(&b, 2, 0.125f, 3);
	node_builder_refuses(&b, -EBADMSG, "bias (int32) has zero point 3, must have 0");
	build_depthwise(&b, DTYPE_INT8, DTYPE_INT8);
	node_builder_quantise(&b, 2, 0.125f, -1);
	node_builder_refuses(&b, -EBADMSG, "bias (int32) has zero point -1, must have 0");
}

static void depthwise_checks_its_channels(void **state)
{
	(void)state;
	struct node_builder b;
	build_depthwise(&b, DTYPE_INT8, DTYPE_INT8);
	node_builder_costs(&b, 3 * 3 * 8 * 3 * 3);
	b.shapes[0] = SHAPE(1, 5, 5, 3);
	node_builder_refuses(&b, -EBADMSG, "8 output channels, input has 3");
	b.shapes[1] = SHAPE(2, 3, 3, 8);
	node_builder_refuses(&b, -EBADMSG, "first dimension of the filter is 2, must be 1");
	build_depthwise(&b, DTYPE_INT16, DTYPE_INT8);
	node_builder_refuses(&b, -EBADMSG, "bias is int32, must be int64");
}

static void a_hostile_cost_does_not_wrap(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.shapes[0] = SHAPE(1, 16384, 32768, 1);
	b.shapes[1] = SHAPE(3, 1024, 1024, 1);
	b.shapes[2] = SHAPE(3);
	b.node.options.conv.padding = PADDING_SAME;
	node_builder_costs(&b, 16384ull * 32768 * 3 * 1024 * 1024);
	b.shapes[1] = SHAPE(3, 4096, 4097, 1);
	node_builder_refuses(&b, -EFBIG, "a window sees 16781312 elements, at most 16777216");
	b.shapes[1] = SHAPE(6, 1, 1, 1);
	b.shapes[2] = SHAPE(6);
	node_builder_refuses(&b, -EBADMSG, "output 0 of shape 1x16384x32768x6 is too large");
}

/* No look at a deadline is possible within an output. */
static void an_output_of_conv_has_at_most_a_million_products(void **state)
{
	(void)state;
	struct node_builder b;
	build_conv(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.shapes[0] = SHAPE(1, 2, 2, 1 << 18);
	b.shapes[1] = SHAPE(6, 2, 2, 1 << 18);
	node_builder_costs(&b, 6u << 20);
	b.shapes[0] = SHAPE(1, 2, 2, (1 << 18) + 1);
	b.shapes[1] = SHAPE(6, 2, 2, (1 << 18) + 1);
	node_builder_refuses(&b, -EFBIG, "an output has 1048580 products, the limit is 1048576");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_accepts_all_its_types),
		cmocka_unit_test(conv_refuses_other_types),
		cmocka_unit_test(conv_has_no_output_where_the_filter_just_does_not_fit),
		cmocka_unit_test(conv_refuses_steps_out_of_range),
		cmocka_unit_test(conv_computes_sizes_as_tensorflow_does),
		cmocka_unit_test(conv_refuses_shapes_that_do_not_fit),
		cmocka_unit_test(conv_refuses_quantisation_that_does_not_fit),
		cmocka_unit_test(conv_refuses_activations_that_are_no_clamp),
		cmocka_unit_test(conv_wants_a_bias_and_depthwise_does_not),
		cmocka_unit_test(hybrid_groups_need_a_scale_per_channel),
		cmocka_unit_test(a_bias_has_zero_point_zero),
		cmocka_unit_test(depthwise_checks_its_channels),
		cmocka_unit_test(a_hostile_cost_does_not_wrap),
		cmocka_unit_test(an_output_of_conv_has_at_most_a_million_products),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
