/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that are no plain constants: blockwise, sparse, packed, computed. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void assert_floats(const float *got, const float *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(fabsf(got[i] - want[i]) <= 1e-4f);
	}
}

/* y[2] of one row of 127, -1, 64, 0: symmetric codes are the values themselves. */
static const float codes_row[4] = {127, -1, 64, 0};

static void hybrid_dense(struct op_bench *b, enum dtype type, const void *weights, float *y)
{
	op_bench_init(b, OP_FULLY_CONNECTED);
	op_bench_input(b, DTYPE_FLOAT32, SHAPE(1, 4), codes_row);
	op_bench_scale(b, op_bench_constant(b, type, SHAPE(2, 4), weights), 0.5f, 0);
	op_bench_output(b, DTYPE_FLOAT32, SHAPE(1, 2), y);
}

static void the_lowest_weight_is_a_number_like_others(void **state)
{
	(void)state;
	const int8_t weights[8] = {-128, 0, 0, 0, 0, -128, 1, -128};
	const float want[2] = {-8128, 96}; /* 127 * -128 / 2, (128 + 64) / 2 */
	float y[2] = {0};
	struct op_bench b;
	hybrid_dense(&b, DTYPE_INT8, weights, y);
	b.cpu_features = 0;
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 2);
	assert_string_equal(b.detail, "matmul_h8__c");
	/* uint8 weights of hybrid products are the same bytes. */
	hybrid_dense(&b, DTYPE_UINT8, weights, y);
	memset(y, 0, sizeof(y));
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 2);
}

static void int4_weights_may_be_computed(void **state)
{
	(void)state;
	const uint8_t packed[4] = {0x21, 0x03, 0xf0, 0x78}; /* 1 2 3 0, 0 -1 -8 7 */
	const float want[2] = {158.5f, -255.5f}; /* (127 - 2 + 192) / 2, (1 - 512) / 2 */
	float y[2] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_FULLY_CONNECTED);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 4), codes_row);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT4, SHAPE(2, 4), packed), 0.5f, 0);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 2);
}

/* Blocks of 2. The row 255, 0, 100, 3 has scale 1 and zero point -128. */
static void blockwise_dense(struct op_bench *b, float *y)
{
	static const float x[4] = {255, 0, 100, 3};
	static const uint8_t packed[4] = {0x21, 0x03, 0xf0, 0x78}; /* 1 2 3 0, 0 -1 -8 7 */
	static const float bias[2] = {0.25f, -1};
	static const uint16_t scales[4] = {0x3800, 0x4000, 0x3c00, 0x3400}; /* 1/2 2, 1 1/4 */
	op_bench_init(b, OP_FULLY_CONNECTED);
	op_bench_input(b, DTYPE_FLOAT32, SHAPE(1, 4), x);
	int32_t w = op_bench_constant(b, DTYPE_INT4, SHAPE(2, 4), packed);
	op_bench_constant(b, DTYPE_FLOAT32, SHAPE(2), bias);
	op_bench_output(b, DTYPE_FLOAT32, SHAPE(1, 2), y);
	b->tensors[10] = (struct tensor){.type = DTYPE_FLOAT16, .data = (const uint8_t *)scales};
	b->tensors[w].quant =
		(struct quant){.block_size = 2, .block_scales = 10, .block_zeros = TENSOR_NONE};
}

static void every_block_has_its_scale(void **state)
{
	(void)state;
	/* 255/2 + 2 * 300 + 1/4; (-800 + 21)/4 - 1 */
	const float want[2] = {727.75f, -195.75f};
	float y[2] = {0};
	struct op_bench b;
	blockwise_dense(&b, y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 2);
}

