/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void space_to_batch_pads_with_the_zero_point(void **state)
{
	(void)state;
	/* 9 1 2 | 3 4 9 in blocks of 3 */
	const uint8_t x[4] = {1, 2, 3, 4}, want[6] = {9, 3, 1, 4, 2, 9};
	const int32_t block = 3, paddings[2] = {1, 1};
	uint8_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_SPACE_TO_BATCH_ND);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 4, 1), x), 1, 9);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &block);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1, 2), paddings);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(3, 2, 1), z), 1, 9);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void batch_to_space_crops_where_it_may_miss_a_whole_part(void **state)
{
	(void)state;
	/* 0 4 8 / 2 6 10 are the columns of rows 0, 1, 2 with a block of 1x2: 0 2 4 6 ... */
	const int16_t x[12] = {0, 4, 8, 12, 16, 20, 2, 6, 10, 14, 18, 22};
	const int16_t want[3] = {18, 20, 22};
	const int32_t blocks[2] = {1, 2}, crops[4] = {1, 0, 3, 0};
	int16_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_TO_SPACE_ND);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 2, 3, 1), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), blocks);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 2), crops);
	op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1, 3, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void batch_to_space_gives_several_images_back(void **state)
{
	(void)state;
	const int32_t x[8] = {0, 1, 10, 11, 2, 3, 12, 13}, want[8] = {0, 2, 1, 3, 10, 12, 11, 13};
	const int32_t block = 2, crops[2] = {0, 0};
	int32_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_TO_SPACE_ND);
	op_bench_input(&b, DTYPE_INT32, SHAPE(4, 2, 1), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &block);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1, 2), crops);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 4, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void depth_becomes_space_and_space_depth(void **state)
{
	(void)state;
	const float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, image[8] = {0, 1, 4, 5, 2, 3, 6, 7};
	float y[8], z[8];
	struct op_bench b;
	op_bench_init(&b, OP_DEPTH_TO_SPACE);
	b.node.options.block.size = 2;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 4), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 4, 1), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, image, sizeof(image));
	op_bench_init(&b, OP_SPACE_TO_DEPTH);
	b.node.options.block.size = 2;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 4, 1), y);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, x, sizeof(x));
}

static void diagonals_come_into_matrices(void **state)
{
	(void)state;
	const int8_t x[4] = {1, 2, 3, 4}, want[8] = {1, 0, 0, 2, 3, 0, 0, 4};
	int8_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_MATRIX_DIAG);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 2), x), 1, 5);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2, 2), z), 1, 5);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void diagonals_of_oblong_matrices_are_set(void **state)
{
	(void)state;
	const int64_t x[6] = {1, 2, 3, 4, 5, 6}, wide[6] = {8, 2, 3, 4, 9, 6};
	const int64_t diagonal[2] = {8, 9}, tall[6] = {8, 2, 3, 9, 5, 6};
	int64_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_MATRIX_SET_DIAG);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2, 3), x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2), diagonal);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, wide, sizeof(wide));
	b.shapes[0] = b.shapes[2] = SHAPE(3, 2);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, tall, sizeof(tall));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(space_to_batch_pads_with_the_zero_point),
		cmocka_unit_test(batch_to_space_crops_where_it_may_miss_a_whole_part),
		cmocka_unit_test(batch_to_space_gives_several_images_back),
		cmocka_unit_test(depth_becomes_space_and_space_depth),
		cmocka_unit_test(diagonals_come_into_matrices),
		cmocka_unit_test(diagonals_of_oblong_matrices_are_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
