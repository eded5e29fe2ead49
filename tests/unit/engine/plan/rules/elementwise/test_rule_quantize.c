/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, enum op op, enum dtype from, enum dtype to)
{
	node_builder_init(b, op, 0);
	node_builder_quantise(b, node_builder_input(b, from, SHAPE(2, 3)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, to), 0.5f, 0);
}

static void quantize_checks_both_sides(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_QUANTIZE, DTYPE_FLOAT32, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	node_builder_channels(&b, 1, 1, 3, 0.5f);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	node_builder_channels(&b, 1, 1, 2, 0.5f);
	node_builder_refuses(&b, -EBADMSG, "output has 2 scales, must have one, or 3");
	b.tensors[1].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "output (int8) has 0 scales, must have one");
	build(&b, OP_QUANTIZE, DTYPE_FLOAT32, DTYPE_INT16);
	node_builder_channels(&b, 1, 0, 2, 0.5f);
	b.zeros[1][1] = -3;
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_QUANTIZE, DTYPE_INT8, DTYPE_INT16);
	b.scales[1][0] = 1e-12f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 5e+11");
	build(&b, OP_QUANTIZE, DTYPE_INT16, DTYPE_UINT8);
	node_builder_refuses(&b, -EOPNOTSUPP, "QUANTIZE v1 from int16 to uint8 is not there yet");
}

static void zero_points_of_wide_integers_are_zero(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_QUANTIZE, DTYPE_INT16, DTYPE_INT16);
	b.zeros[1][0] = 7;
	node_builder_refuses(&b, -EBADMSG, "output (int16) has zero point 7, must have 0");
	build(&b, OP_QUANTIZE, DTYPE_INT16, DTYPE_INT8);
	b.zeros[0][0] = -32768;
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_QUANTIZE, DTYPE_INT32, DTYPE_INT8);
	b.zeros[0][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "input (int32) has zero point 3, must have 0");
}

static void dequantize_gives_float32(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_DEQUANTIZE, DTYPE_INT4, DTYPE_FLOAT32);
	node_builder_channels(&b, 0, 0, 2, 0.5f);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "output is int8, must be float32");
	build(&b, OP_DEQUANTIZE, DTYPE_INT16, DTYPE_FLOAT32);
	b.zeros[0][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "input (int16) has zero point 1, must have 0");
	build(&b, OP_DEQUANTIZE, DTYPE_UINT8, DTYPE_FLOAT32);
	b.tensors[0].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "input (uint8) has 0 scales, must have one");
	build(&b, OP_DEQUANTIZE, DTYPE_FLOAT32, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EOPNOTSUPP, "DEQUANTIZE v1 with float32 input");
}

static void verification_takes_codes_and_as_many_floats(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_NUMERIC_VERIFY, OPTIONS_NUMERIC_VERIFY);
	node_builder_quantise(&b, node_builder_input(&b, DTYPE_INT8, SHAPE(2, 3)), 0.5f, 3);
	int32_t reference = node_builder_input(&b, DTYPE_FLOAT32, SHAPE(6));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.shapes[reference] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "reference of 5 elements for 6");
	b.tensors[reference].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "reference is int8, must be float32");
	b.tensors[0].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "NumericVerify v1 with float32 input");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantize_checks_both_sides),
		cmocka_unit_test(zero_points_of_wide_integers_are_zero),
		cmocka_unit_test(dequantize_gives_float32),
		cmocka_unit_test(verification_takes_codes_and_as_many_floats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