static void every_block_has_its_zero_point(void **state)
{
	(void)state;
	const int32_t zeros[4] = {1, 0, 0, -8};
	const uint8_t packed[2] = {0x01, 0x80};
	const int64_t wide[4] = {1, 0, 0, -8};
	const int8_t small[4] = {1, 0, 0, -8};
	const void *const data[4] = {zeros, packed, wide, small};
	const enum dtype types[4] = {DTYPE_INT32, DTYPE_INT4, DTYPE_INT64, DTYPE_INT8};
	/* row 0: weights 0 1 3 0; row 1: 0 -1 0 15 */
	const float want[2] = {600.25f, 10.25f};
	for (int i = 0; i < 4; i++) {
		float y[2] = {0};
		struct op_bench b;
		blockwise_dense(&b, y);
		b.tensors[11] = (struct tensor){.type = (uint8_t)types[i], .data = data[i]};
		b.tensors[1].quant.block_zeros = 11;
		assert_int_equal(op_bench_run(&b), 0);
		assert_floats(y, want, 2);
	}
}

#define BYTES(...)                                                                                 \
	{                                                                                          \
		.data = (const uint8_t[]){__VA_ARGS__}, .count = sizeof((uint8_t[]){__VA_ARGS__}), \
		.width = 1                                                                         \
	}

/* Both dimensions compressed, columns outside: 3x4 with 5 at (2, 1), 7 at (0, 3), 9 at (1, 3). */
static void densify_follows_any_order(void **state)
{
	(void)state;
	const int32_t order[2] = {1, 0};
	struct sparse_level levels[2] = {
		{.compressed = true, .segments = BYTES(0, 2), .indices = BYTES(1, 3)},
		{.compressed = true, .segments = BYTES(0, 1, 3), .indices = BYTES(2, 0, 1)},
	};
	const struct sparsity sparsity = {.n_levels = 2, .order = order, .levels = levels};
	const int8_t stored[3] = {5, 7, 9};
	const int8_t want[12] = {0, 0, 0, 7, 0, 0, 0, 9, 0, 5, 0, 0};
	int8_t y[12];
	struct op_bench b;
	op_bench_init(&b, OP_DENSIFY);
	int32_t in = op_bench_constant(&b, DTYPE_INT8, SHAPE(3, 4), stored);
	b.tensors[in].shape = SHAPE(3, 4);
	b.tensors[in].sparsity = &sparsity;
	op_bench_output(&b, DTYPE_INT8, SHAPE(3, 4), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, want, sizeof(want));
}

/* 5x4 float16 in blocks of 2x2, whose columns come first; the fifth row belongs to no block. One
 * block is there, at rows 2 and 3, columns 0 and 1. */
static void densify_puts_blocks_together(void **state)
{
	(void)state;
	const int32_t order[4] = {0, 1, 3, 2}, map[2] = {0, 1};
	struct sparse_level levels[4] = {
		{.size = 2},
		{.compressed = true, .segments = BYTES(0, 0, 1), .indices = BYTES(0)},
		{.size = 2},
		{.size = 2},
	};
	const struct sparsity sparsity = {
		.n_levels = 4, .n_blocks = 2, .order = order, .block_map = map, .levels = levels};
	const uint16_t stored[4] = {1, 2, 3, 4}; /* (2,0) (3,0) (2,1) (3,1) */
	const uint16_t want[20] = {[8] = 1, [12] = 2, [9] = 3, [13] = 4};
	uint16_t y[20];
	struct op_bench b;
	op_bench_init(&b, OP_DENSIFY);
	int32_t in = op_bench_constant(&b, DTYPE_FLOAT16, SHAPE(5, 4), stored);
	b.tensors[in].shape = SHAPE(5, 4);
	b.tensors[in].sparsity = &sparsity;
	op_bench_output(&b, DTYPE_FLOAT16, SHAPE(5, 4), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, want, sizeof(want));
}

