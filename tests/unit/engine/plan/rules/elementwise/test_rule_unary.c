/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, enum op op, enum dtype in, enum dtype out)
{
	node_builder_init(b, op, 0);
	node_builder_input(b, in, SHAPE(2, 3));
	node_builder_output(b, out);
}

static void scale(struct node_builder *b, float in, float out)
{
	node_builder_quantise(b, 0, in, 0);
	node_builder_quantise(b, 1, out, 0);
}

static void the_output_has_type_and_shape_of_the_input(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_NEG, DTYPE_INT64, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	node_builder_costs(&b, 6);
	build(&b, OP_NEG, DTYPE_INT64, DTYPE_INT32);
	node_builder_refuses(&b, -EBADMSG, "output is int32, must be int64");
	build(&b, OP_SQUARE, DTYPE_FLOAT16, DTYPE_FLOAT16);
	node_builder_refuses(&b, -EOPNOTSUPP, "SQUARE v1 with float16 input is not there yet");
	build(&b, OP_HARD_SWISH, DTYPE_INT16, DTYPE_INT16);
	node_builder_refuses(&b, -EOPNOTSUPP, "HARD_SWISH v1 with int16 input");
}

static void codes_need_a_scale_where_they_are_no_numbers(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ABS, DTYPE_INT16, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	scale(&b, 0.5f, 0.5f);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.zeros[1][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "output (int16) has zero point 3, must have 0");
	build(&b, OP_GELU, DTYPE_INT16, DTYPE_INT16);
	scale(&b, 0.5f, 0.5f);
	b.zeros[1][0] = 3;
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_ABS, DTYPE_INT8, DTYPE_INT8);
	node_builder_refuses(&b, -EBADMSG, "input (int8) has 0 scales, must have one");
	build(&b, OP_EXP, DTYPE_INT16, DTYPE_INT16);
	node_builder_refuses(&b, -EBADMSG, "input (int16) has 0 scales");
}

static void multipliers_stay_in_range(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ABS, DTYPE_INT8, DTYPE_INT8);
	scale(&b, 1, 1e-10f);
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 1e+10, must be below 2^30");
	build(&b, OP_HARD_SWISH, DTYPE_UINT8, DTYPE_UINT8);
	scale(&b, 1, 1.0f / 128);
	node_builder_refuses(&b, -EBADMSG, "input / 128 is rescaled by 1, must be below 2^0");
	scale(&b, 1, 1.0f / 127);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	scale(&b, 1e9f, 1e9f);
	node_builder_refuses(&b, -EBADMSG, "gate is rescaled by");
	build(&b, OP_RSQRT, DTYPE_INT8, DTYPE_INT8);
	scale(&b, 1e-30f, 1e-30f);
	node_builder_refuses(&b, -EBADMSG, "inverse square root is rescaled by");
	build(&b, OP_LOG, DTYPE_INT8, DTYPE_INT8);
	scale(&b, 1, 1e-40f);
	node_builder_refuses(&b, -EBADMSG, "1 is rescaled by inf");
}

static void a_slope_is_a_finite_number(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_LEAKY_RELU, OPTIONS_LEAKY_RELU);
	node_builder_input(&b, DTYPE_INT8, SHAPE(4));
	node_builder_output(&b, DTYPE_INT8);
	scale(&b, 1, 1);
	b.node.options.leaky_relu.alpha = -2;
	node_builder_accepts(&b, 0, SHAPE(4));
	b.node.options.leaky_relu.alpha = NAN;
	node_builder_refuses(&b, -EBADMSG, "input below zero is rescaled by");
	b.node.options.table = OPTIONS_NONE;
	node_builder_refuses(&b, -EBADMSG, "options are missing");
}

static void parts_of_complex_numbers_are_floats(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_IMAG, DTYPE_COMPLEX64, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_REAL, DTYPE_FLOAT32, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EOPNOTSUPP, "REAL v1 with float32 input is not there yet");
	build(&b, OP_COMPLEX_ABS, DTYPE_COMPLEX64, DTYPE_COMPLEX64);
	node_builder_refuses(&b, -EBADMSG, "output is complex64, must be float32");
}

static void fake_quant_has_a_range_and_bits(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_FAKE_QUANT, OPTIONS_FAKE_QUANT);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(4));
	node_builder_output(&b, DTYPE_FLOAT32);
	struct options_fake_quant *o = &b.node.options.fake_quant;
	*o = (struct options_fake_quant){.min = -1, .max = 1, .num_bits = 8};
	node_builder_accepts(&b, 0, SHAPE(4));
	o->narrow_range = true;
	node_builder_refuses(&b, -EOPNOTSUPP, "FAKE_QUANT v1 with narrow_range is not there yet");
	o->narrow_range = false;
	o->num_bits = 17;
	node_builder_refuses(&b, -EBADMSG, "17 bits, must be 1 to 16");
	o->num_bits = 8;
	o->max = -1;
	node_builder_refuses(&b, -EBADMSG, "range from -1 to -1");
	o->max = INFINITY;
	node_builder_refuses(&b, -EBADMSG, "range from -1 to inf");
}

static void alpha_stretches_to_the_input(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_PRELU, 0);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 1, 3));
	int32_t alpha = node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 3));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 1, 3));
	b.shapes[alpha] = SHAPE(4, 3);
	node_builder_refuses(&b, -EBADMSG, "alpha of shape 4x3 does not broadcast to 2x1x3");
	b.shapes[alpha] = SHAPE(1, 2, 1, 3);
	node_builder_refuses(&b, -EBADMSG, "alpha of shape 1x2x1x3 does not broadcast");
	b.shapes[alpha] = SHAPE(3);
	b.tensors[alpha].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "alpha is int8, must be float32");
}

static void quantised_alpha_has_one_scale(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_PRELU, 0);
	node_builder_quantise(&b, node_builder_input(&b, DTYPE_INT8, SHAPE(2, 3)), 1, 0);
	int32_t alpha = node_builder_input(&b, DTYPE_INT8, SHAPE(3));
	node_builder_quantise(&b, node_builder_output(&b, DTYPE_INT8), 1, 0);
	node_builder_refuses(&b, -EBADMSG, "alpha (int8) has 0 scales, must have one");
	node_builder_quantise(&b, alpha, 1e12f, 0);
	node_builder_refuses(&b, -EBADMSG, "input below zero is rescaled by 1e+12");
	node_builder_quantise(&b, alpha, 0.5f, 7);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
}

static void an_unknown_shape_stays_unknown(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_FLOOR, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.tensors[1].shape.rank = 1;
	b.shapes[0] = SHAPE(-1);
	node_builder_accepts(&b, 0, SHAPE(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_output_has_type_and_shape_of_the_input),
		cmocka_unit_test(codes_need_a_scale_where_they_are_no_numbers),
		cmocka_unit_test(multipliers_stay_in_range),
		cmocka_unit_test(a_slope_is_a_finite_number),
		cmocka_unit_test(parts_of_complex_numbers_are_floats),
		cmocka_unit_test(fake_quant_has_a_range_and_bits),
		cmocka_unit_test(alpha_stretches_to_the_input),
		cmocka_unit_test(quantised_alpha_has_one_scale),
		cmocka_unit_test(an_unknown_shape_stays_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
