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
	node_builder_init(b, op, op == OP_ADD ? 11 : op == OP_SUB ? 28 : 21);
	node_builder_quantise(b, node_builder_input(b, type, x), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, type, y), 0.25f, 0);
	node_builder_quantise(b, node_builder_output(b, type), 0.5f, 0);
}

static void shapes_broadcast_from_the_end(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ADD, DTYPE_FLOAT32, SHAPE(4, 1, 3), SHAPE(5, 1));
	node_builder_accepts(&b, 0, SHAPE(4, 5, 3));
	b.shapes[1] = (struct shape){0};
	node_builder_accepts(&b, 0, SHAPE(4, 1, 3));
	b.shapes[0] = SHAPE(0, 3);
	b.shapes[1] = SHAPE(1, 3);
	node_builder_accepts(&b, 0, SHAPE(0, 3));
	b.shapes[1] = SHAPE(2, 3);
	node_builder_refuses(&b, -EBADMSG, "0x3 and 2x3 do not broadcast");
	b.shapes[0] = SHAPE(1, 1, 1, 1, 1, 1, 1, 2);
	b.shapes[1] = SHAPE(1, 1, 1, 1, 1, 1, 1, 2);
	node_builder_accepts(&b, 0, SHAPE(1, 1, 1, 1, 1, 1, 1, 2));
	b.shapes[1] = SHAPE(2);
	node_builder_accepts(&b, 0, SHAPE(1, 1, 1, 1, 1, 1, 1, 2));
	b.shapes[0] = SHAPE(65536, 1);
	b.shapes[1] = SHAPE(1, 65536);
	node_builder_refuses(&b, -EBADMSG, "output 0 of shape 65536x65536 is too large");
}

static void operands_share_a_type(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SUB, DTYPE_FLOAT32, SHAPE(3), SHAPE(3));
	b.tensors[1].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "input 1 is int32, must be float32");
	b.tensors[1].type = DTYPE_FLOAT32;
	b.tensors[2].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "output is int32, must be float32");
	build(&b, OP_SUB, DTYPE_FLOAT16, SHAPE(3), SHAPE(3));
	node_builder_refuses(&b, -EOPNOTSUPP, "SUB v1 with float16 input is not there yet");
	build(&b, OP_ADD, DTYPE_BOOL, SHAPE(3), SHAPE(3));
	node_builder_refuses(&b, -EOPNOTSUPP, "ADD v1 with bool input is not there yet");
}

static void sums_check_their_scales(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_ADD, DTYPE_INT8, SHAPE(3), SHAPE(3));
	node_builder_accepts(&b, 0, SHAPE(3));
	b.scales[2][0] = 1e-7f;
	node_builder_refuses(&b, -EBADMSG, "sum is rescaled by");
	b.tensors[1].quant.n_scales = 0;
	node_builder_refuses(&b, -EBADMSG, "input 1 (int8) has 0 scales, must have one");
	build(&b, OP_ADD, DTYPE_INT16, SHAPE(3), SHAPE(3));
	b.zeros[2][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "output (int16) has zero point 1, must have 0");
}

/* Codes pass as they are where nothing has a scale: the sum of a model that LiteRT aborts on. */
static void a_blockwise_zero_needs_no_scales(void **state)
{
	(void)state;
	static const uint8_t codes[3], one[1] = {1};
	struct node_builder b;
	node_builder_init(&b, OP_ADD, 11);
	node_builder_input(&b, DTYPE_INT8, SHAPE(3));
	node_builder_input(&b, DTYPE_INT8, SHAPE(3));
	node_builder_output(&b, DTYPE_INT8);
	node_builder_refuses(&b, -EBADMSG, "input 0 (int8) has 0 scales, must have one");
	b.tensors[1].quant = (struct quant){.block_size = 3, .block_zeros = TENSOR_NONE};
	node_builder_refuses(&b, -EBADMSG, "input 0 (int8) has 0 scales, must have one");
	b.tensors[1].data = codes;
	b.tensors[1].data_bytes = sizeof(codes);
	node_builder_accepts(&b, 0, SHAPE(3));
	b.tensors[1].quant.block_zeros = 4;
	b.tensors[4] = (struct tensor){.data = one, .data_bytes = sizeof(one)};
	node_builder_refuses(&b, -EBADMSG, "input 0 (int8) has 0 scales, must have one");
	b.tensors[4].data = codes;
	node_builder_accepts(&b, 0, SHAPE(3));
	node_builder_quantise(&b, 2, 0.5f, 0);
	node_builder_refuses(&b, -EBADMSG, "input 0 (int8) has 0 scales, must have one");
}

static void int16_sums_of_powers_of_two_only_shift_right(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SUB, DTYPE_INT16, SHAPE(3), SHAPE(3));
	b.node.options.arithmetic.pot_scale_int16 = true;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.scales[2][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "scales 2^-1, 2^-2 and 2^0 do not fit pot_scale_int16");
	b.scales[2][0] = 0.25f;
	node_builder_refuses(&b, -EBADMSG, "scales 2^-1, 2^-2 and 2^-2 do not fit");
	b.scales[2][0] = 0.3f;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.node.options.arithmetic.pot_scale_int16 = false;
	b.scales[2][0] = 1;
	node_builder_accepts(&b, 0, SHAPE(3));
}

static void products_of_int16_may_be_narrow(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_MUL, DTYPE_INT16, SHAPE(3), SHAPE(3));
	b.tensors[2].type = DTYPE_INT8;
	b.zeros[2][0] = 5;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.zeros[1][0] = 5;
	node_builder_refuses(&b, -EBADMSG, "input 1 (int16) has zero point 5, must have 0");
	build(&b, OP_MUL, DTYPE_COMPLEX64, SHAPE(3), SHAPE(3));
	node_builder_accepts(&b, 0, SHAPE(3));
	b.node.options.arithmetic.activation = ACTIVATION_RELU;
	node_builder_refuses(&b, -EBADMSG, "complex64 with fused activation 1");
}

static void dead_products_are_accepted_and_infinite_ones_are_not(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_MUL, DTYPE_UINT8, SHAPE(3), SHAPE(3));
	b.scales[2][0] = 1e-35f;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.scales[0][0] = 1e20f;
	b.scales[1][0] = 1e20f;
	node_builder_refuses(&b, -EBADMSG, "product is rescaled by inf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_broadcast_from_the_end),
		cmocka_unit_test(operands_share_a_type),
		cmocka_unit_test(sums_check_their_scales),
		cmocka_unit_test(a_blockwise_zero_needs_no_scales),
		cmocka_unit_test(int16_sums_of_powers_of_two_only_shift_right),
		cmocka_unit_test(products_of_int16_may_be_narrow),
		cmocka_unit_test(dead_products_are_accepted_and_infinite_ones_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