/* Four columns in two blocks of two of two blocks of one: 4 = 2 * 2 * 1. */
static void densify_splits_a_dimension_twice(void **state)
{
	(void)state;
	const int32_t order[3] = {0, 1, 2}, map[2] = {0, 0};
	struct sparse_level levels[3] = {
		{.compressed = true, .segments = BYTES(0, 1), .indices = BYTES(1)},
		{.size = 2},
		{.size = 2},
	};
	const struct sparsity sparsity = {
		.n_levels = 3, .n_blocks = 2, .order = order, .block_map = map, .levels = levels};
	const int8_t stored[4] = {1, 2, 3, 4}, want[8] = {0, 0, 0, 0, 1, 2, 3, 4};
	int8_t y[8];
	struct op_bench b;
	op_bench_init(&b, OP_DENSIFY);
	int32_t in = op_bench_constant(&b, DTYPE_INT8, SHAPE(8), stored);
	b.tensors[in].shape = SHAPE(8);
	b.tensors[in].sparsity = &sparsity;
	op_bench_output(&b, DTYPE_INT8, SHAPE(8), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, want, sizeof(want));
}

/* 2x1x1x2 weights of which one element is stored; every pixel has 3 and 5. */
static void a_convolution_reads_sparse_weights(void **state)
{
	(void)state;
	const int32_t order[4] = {0, 1, 2, 3};
	struct sparse_level levels[4] = {{.size = 2}, {.size = 1}, {.size = 1},
		{.compressed = true, .segments = BYTES(0, 0, 1), .indices = BYTES(1)}};
	const struct sparsity sparsity = {.n_levels = 4, .order = order, .levels = levels};
	const float x[4] = {3, 5, 3, 5}, stored[1] = {2}, bias[2] = {1, -1};
	const float want[4] = {1, 9, 1, 9};
	float y[4] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_CONV_2D);
	b.node.options.conv = (struct options_conv){
		.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 2), x);
	int32_t w = op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1, 2), stored);
	b.tensors[w].shape = SHAPE(2, 1, 1, 2);
	b.tensors[w].sparsity = &sparsity;
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(2), bias);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 2), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 4);
}

static void a_product_without_width_is_zero(void **state)
{
	(void)state;
	const int32_t bias[3] = {1, 2, 3};
	const int8_t none = 0, want[6] = {0};
	int8_t y[6] = {1, 1, 1, 1, 1, 1};
	struct op_bench b;
	op_bench_init(&b, OP_FULLY_CONNECTED);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 0), &none), 1, 5);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(3, 0), &none), 1, 0);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), bias);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 3), y), 1, 7);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, want, sizeof(want));
}

/* Single scale for all channels: LiteRT reads behind it. */
static void hybrid_depthwise_takes_one_scale(void **state)
{
	(void)state;
	const float x[2] = {255, 100};
	const int8_t weights[2] = {2, -3};
	const float want[2] = {255, -150};
	float y[2] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_DEPTHWISE_CONV_2D);
	b.node.options.conv = (struct options_conv){
		.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 2), x);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 1, 1, 2), weights), 0.5f, 0);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 2), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_floats(y, want, 2);
}

static void quantising_rows_minds_the_deadline(void **state)
{
	(void)state;
	const int8_t weights[8] = {0};
	const struct run_control control = {.deadline_ns = 1};
	float y[2] = {0};
	struct op_bench b;
	hybrid_dense(&b, DTYPE_INT8, weights, y);
	b.control = &control;
	assert_int_equal(op_bench_run(&b), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_weight_is_a_number_like_others),
		cmocka_unit_test(int4_weights_may_be_computed),
		cmocka_unit_test(every_block_has_its_scale),
		cmocka_unit_test(every_block_has_its_zero_point),
		cmocka_unit_test(densify_follows_any_order),
		cmocka_unit_test(densify_puts_blocks_together),
		cmocka_unit_test(densify_splits_a_dimension_twice),
		cmocka_unit_test(a_convolution_reads_sparse_weights),
		cmocka_unit_test(a_product_without_width_is_zero),
		cmocka_unit_test(hybrid_depthwise_takes_one_scale),
		cmocka_unit_test(quantising_rows_minds_the_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
