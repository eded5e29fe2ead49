/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Stored both ways, constant or not, the product is the same. */
static void operands_may_be_stored_the_other_way_round(void **state)
{
	(void)state;
	const float left[] = {1, 2, 3, 4, 5, 6}, left_t[] = {1, 4, 2, 5, 3, 6};
	const float right[] = {1, 0, 2, 1, 0, 3}, right_t[] = {1, 2, 0, 0, 1, 3};
	const float want[] = {5, 11, 14, 23};
	for (int i = 0; i < 8; i++) {
		const bool adj_x = i & 1, adj_y = i & 2, constant = i & 4;
		float z[4];
		struct op_bench b;
		op_bench_init(&b, OP_BATCH_MATMUL);
		b.node.options.batch_matmul =
			(struct options_batch_matmul){.adj_x = adj_x, .adj_y = adj_y};
		op_bench_input(&b, DTYPE_FLOAT32, adj_x ? SHAPE(3, 2) : SHAPE(2, 3),
			adj_x ? left_t : left);
		(constant ? op_bench_constant : op_bench_input)(&b, DTYPE_FLOAT32,
			adj_y ? SHAPE(2, 3) : SHAPE(3, 2), adj_y ? right_t : right);
		op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
		assert_int_equal(op_bench_run(&b), 0);
		for (int k = 0; k < 4; k++) {
			assert_true(z[k] == want[k]);
		}
	}
}

/* 1x2 batches on the left, 2x1 on the right. */
static void batches_broadcast(void **state)
{
	(void)state;
	const int8_t left[] = {1, 2}, right[] = {10, 100};
	const int32_t want[] = {10, 20, 100, 200};
	int32_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_MATMUL);
	op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2, 1, 1), left);
	op_bench_input(&b, DTYPE_INT8, SHAPE(2, 1, 1, 1), right);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 2, 1, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* Codes as they are to int32, values with zero points to int8. */
static void sums_of_codes_are_bare_or_rescaled(void **state)
{
	(void)state;
	const int8_t left[] = {5, -3}, right[] = {7, 4};
	int32_t bare[1];
	int8_t z[1];
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_MATMUL);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2), left), 0.5f, 1);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 1), right), 0.5f, 2);
	int32_t out = op_bench_output(&b, DTYPE_INT32, SHAPE(1, 1), bare);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(bare[0], 35 - 12);
	b.tensors[out].type = DTYPE_INT8;
	b.values[out].data = z;
	op_bench_scale(&b, out, 0.25f, -6);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 4 * 5 - 4 * 2 - 6);
}

static void int16_sums_leave_int32(void **state)
{
	(void)state;
	int16_t left[64], right[64], z[1];
	for (int i = 0; i < 64; i++) {
		left[i] = right[i] = -32768;
	}
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_MATMUL);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1, 64), left), 1, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(64, 1), right), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1), z), 0x1p24f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 4096);
}

/* Each row has its own scale: 127 and 1/127 are both met exactly. */
static void rows_of_a_hybrid_product_have_scales_of_their_own(void **state)
{
	(void)state;
	const float left[] = {127, -64, 0.5f, 0.25f, 0, 0};
	const int8_t right[] = {1, 2};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_MATMUL);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3, 2), left);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(2, 1), right), 2, 0);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == -2);
	/* 0.25 is code 63.5, rounded away from zero: 64 * 0.5 / 127. */
	assert_true(fabsf(z[1] - 2 * (0.5f + 2 * 64 * 0.5f / 127)) < 1e-6f);
	assert_true(z[2] == 0);
}

static void a_depth_of_nothing_gives_zeros(void **state)
{
	(void)state;
	float z[2] = {7, 7};
	struct op_bench b;
	op_bench_init(&b, OP_BATCH_MATMUL);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 0), z);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(0, 2), z);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_may_be_stored_the_other_way_round),
		cmocka_unit_test(batches_broadcast),
		cmocka_unit_test(sums_of_codes_are_bare_or_rescaled),
		cmocka_unit_test(int16_sums_leave_int32),
		cmocka_unit_test(rows_of_a_hybrid_product_have_scales_of_their_own),
		cmocka_unit_test(a_depth_of_nothing_gives_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
