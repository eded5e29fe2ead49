/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(
	struct node_builder *b, enum op op, enum dtype type, struct shape x, struct shape y)
{
	node_builder_init(b, op, 0);
	node_builder_input(b, type, x);
	node_builder_input(b, type, y);
	node_builder_output(b, type);
}

static void quantise(struct node_builder *b, float x, float y, float out)
{
	node_builder_quantise(b, 0, x, 0);
	node_builder_quantise(b, 1, y, 0);
	node_builder_quantise(b, 2, out, 0);
}

static void functions_stretch_their_operands(void **state)
{
	(void)state;
	static const enum op ops[] = {OP_FLOOR_DIV, OP_FLOOR_MOD, OP_MAXIMUM, OP_MINIMUM, OP_POW,
		OP_SQUARED_DIFFERENCE, OP_BITWISE_XOR, OP_RIGHT_SHIFT, OP_DIV};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct node_builder b;
		build(&b, ops[i], DTYPE_INT32, SHAPE(4, 1, 3), SHAPE(5, 1));
		node_builder_accepts(&b, 0, SHAPE(4, 5, 3));
		b.shapes[1] = SHAPE(2);
		node_builder_refuses(&b, -EBADMSG, "4x1x3 and 2 do not broadcast");
		b.shapes[1] = SHAPE(2, 1, 1, 1, 1, 1, 1, 1);
		node_builder_accepts(&b, 0, SHAPE(2, 1, 1, 1, 1, 4, 1, 3));
	}
}

static void angles_and_stablehlo_do_not_stretch(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ATAN2, DTYPE_FLOAT64, SHAPE(2, 3), SHAPE(2, 3));
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.shapes[1] = SHAPE(2, 1);
	node_builder_refuses(&b, -EBADMSG, "input 1 is 2x1, must be 2x3 as input 0 is");
	build(&b, OP_STABLEHLO_SHIFT_LEFT, DTYPE_INT16, SHAPE(2), SHAPE(1));
	node_builder_refuses(&b, -EBADMSG, "input 1 is 1, must be 2 as input 0 is");
	build(&b, OP_STABLEHLO_ADD, DTYPE_BOOL, SHAPE(2), SHAPE(2));
	node_builder_accepts(&b, 0, SHAPE(2));
}

static void operands_and_result_share_a_type(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_MAXIMUM, DTYPE_FLOAT16, SHAPE(3), SHAPE(3));
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "input 1 is float32, must be float16");
	b.tensors[1].type = DTYPE_FLOAT16;
	b.tensors[2].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "output is float32, must be float16");
}

static void types_that_the_reference_lacks_are_refused(void **state)
{
	(void)state;
	static const struct {
		enum op op;
		enum dtype type;
	} rows[] = {{OP_FLOOR_DIV, DTYPE_INT64}, {OP_DIV, DTYPE_INT64}, {OP_POW, DTYPE_INT64},
		{OP_MAXIMUM, DTYPE_UINT32}, {OP_SQUARED_DIFFERENCE, DTYPE_UINT8},
		{OP_BITWISE_XOR, DTYPE_BOOL}, {OP_RIGHT_SHIFT, DTYPE_INT64},
		{OP_LOGICAL_AND, DTYPE_INT8}, {OP_ATAN2, DTYPE_INT32},
		{OP_STABLEHLO_AND, DTYPE_FLOAT32}, {OP_STABLEHLO_SHIFT_LEFT, DTYPE_UINT8},
		{OP_STABLEHLO_MULTIPLY, DTYPE_COMPLEX64}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node_builder b;
		build(&b, rows[i].op, rows[i].type, SHAPE(3), SHAPE(3));
		node_builder_refuses(&b, -EOPNOTSUPP, "input is not there yet");
	}
}

static void quotients_check_their_scales(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_DIV, DTYPE_INT8, SHAPE(3), SHAPE(3));
	node_builder_refuses(&b, -EBADMSG, "input 0 (int8) has 0 scales, must have one");
	quantise(&b, 0.5f, 0.25f, 0.125f);
	node_builder_accepts(&b, 0, SHAPE(3));
	quantise(&b, 1e30f, 1e-30f, 1e-30f);
	node_builder_refuses(&b, -EBADMSG, "quotient is rescaled by inf");
	build(&b, OP_DIV, DTYPE_FLOAT32, SHAPE(3), SHAPE(3));
	b.node.options.arithmetic.activation = ACTIVATION_TANH;
	node_builder_refuses(&b, -EOPNOTSUPP, "fused activation 4 is not there yet");
}

/* (2 * 0.5)^2 / (2^14 * 2^-14) is 1, which the reference does not take. */
static void squares_are_rescaled_downwards_only(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SQUARED_DIFFERENCE, DTYPE_INT8, SHAPE(3), SHAPE(3));
	quantise(&b, 0.5f, 0.25f, 0x1p-13f);
	node_builder_accepts(&b, 0, SHAPE(3));
	quantise(&b, 0.5f, 0.25f, 0x1p-14f);
	node_builder_refuses(&b, -EBADMSG, "square is rescaled by 1, must be below 2^0");
	b.tensors[2].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "output (int8) has 0 scales");
}

static void add_n_sums_two_or_more_of_one_shape(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ADD_N, DTYPE_INT32, SHAPE(2, 3), SHAPE(2, 3));
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	node_builder_costs(&b, 12);
	node_builder_input(&b, DTYPE_INT32, SHAPE(3, 2));
	node_builder_refuses(&b, -EBADMSG, "input 2 is 3x2, must be 2x3 as input 0 is");
	b.tensors[3].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "input 2 is float32, must be int32");
	b.node.n_inputs = 1;
	node_builder_refuses(&b, -EBADMSG, "1 inputs, must be 2 or more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_stretch_their_operands),
		cmocka_unit_test(angles_and_stablehlo_do_not_stretch),
		cmocka_unit_test(operands_and_result_share_a_type),
		cmocka_unit_test(types_that_the_reference_lacks_are_refused),
		cmocka_unit_test(quotients_check_their_scales),
		cmocka_unit_test(squares_are_rescaled_downwards_only),
		cmocka_unit_test(add_n_sums_two_or_more_of_one_shape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
