/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* Input 2x3x4, weights 5x4, bias 5. */
static void build(struct node_builder *b, enum dtype input, enum dtype weights, enum dtype bias)
{
	node_builder_init(b, OP_FULLY_CONNECTED, 8);
	node_builder_quantise(b, node_builder_input(b, input, SHAPE(2, 3, 4)), 0.5f, 0);
	node_builder_quantise(b, node_builder_input(b, weights, SHAPE(5, 4)), 0.25f, 0);
	node_builder_quantise(b, node_builder_input(b, bias, SHAPE(5)), 0.125f, 0);
	node_builder_quantise(b, node_builder_output(b, input), 0.125f, 0);
}

static void rows_are_as_wide_as_the_weights(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	node_builder_costs(&b, 6 * 5 * 4);
	b.tensors[2].quant.scale = (const float[]){0.1275f}; /* 0.02 of the output's scale */
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.tensors[2].quant.scale = (const float[]){0.1276f};
	node_builder_refuses(&b, -EBADMSG, "bias has scale 0.1276, products have 0.125");
	b.tensors[2].quant.scale = (const float[]){0.125f};
	b.node.options.fully_connected.keep_num_dims = true;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 5));
	b.shapes[0] = SHAPE(2, 4, 3);
	node_builder_refuses(&b, -EBADMSG, "last dimension of input 2x4x3 must be 4");
	b.node.options.fully_connected.keep_num_dims = false;
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.shapes[0] = SHAPE(14);
	node_builder_refuses(&b, -EBADMSG, "input 14 in rows of 4");
	b.shapes[0] = SHAPE(0, 4);
	node_builder_accepts(&b, 0, SHAPE(0, 5));
	b.shapes[1] = SHAPE(0, 4);
	node_builder_refuses(&b, -EBADMSG, "weights have no rows");
	b.shapes[0] = SHAPE(3, 2, 0);
	b.shapes[1] = SHAPE(5, 0);
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.shapes[1] = SHAPE(5, 4, 1);
	node_builder_refuses(&b, -EBADMSG, "weights has rank 3, must have 2");
}

static void int16_sums_follow_the_option(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT16, DTYPE_INT8, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.node.options.fully_connected.quantized_bias_type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "bias is int64, must be int32");
	b.tensors[2].type = DTYPE_INT32;
	node_builder_accepts(&b, 0, SHAPE(6, 5));
}

static void other_types_and_formats_are_refused(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_INT16, DTYPE_INT16, DTYPE_INT64);
	node_builder_refuses(&b, -EOPNOTSUPP,
		"FULLY_CONNECTED v1 with int16 input and int16 weights is not there yet");
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.node.options.fully_connected.weights_format = 1;
	node_builder_refuses(&b, -EOPNOTSUPP, "shuffled weights");
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT32);
	node_builder_refuses(&b, -EBADMSG, "bias is int32, must be float32");
	build(&b, DTYPE_INT8, DTYPE_INT8, DTYPE_INT32);
	b.tensors[3].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "FULLY_CONNECTED v1 with float32 output");
}

static void only_weights_may_be_sparse(void **state)
{
	(void)state;
	struct node_builder b;
	const struct sparsity sparsity = {0};
	build(&b, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	b.tensors[1].sparsity = &sparsity;
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.tensors[2].sparsity = &sparsity;
	node_builder_refuses(&b, -EOPNOTSUPP, "sparse bias is not there yet");
	b.tensors[2].sparsity = NULL;
	b.tensors[0].sparsity = &sparsity;
	node_builder_refuses(&b, -EOPNOTSUPP, "sparse input is not there yet");
}

/* Input 2x8, int4 weights 3x8 in blocks of 4; tensors 4 and 5 have scales and zero points. */
static void build_blockwise(struct node_builder *b)
{
	static const uint8_t codes[12], scales[2 * 6], zeros[4 * 6];
	build(b, DTYPE_FLOAT32, DTYPE_INT4, DTYPE_FLOAT32);
	b->shapes[0] = SHAPE(2, 8);
	b->shapes[1] = b->tensors[1].shape = SHAPE(3, 8);
	b->shapes[2] = SHAPE(3);
	b->tensors[1].data = codes;
	b->tensors[1].quant =
		(struct quant){.block_size = 4, .block_scales = 4, .block_zeros = TENSOR_NONE};
	b->tensors[4] = (struct tensor){
		.type = DTYPE_FLOAT16, .shape = SHAPE(3, 2), .data = scales, .data_bytes = 12};
	b->tensors[5] = (struct tensor){
		.type = DTYPE_INT32, .shape = SHAPE(3, 2), .data = zeros, .data_bytes = 24};
}

static void blocks_have_a_scale_each(void **state)
{
	(void)state;
	struct node_builder b;
	build_blockwise(&b);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.tensors[1].quant.block_size = 3;
	node_builder_refuses(&b, -EBADMSG, "rows of 8 elements in blocks of 3");
	b.tensors[1].quant.block_size = 8;
	node_builder_refuses(&b, -EBADMSG, "scales of 3 blocks: float16 3x2");
	build_blockwise(&b);
	b.tensors[4].data = NULL;
	node_builder_refuses(&b, -EBADMSG, "scales of 6 blocks: float16 3x2, no constant");
	build_blockwise(&b);
	b.tensors[4].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "scales of 6 blocks: int16 3x2");
	build_blockwise(&b);
	b.tensors[1].data = NULL;
	node_builder_refuses(&b, -EOPNOTSUPP, "no int4 matrix in the file");
	build_blockwise(&b);
	b.tensors[0].type = b.tensors[3].type = DTYPE_INT8;
	b.tensors[2].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "weights has 0 scales");
}

static void zero_points_of_blocks_are_codes(void **state)
{
	(void)state;
	struct node_builder b;
	const int32_t zeros[6] = {-8, 7, 0, 0, 0, 8};
	build_blockwise(&b);
	b.tensors[1].quant.block_zeros = 5;
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.tensors[5].data = (const uint8_t *)zeros;
	node_builder_refuses(&b, -EBADMSG, "zero point of block 5 is 8");
	b.tensors[5].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "zero points of 6 blocks: float32 3x2");
}

static void hybrid_weights_have_zero_point_zero(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32, DTYPE_INT8, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	b.zeros[1][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "weights (int8) has zero point 1, must have 0");
	build(&b, DTYPE_UINT8, DTYPE_UINT8, DTYPE_INT32);
	b.zeros[1][0] = 128;
	node_builder_accepts(&b, 0, SHAPE(6, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_as_wide_as_the_weights),
		cmocka_unit_test(int16_sums_follow_the_option),
		cmocka_unit_test(other_types_and_formats_are_refused),
		cmocka_unit_test(only_weights_may_be_sparse),
		cmocka_unit_test(blocks_have_a_scale_each),
		cmocka_unit_test(zero_points_of_blocks_are_codes),
		cmocka_unit_test(hybrid_weights_have_zero_point_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
